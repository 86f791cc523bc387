"""How the lines of exp.log look, as conf/hydra/job_logging/exp.yaml has them."""

DATED = "%(asctime)s %(levelname)-7s %(message)s"

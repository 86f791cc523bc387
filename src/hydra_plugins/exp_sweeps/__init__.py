"""What Hydra finds of exp: a sweeper and a launcher. The work is in `exp.sweeps`."""

"""`exp.run` and `exp.sweep`: what a command line does, from Python."""

from __future__ import annotations

from collections.abc import Iterable

from exp.api.run import Run
from exp.api.sweep import Sweep
from exp.runs.log import printed_log
from exp.runs.record import RunRecord
from exp.runs.trained.predictor import Trained
from exp.sweeps import from_python
from exp.sweeps.start_run import single


def run(overrides: Iterable[str] = (), *, verbose: bool = False) -> Run:
    """Trains one run, as `python -m exp OVERRIDES...` does: the same directory, the same bits.

    Args:
        overrides: such as `["dataset=spirals", "optimizer.lr=0.01"]`.
        verbose: print what the command line prints; exp.log has it in any case.

    Returns:
        The run. One that has diverged is returned too; its `status` says so.

    Raises:
        ExpError: of `exp.util.errors`; nothing was started if it is a ConfigError.
    """
    with from_python.composer(overrides, quiet=not verbose) as (hydra, args):
        ran = single(hydra, args, "config", lines=printed_log)
        model = None if ran.result is None else Trained(ran.job, ran.result.predictor)
        return Run(RunRecord.at(ran.path.absolute()), trust=True, model=model)


def sweep(overrides: Iterable[str] = (), *, verbose: bool = False) -> Sweep:
    """Trains every combination of values, as `python -m exp -m OVERRIDES...` does.

    Args:
        overrides: such as `["optimizer=sgd,adam", "seed=range(0,8)", "figures=none"]`.
        verbose: print what the command line prints.

    Returns:
        The sweep. Runs that have failed are in it; their `status` says so.

    Raises:
        ExpError: of `exp.util.errors`; nothing was started if it is a ConfigError.
    """
    return Sweep(from_python.sweep(overrides, quiet=not verbose), trust=True)

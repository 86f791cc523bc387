"""`exp.run` and `exp.sweep`: train from Python as on the command line."""

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
        verbose: print the same lines as the command line; exp.log always contains them.

    Returns:
        The run. A diverged run is returned too; its `status` says so.

    Raises:
        ExpError: see `exp.util.errors`. After a ConfigError, nothing was started.
    """
    with from_python.composer(overrides, quiet=not verbose) as (hydra, args):
        ran = single(hydra, args, "config", lines=printed_log)
        model = None if ran.result is None else Trained(ran.job, ran.result.predictor)
        return Run(RunRecord.at(ran.path.absolute()), trust=True, model=model)


def sweep(overrides: Iterable[str] = (), *, verbose: bool = False) -> Sweep:
    """Trains every combination of values, as `python -m exp -m OVERRIDES...` does.

    Args:
        overrides: such as `["optimizer=sgd,adam", "seed=range(0,8)", "figures=none"]`.
        verbose: print the same lines as the command line.

    Returns:
        The sweep. It includes failed runs; their `status` says so.

    Raises:
        ExpError: see `exp.util.errors`. After a ConfigError, nothing was started.
    """
    return Sweep(from_python.sweep(overrides, quiet=not verbose), trust=True)

"""`exp.run` and `exp.sweep`: train from Python as on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from exp.api.overrides import leaves, overrides, plain
from exp.api.run import Run
from exp.api.sweep import Sweep
from exp.runs.log import printed_log
from exp.runs.record import RunRecord
from exp.runs.trained.predictor import Trained
from exp.sweeps import from_python
from exp.sweeps.start_run import single
from exp.util.errors import ConfigError, Fault

SEVERAL = "exp.run trains one run; exp.sweep takes lists of values to try"
NESTED = "In exp.sweep a list contains the values to try: write [[8, 8]] for the one value [8, 8]"


def run(
    *given: str | Iterable[str], progress: bool = True, verbose: bool = False, **settings: Any
) -> Run:
    """Trains one run, as `python -m exp OVERRIDES...` does: the same directory, the same bits::

        exp.run("dataset=spirals", "optimizer.lr=0.01")
        exp.run(dataset="spirals", optimizer=dict(name="adam", lr=0.01))
        exp.run(**{"dataset": "spirals", "optimizer.lr": 0.01})

    A notebook shows the loss and the decision boundary while it trains, a terminal a bar.

    Args:
        given: overrides, or lists of them.
        progress: whether to show how far the training is.
        verbose: print the same lines as the command line; exp.log always contains them.
        settings: key of the config -> value, which arrives as it is: numbers, texts, bools, None
            and lists of them. A dict sets the keys below its own. They override those in `given`.

    Returns:
        The run. A diverged run is returned too; its `status` says so.

    Raises:
        ExpError: see `exp.util.errors`. After a ConfigError, nothing was started.
    """
    words = overrides(given, settings, sweep=False)
    with (
        hints(settings, SEVERAL),
        from_python.composer(words, quiet=not verbose, progress=progress) as (hydra, args),
    ):
        ran = single(hydra, args, "config", lines=printed_log)
        model = None if ran.result is None else Trained(ran.job, ran.result.predictor)
        return Run(RunRecord.at(ran.path.absolute()), trust=True, model=model)


def sweep(
    *given: str | Iterable[str], progress: bool = True, verbose: bool = False, **settings: Any
) -> Sweep:
    """Trains every combination of values, as `python -m exp -m OVERRIDES...` does::

        exp.sweep("optimizer=sgd,adam", "seed=range(0,8)", "figures=none")
        exp.sweep(optimizer=["sgd", "adam"], seed=range(8), figures="none")

    Args:
        given: overrides, or lists of them.
        progress: whether to show how many runs have ended.
        verbose: print the same lines as the command line.
        settings: key of the config -> value, or a list of the values to try. A value that is
            itself a list stands in such a list: `model=dict(hidden=[[8], [8, 8]])`. The keys of
            `sweep`, `run`, `hydra` and `plugins`, which cannot vary, take lists as they are.

    Returns:
        The sweep. It includes failed runs; their `status` says so.

    Raises:
        ExpError: see `exp.util.errors`. After a ConfigError, nothing was started.
    """
    words = overrides(given, settings, sweep=True)
    with hints(settings, NESTED):
        path = from_python.sweep(words, quiet=not verbose, progress=progress)
    return Sweep(path, trust=True)


@contextmanager
def hints(settings: Mapping[str, Any], hint: str) -> Iterator[None]:
    """Adds a hint to the faults of keys that were given a list.

    Raises:
        ConfigError: the same faults.
    """
    try:
        yield
    except ConfigError as error:
        lists = {key for key, value in leaves(settings) if isinstance(plain(value), list)}
        wants_list = hint == NESTED
        hinted = [
            fault
            for fault in error.faults
            if fault.path in lists and fault.message.startswith("expected a list") == wants_list
        ]
        if not hinted:
            raise
        others = [fault for fault in error.faults if fault not in hinted]
        more = [Fault(fault.path, f"{fault.message}. {hint}") for fault in hinted]
        raise ConfigError([*others, *more]) from None

"""The runs of a bench: which are missing, trained in worker processes, kept in files."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from joblib import cpu_count

from exp.cli.bench.finished_units import Progress
from exp.cli.bench.suite import DataSet, Optimizer, Suite
from exp.cli.bench.training import KEPT, Runs, Unit, checked, do, read
from exp.engine import Job
from exp.runs.processes import forked
from exp.runs.processes.worker_pool import Pool
from exp.sweeps.train_stack import ready
from exp.util.errors import ConfigError, ExpError, Fault
from exp.util.files import reason_of

PARTS = "runs"
"""The folder, in that of a bench, of what is kept of the runs: a file for each unit."""


@dataclass(frozen=True)
class Bench:
    """A bench whose runs are all there.

    Attributes:
        folder: where it is.
        units: by the names of data set and optimizer, in the order of the suite.
    """

    suite: Suite
    folder: Path
    units: Mapping[tuple[str, str], Unit]

    def runs(self, dataset: str, optimizer: str) -> Runs:
        """What is kept of the runs of an optimizer on a data set.

        Raises:
            ExpError: the file is not there or damaged.
        """
        unit = self.units[dataset, optimizer]
        found = read(Path(unit.path), unit.signature)
        if found is None:
            raise ExpError(f"{unit.path} is gone: run exp bench again")
        return found


def units(suite: Suite, folder: Path) -> dict[tuple[str, str], Unit]:
    """All units of a bench, checked: every data set with the first optimizer, and every optimizer
    on the first data set.

    Raises:
        ConfigError: with what is wrong with any of them.
    """
    faults: list[Fault] = []

    def tried(dataset: DataSet, optimizer: Optimizer, name: str) -> tuple[Job, str] | None:
        try:
            job, signature = checked(suite.words(dataset, optimizer))
            if missing := [each for each in KEPT if each.partition("/")[2] not in scores(job)]:
                what = f"{missing[0]} is not measured on it: exp bench compares accuracies"
                raise ConfigError([Fault(f"--datasets {dataset.name}", what)])
            return job, signature
        except ConfigError as error:
            faults.extend(error.faults)
        except ExpError as error:
            faults.append(Fault(name, str(error)))
        return None

    of_datasets = {
        each.name: tried(each, suite.optimizers[0], f"--datasets {each.name}")
        for each in suite.datasets
    }
    of_optimizers = {
        each.name: tried(suite.datasets[0], each, f"--optimizers {each.name}")
        for each in suite.optimizers
    }
    if faults:
        raise ConfigError(faults)
    found = {}
    for dataset in suite.datasets:
        for optimizer in suite.optimizers:
            one, other = of_datasets[dataset.name], of_optimizers[optimizer.name]
            assert one is not None
            assert other is not None
            rates = rates_of(optimizer, other[0], suite.factors)
            whole = [one[1], other[1], suite.words(dataset, optimizer), rates]
            whole += [[*suite.seeds], [*suite.tuning]]
            digest = hashlib.sha256(json.dumps(whole).encode()).hexdigest()
            path = folder.absolute() / PARTS / f"{dataset.name}-{optimizer.name}.npz"
            found[dataset.name, optimizer.name] = Unit(
                dataset.name, optimizer.name, suite.words(dataset, optimizer), rates,
                suite.seeds, suite.tuning, str(path), digest,
            )  # fmt: skip
    return found


def scores(job: Job) -> tuple[str, ...]:
    """What is measured of a job's runs in every epoch."""
    return ("loss", *job.loss.component.builder.measures)  # type: ignore[attr-defined]


def rates_of(optimizer: Optimizer, job: Job, factors: tuple[float, ...]) -> tuple[float, ...]:
    """The learning rates to try: those of the suite, else around the optimizer's own."""
    if optimizer.rates is not None:
        return optimizer.rates
    own = job.plan.config["optimizer"].get("lr")
    if not isinstance(own, float) or own <= 0:
        return ()
    return tuple(float(f"{own * factor:.3g}") for factor in factors)


def done(suite: Suite, folder: Path, jobs: int | None) -> Bench:
    """A bench with all its runs: those that its folder lacks are trained.

    Args:
        jobs: worker processes; None: one for each core.

    Raises:
        ExpError: a run cannot be trained, or the folder cannot be written.
    """
    if forked.possible():
        forked.start_no_threads()
    every = units(suite, folder)
    try:
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExpError(f"cannot make the folder {folder / PARTS}: {reason_of(error)}") from error
    # A data set after the other, as its rows serve all optimizers. Those at the end of the suite
    # take longest: they start first, so that no process is waited for in the end.
    missing = [
        unit
        for dataset in suite.datasets
        for optimizer in reversed(suite.optimizers)
        if read_quietly(unit := every[dataset.name, optimizer.name]) is None
    ]
    count = min(cpu_count() if jobs is None else jobs, len(missing))
    try:
        with Progress(missing, len(every)) as progress:
            for unit, seconds in trained(missing, count):
                progress.add(unit, seconds)
                note(folder, unit, seconds)
    except KeyboardInterrupt:
        print("interrupted: the same command does what is missing", flush=True)
        raise
    return Bench(suite, folder, every)


def note(folder: Path, unit: Unit, seconds: float) -> None:
    """Notes what a unit has cost. This file alone is another one each time."""
    with contextlib.suppress(OSError), (folder / "seconds.csv").open("a") as file:
        if not file.tell():
            file.write("dataset,optimizer,runs,cpu_seconds\n")
        file.write(f"{unit.dataset},{unit.optimizer},{unit.runs},{seconds:.3f}\n")


def read_quietly(unit: Unit) -> Runs | None:
    """The runs of a unit; None where its file is damaged, too: it is made again."""
    try:
        return read(Path(unit.path), unit.signature)
    except ExpError:
        return None


def trained(missing: list[Unit], workers: int) -> Iterator[tuple[Unit, float]]:
    """Units as they are done, with the CPU seconds that each took."""
    if workers <= 1:
        yield from map(do, missing)
        return

    def lost(unit: Unit, why: str) -> tuple[list[Any], list[Any]]:
        raise ExpError(f"{unit.dataset}, {unit.optimizer}: {why}. Give fewer --jobs")

    pool = Pool(workers, do, prepare=partial(ready, draws=False))
    try:
        yield from pool.map(iter(missing), retry=lost, going=lambda: True)
    finally:
        pool.close()

"""The runs of tables, trained as one sweep, and what they have measured."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from shlex import join
from statistics import mean, median

import numpy as np

from exp.cli.reproduce.published import Number, Part, Table, Words
from exp.engine import Job
from exp.runs.manifest import manifest
from exp.runs.record import RunRecord
from exp.runs.trained.load_model import model
from exp.sweeps.from_python import sweep

OVER: dict[str, Callable[[Sequence[float]], float]] = {"median": median, "mean": mean}
ALWAYS = ("figures=none", "logger=none")


class Measured:
    """A run's numbers, as its directory has them."""

    def __init__(self, path: Path) -> None:
        self.run = RunRecord.at(path)
        self.run.check()

    @cached_property
    def history(self) -> dict[str, np.ndarray]:
        return self.run.history()

    @cached_property
    def job(self) -> Job:
        """What was trained, with its rows."""
        return model(self.run, trust=False)[0]

    def value(self, column: str, epoch: int | None) -> float | None:
        """A number of the run; None where it has none.

        Args:
            column: of metrics.csv or of summary.json, or one of `SPECIAL`.
            epoch: from 0; None: after the training.
        """
        if self.run.status != "done":
            return None
        if column in SPECIAL:
            return SPECIAL[column](self)
        if epoch is None:
            final = self.run.summary()["final"].get(column)
            return None if final is None else float(final)
        there = np.flatnonzero(self.history["epoch"] == epoch)
        if len(there) == 0 or column not in self.history:
            return None
        return float(self.history[column][there[0]])


def learned(measured: Measured) -> float | None:
    """The first evaluated epoch in which every training row was right, counted from 1."""
    right = np.flatnonzero(measured.history["train/accuracy"] >= 1)
    return float(measured.history["epoch"][right[0]] + 1) if len(right) else None


def parameters(measured: Measured) -> float:
    """How many numbers the run has trained."""
    module = measured.job.module()
    return float(sum(each.numel() for each in module.parameters()))


SPECIAL: dict[str, Callable[[Measured], float | None]] = {
    "last train/loss": lambda measured: float(measured.history["train/loss"][-1]),
    "train/rows": lambda measured: float(len(measured.job.data.split.train)),
    "parameters": parameters,
    "epochs to learn all": learned,
}
"""Columns that no file of a run has as they are."""


class Reproduction:
    """The runs of some tables, in the directory of their sweep.

    Args:
        path: of the sweep.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places = {
            tuple(run["overrides"])[: -len(ALWAYS)]: path / run["directory"]
            for run in manifest(path)["runs"]
        }
        self.known: dict[Words, Measured] = {}

    def of(self, words: Words) -> Measured:
        if words not in self.known:
            self.known[words] = Measured(self.places[words])
        return self.known[words]

    def runs(self, table: Table, part: Part) -> list[Measured]:
        """The runs of a part, those that were started."""
        every = table.runs(part)
        return [self.of(words) for words in every if (self.places[words] / "run.json").is_file()]

    def value(self, table: Table, part: Part, number: Number) -> float | None:
        """What was measured, over all seeds of the part; None where a run has not got there."""
        runs = self.runs(table, part)
        values = [run.value(number.column, number.epoch) for run in runs]
        found = [value for value in values if value is not None]
        if len(found) < len(list(table.runs(part))):
            return None
        return OVER[part.over](found)


def reproduced(
    tables: Sequence[Table], directory: str | None, *, jobs: int | None = None
) -> Reproduction:
    """Trains every run of some tables: those of one shape together, in worker processes.

    Args:
        directory: of the sweep; None: a new one below multirun/. What is finished in one that is
            there is not done again.
        jobs: worker processes; None: one for each core.

    Raises:
        ExpError: of `exp.util.errors`.
    """
    lines = dict.fromkeys(each for table in tables for each in every_run(table))
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("".join(f"{join(words)}\n" for words in lines))
        file.flush()
        words = [f"sweep.file={json.dumps(file.name)}", "run.reuse=false"]
        words += ["sweep.ranking=false", *ALWAYS]
        if jobs is not None:
            words.append(f"sweep.n_jobs={jobs}")
        if directory is not None:
            words.append(f"sweep.dir={json.dumps(directory, ensure_ascii=False)}")
        return Reproduction(sweep(words, quiet=False))


def every_run(table: Table) -> Iterator[Words]:
    for part in table.parts:
        yield from table.runs(part)

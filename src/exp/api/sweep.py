"""A sweep as an object: its runs and their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, overload

from exp.api.figures import Figures
from exp.api.run import Run
from exp.api.tables import Arrays, arrays, frame, results
from exp.report import results as ranking
from exp.report.results_text import text
from exp.runs.manifest import manifest
from exp.runs.record import RunRecord
from exp.sweeps.shard_directory import tables_of
from exp.util.errors import ExpError

EVERY = ("run", "directory", "status", "epochs", "seconds", "signature", "message")
"""The columns of runs.csv besides what was swept and the scores."""
SCORES = (
    *("validation/accuracy", "test/accuracy", "validation/rmse", "test/rmse"),
    *("test/loss", "train/loss"),
)


class Sweep(Sequence[Run]):
    """A sweep, from `exp.sweep` or `exp.load`: a sequence of its runs, in their order.

    A run is read, and its digests are checked, when it is used. Runs that were not started are
    left out.

    Attributes:
        path: the absolute path of its directory.
    """

    def __init__(self, path: Path, *, trust: bool) -> None:
        self.path, self._trust = path, trust
        places = [path / run["directory"] for run in manifest(path)["runs"]]
        self._places = [place for place in places if (place / "run.json").is_file()]

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...
    def __getitem__(self, index: int | slice) -> Run | list[Run]:
        if isinstance(index, slice):
            return [opened(place, trust=self._trust) for place in self._places[index]]
        return opened(self._places[index], trust=self._trust)

    def __iter__(self) -> Iterator[Run]:
        return (opened(place, trust=self._trust) for place in self._places)

    def arrays(self) -> Arrays:
        """runs.csv, a row for each run: column -> NumPy array. Of a sweep in shards, the tables of
        the shards that have ended."""
        return arrays(tables_of(self.path))

    @cached_property
    def table(self) -> Any:
        """runs.csv as a DataFrame: swept values and results, a row for each run."""
        columns = self.arrays()
        varied = [name for name in columns if name not in EVERY and "/" not in name]
        return frame(columns, ("run", *varied, *SCORES))

    def results(self, **options: Any) -> Any:
        """`exp.results` for this sweep."""
        return results(self.path, **options)

    @cached_property
    def figures(self) -> Figures:
        """The figures of the whole sweep by name; a notebook displays them."""
        return Figures(self.path / "figures")

    def __repr__(self) -> str:
        return f"<sweep of {len(self)} runs, {self.path}>"

    def _repr_html_(self) -> str:
        """The table of `exp results` for notebooks."""
        try:
            shown = text(ranking.results([self.path]))
        except ExpError as error:
            shown = str(error)
        return f"<p>{escape(repr(self))}</p><pre>{escape(shown)}</pre>"


def opened(path: Path, *, trust: bool) -> Run:
    """The run in a directory.

    Raises:
        RunDirectoryError: there is none.
        DamagedError: a file is corrupted.
    """
    saved = RunRecord.at(path)
    saved.check()
    return Run(saved, trust=trust)

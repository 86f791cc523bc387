"""Runs the runs of published tables as one sweep, and reads what came out."""

from __future__ import annotations

import csv
import shlex
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exp.bounds import json_of, read
from exp.errors import DamagedError
from exp.runs import manifest
from exp.runs.directory import RunDirectory


@dataclass(frozen=True)
class Measured:
    """What came out of a run.

    Attributes:
        path: its directory.
        failure: why there is nothing, or None.
        epochs: epoch -> metric -> value, as metrics.csv has them.
        final: metric -> value of the trained model, as summary.json has them.
    """

    path: Path
    failure: str | None = None
    epochs: dict[str, dict[str, float]] = field(default_factory=dict)
    final: dict[str, float] = field(default_factory=dict)

    @classmethod
    def at_path(cls, path: Path) -> Measured:
        """Of the run in a directory.

        Raises:
            DamagedError: a file is not what was written.
        """
        directory = RunDirectory(path)
        record = directory.read_record()
        if record.get("status") != "done":
            return cls(path, f"{record.get('status')}: {record.get('message') or path}")
        if found := directory.damaged(record):
            raise DamagedError(f"{path} is not as it was written: {', '.join(found)}")
        rows = csv.DictReader(directory.metrics.read_text("utf-8").splitlines())
        epochs = {row.pop("epoch"): {k: float(v) for k, v in row.items() if v} for row in rows}
        final = json_of(read(directory.summary))["final"]
        return cls(path, None, epochs, {k: v for k, v in final.items() if v is not None})

    def at(self, place: str, columns: Iterable[str]) -> list[float | None]:
        """Metrics at an epoch, of the `last` one, or of the trained model at the `end`."""
        if place == "end":
            found = self.final
        elif place == "last":
            found = next(reversed(self.epochs.values()), {})
        else:
            found = self.epochs.get(place, {})
        return [found.get(column) for column in columns]


def measured(
    runs: Sequence[tuple[str, ...]], overrides: Sequence[str] = ()
) -> tuple[Path, dict[tuple[str, ...], Measured]]:
    """Trains runs, those of one shape as a stack.

    Args:
        runs: the overrides of each, no two the same.
        overrides: of the sweep as a whole, such as its directory.

    Returns:
        The directory of the sweep, and what came out of each run.

    Raises:
        ExpError: the sweep cannot begin, or a directory of an earlier one holds something else.
    """
    from exp.api.start import sweep

    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "runs.txt"
        lines.write_text("".join(f"{shlex.join(run)}\n" for run in runs), "utf-8")
        made = sweep([f"sweep.file={lines}", *overrides], verbose=True)
    places = {
        tuple(word for word in entry["overrides"] if word not in overrides): made.path
        / entry["directory"]
        for entry in manifest.manifest(made.path)["runs"]
    }
    found = {}
    for run in runs:
        place = places.get(run)
        missing = Measured(made.path, "this run was not started")
        found[run] = Measured.at_path(place) if place and place.is_dir() else missing
    return made.path, found

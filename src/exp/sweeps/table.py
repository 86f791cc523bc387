"""The table of a sweep's runs, runs.csv, and what is told of it at the end.

Neither is held in memory whole: a sweep may have tens of thousands of runs.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import IO, Any

from exp.runs.directory import RunDirectory, csv_text
from exp.runs.manifest import Entry, read_json
from exp.sweeps.directory import SweepDirectory

METRICS = ("accuracy", "loss", "precision", "recall", "f1", "auroc", "calibration_error")
SPLITS = ("test", "validation", "train")
BEST = 5
"""Runs of the table at the end."""

Row = dict[str, Any]


class Tally:
    """What became of the runs of a sweep.

    Attributes:
        statuses: how many ended in which way.
        ranked: split -> how many finished runs have an accuracy on it.
        best: split -> the `BEST` runs of the highest accuracy, the lower loss first where two tie.
    """

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.ranked: Counter[str] = Counter()
        self.best: dict[str, list[Row]] = {split: [] for split in SPLITS}

    def add(self, row: Row) -> None:
        self.statuses[str(row["status"])] += 1
        for split, best in self.best.items():
            accuracy, loss = f"{split}/accuracy", f"{split}/loss"
            if row["status"] == "done" and accuracy in row:
                self.ranked[split] += 1
                best.append(row)
                best.sort(key=lambda row: (-row[accuracy], row[loss], row["run"]))
                del best[BEST:]


def write(directory: SweepDirectory, keys: Sequence[str], runs: Iterable[Entry]) -> Tally:
    """Writes runs.csv from the directories of the runs.

    Args:
        keys: what was swept.
        runs: as in the manifest.

    Raises:
        RunDirectoryError: it cannot be written.
    """
    tally = Tally()
    names: dict[str, None] = {}
    # The columns are known when the last run was read: until then the rows wait in a file.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        for row in rows(directory, keys, runs):
            tally.add(row)
            names.update(dict.fromkeys(row))
            waiting.write(json.dumps(row) + "\n")
        waiting.seek(0)
        directory.write(directory.table, lines(columns(keys, names), waiting))
    return tally


def columns(keys: Sequence[str], names: Collection[str]) -> list[str]:
    """The columns in one order for every sweep, whichever run is the first."""
    front = ["run", "directory", "status", *keys]
    metrics = [f"{split}/{name}" for split in SPLITS for name in METRICS]
    back = ["best/epoch", "epochs", "seconds", "signature", "message"]
    known = {*front, *metrics, *back}
    others = [name for name in names if name not in known]
    return [*front, *(name for name in metrics if name in names), *others, *back]


def lines(header: Sequence[str], waiting: IO[str]) -> Iterator[str]:
    """The text of the table.

    Args:
        waiting: a row of JSON on each line.
    """
    yield csv_text(header, [])
    for line in waiting:
        row = json.loads(line)
        yield csv_text([text_of(row.get(name)) for name in header], [])


def rows(directory: SweepDirectory, keys: Sequence[str], runs: Iterable[Entry]) -> Iterator[Row]:
    """What is known of each run, from its own directory."""
    for run in runs:
        place = RunDirectory(directory.path / run.directory)
        record = read_json(place.record) or {}
        summary = read_json(place.summary) or {}
        final = summary.get("final", {})
        given = dict(word.partition("=")[::2] for word in run.overrides)
        yield {
            "run": run.number,
            "directory": run.directory,
            "status": record.get("status", "pending"),
            **{key: given.get(key) for key in keys},
            **{key: final[key] for key in final if not key.endswith("/confusion")},
            "best/epoch": summary.get("best", {}).get("epoch"),
            "epochs": summary.get("epochs"),
            "seconds": record.get("timings", {}).get("total"),
            "signature": record.get("signature"),
            "message": record.get("message"),
        }


def text_of(value: Any) -> str:
    return "" if value is None else str(value)

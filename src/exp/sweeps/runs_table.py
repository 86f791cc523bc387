"""The table of a sweep's runs, runs.csv, and what is told of it at the end.

Neither is held in memory whole: a sweep may have tens of thousands of runs.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import IO, Any

from exp.report.groups import SPLITS, Groups, over_seeds, value
from exp.runs.collection import Row, files, parameters, part
from exp.runs.collection import row as row_of
from exp.runs.config_values import plain_key
from exp.runs.manifest import Entry
from exp.runs.record import RunRecord
from exp.sweeps.sweep_directory import SweepDirectory
from exp.util.metric_names import EVERY, HEADLINES, higher_is_better
from exp.util.serialize import csv_text

COLUMNS = ("test", "validation", "train")
BEST = 5
"""Runs of the table at the end."""

Cells = dict[str, Any]
Files = tuple[RunRecord, dict[str, Any]]
"""A run, and its summary.json."""


class Tally:
    """What became of the runs of a sweep.

    Of each run only its score is kept, and each score no longer than it may be the one to rank by:
    accuracy before RMSE, which runs have whose target is a number, and of each that of validation
    rows before test rows before those that were trained on.

    Args:
        keys: what was swept.

    Attributes:
        statuses: how many ended in which way.
        groups: metric -> the runs that differ only in their seeds, by it.
        best: metric -> the `BEST` runs by it, the lower loss first where two tie.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        by = over_seeds([plain_key(key) for key in keys])
        self.statuses: Counter[str] = Counter()
        metrics = [f"{split}/{name}" for name in HEADLINES for split in SPLITS]
        self.groups = {metric: Groups(by, metric) for metric in metrics}
        self.best: dict[str, list[Row]] = {metric: [] for metric in metrics}

    @property
    def metric(self) -> str | None:
        """The score to rank by."""
        return next((metric for metric, best in self.best.items() if best), None)

    def add(self, row: Row) -> None:
        self.statuses[row.status] += 1
        for place, metric in enumerate(metrics := list(self.groups)):
            self.groups[metric].add(row)
            if value(row, metric) is not None:
                sign, loss = -1.0 if higher_is_better(metric) else 1.0, loss_of(metric)
                best = self.best[metric]
                best.append(row)
                best.sort(
                    key=lambda row: (
                        sign * row.metrics[metric],
                        row.metrics.get(loss, math.inf),
                        row.number,
                    )
                )
                del best[BEST:]
                for lower in metrics[place + 1 :]:
                    del self.groups[lower]
                break


def loss_of(metric: str) -> str:
    """The loss of the split that a score is of."""
    return metric.partition("/")[0] + "/loss"


def write(directory: SweepDirectory, keys: Sequence[str], runs: Iterable[Entry]) -> Tally:
    """Writes runs.csv from the directories of the runs.

    Args:
        keys: what was swept.
        runs: as in the manifest.

    Raises:
        RunDirectoryError: it cannot be written.
    """
    tally = Tally(keys)
    names: dict[str, None] = {}
    # The columns are known when the last run was read: until then the rows wait in a file.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        for run in runs:
            path = directory.path / run.directory
            found = files(path)
            row = row_of(path, run.number, run.overrides, *found)
            tally.add(replace(row, parameters=parameters(run.overrides, keys)))
            line = cells(run, keys, row, found)
            names.update(dict.fromkeys(line))
            waiting.write(json.dumps(line) + "\n")
        waiting.seek(0)
        directory.write(directory.table, lines(columns(keys, names), waiting))
    return tally


def columns(keys: Sequence[str], names: Collection[str]) -> list[str]:
    """The columns in one order for every sweep, whichever run is the first."""
    front = ["run", "directory", "status", *keys]
    metrics = [f"{split}/{name}" for split in COLUMNS for name in EVERY]
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


def cells(run: Entry, keys: Sequence[str], row: Row, files: Files) -> Cells:
    """What the table says of a run."""
    record, summary = files[0].record, files[1]
    final = part(summary, "final")
    given = dict(word.partition("=")[::2] for word in run.overrides)
    return {
        "run": run.number,
        "directory": run.directory,
        "status": row.status,
        **{key: given.get(key) for key in keys},
        **{key: final[key] for key in final if not key.endswith("/confusion")},
        "best/epoch": part(summary, "best").get("epoch"),
        "epochs": summary.get("epochs"),
        "seconds": part(record, "timings").get("total"),
        "signature": record.get("signature"),
        "message": row.message,
    }


def text_of(value: Any) -> str:
    return "" if value is None else str(value)

"""The table of a sweep's runs, runs.csv, and its best runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from exp.report.groups import SPLITS, over_seeds, value
from exp.report.results import Table, tables
from exp.runs.collection import Row, Runs, files, parameters, part
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


@dataclass(frozen=True)
class Results:
    """What became of the runs of a sweep.

    Attributes:
        keys: what was swept.
        rows: one for each run.
    """

    keys: Sequence[str]
    rows: Sequence[Row]

    @property
    def statuses(self) -> Counter[str]:
        """How many runs ended in which way."""
        return Counter(row.status for row in self.rows)

    @property
    def metric(self) -> str | None:
        """The score to rank by: accuracy, or RMSE where the target is a number, of validation rows,
        else of test rows, else of those that were trained on. None: no run has any."""
        metrics = (f"{split}/{name}" for name in HEADLINES for split in SPLITS)
        has_one = (m for m in metrics if any(value(row, m) is not None for row in self.rows))
        return next(has_one, None)

    def tables(self, metric: str) -> list[Table]:
        """The runs that differ only in their seeds, by a score; a table for each data set."""
        keys = tuple(plain_key(key) for key in self.keys)
        return tables(Runs((), keys, tuple(self.rows)), over_seeds(keys), metric)

    def best(self, metric: str) -> list[Row]:
        """The `BEST` runs by a score, the lower loss first where two tie."""
        sign, loss = -1.0 if higher_is_better(metric) else 1.0, loss_of(metric)
        ended = [row for row in self.rows if value(row, metric) is not None]
        ended.sort(
            key=lambda r: (sign * r.metrics[metric], r.metrics.get(loss, math.inf), r.number)
        )
        return ended[:BEST]


def loss_of(metric: str) -> str:
    """The loss of the split that a score is of."""
    return metric.partition("/")[0] + "/loss"


def write(
    directory: SweepDirectory,
    keys: Sequence[str],
    runs: Iterable[Entry],
    more: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
) -> Results:
    """Writes runs.csv from the directories of the runs.

    Args:
        keys: what was swept.
        runs: as in the manifest.
        more: number of a run -> other columns.

    Raises:
        RunDirectoryError: it cannot be written.
    """
    rows, lines = [], []
    names: dict[str, None] = {}
    for run in runs:
        path = directory.path / run.directory
        record, summary = files(path)
        row = row_of(path, run.number, run.overrides, record, summary)
        rows.append(replace(row, parameters=parameters(run.overrides, keys)))
        lines.append({**cells(run, keys, row, record, summary), **more.get(run.number, {})})
        names.update(dict.fromkeys(lines[-1]))
    header = columns(keys, names)
    text = csv_text(header, ([text_of(line.get(name)) for name in header] for line in lines))
    directory.write(directory.table, [text])
    return Results(keys, rows)


def columns(keys: Sequence[str], names: Collection[str]) -> list[str]:
    """The columns in one order for every sweep, whichever run is the first."""
    front = ["run", "directory", "status", *keys]
    metrics = [f"{split}/{name}" for split in COLUMNS for name in EVERY]
    back = ["best/epoch", "epochs", "seconds", "signature", "message"]
    known = {*front, *metrics, *back}
    others = [name for name in names if name not in known]
    return [*front, *(name for name in metrics if name in names), *others, *back]


def cells(
    run: Entry, keys: Sequence[str], row: Row, record: RunRecord, summary: dict[str, Any]
) -> dict[str, Any]:
    """What the table says of a run."""
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
        "seconds": part(record.record, "timings").get("total"),
        "signature": record.record.get("signature"),
        "message": row.message,
    }


def text_of(value: Any) -> str:
    return "" if value is None else str(value)

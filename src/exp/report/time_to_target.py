"""Time to target: how long runs take until a score in their metrics.csv satisfies a condition."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exp.report.conditions import OPERATORS, Condition
from exp.report.results import metric_named
from exp.report.statistics import profiles
from exp.runs.collection import Row, finite
from exp.runs.config_values import Scalar
from exp.runs.record import RunRecord
from exp.util.errors import ExpError, RunDirectoryError, shown, unknown

Values = NDArray[np.float64]

COUNTED = ("done", "diverged", "failed")
"""Runs that reach the target or never will; the others may still."""


@dataclass(frozen=True)
class Target:
    """A condition on a column of metrics.csv."""

    metric: str
    sign: str
    value: float

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.value:g}"

    def reached(self, values: Values) -> NDArray[np.bool_]:
        """Which values satisfy it; one that is not a number never does."""
        operator = OPERATORS[self.sign]
        found: NDArray[np.bool_] = operator(values, self.value)  # type: ignore[arg-type,assignment]
        return found


def target_of(text: str, rows: Iterable[Row]) -> Target:
    """The target that a text such as `test/accuracy>=0.95` names.

    Args:
        rows: runs whose first readable metrics.csv tells which scores there are. Without a split
            it is that of validation rows where there are any, else of test rows.

    Raises:
        ExpError: it is no such condition, or no run has such a column.
    """
    try:
        found: Condition | None = Condition.of(text)
    except ValueError:
        found = None
    if found is None or found.sign not in OPERATORS:
        raise ExpError(
            f"--target: expected a score, one of {' '.join(OPERATORS)} and a number, such as "
            f"'test/accuracy>=0.95' in quotes, found {shown(text)}"
        )
    known = columns_of(rows)
    metric = metric_named(found.key, known)
    if known and metric not in known:
        raise ExpError(f"--target: {unknown('column of metrics.csv', found.key, known)}")
    return Target(metric, found.sign, float(str(found.wanted)))


def columns_of(rows: Iterable[Row]) -> list[str]:
    """The columns of the first metrics.csv that can be read."""
    for row in rows:
        try:
            return [name for name in RunRecord(row.path).history_texts() if name != "epoch"]
        except RunDirectoryError:
            continue
    return []


@dataclass
class Times:
    """How long the runs of a group take; infinite for those that never reach the target.

    Attributes:
        values: of the keys that make the group.
        epochs, seconds: one for each run that is counted.
        waiting: status -> runs that are not counted, as they may still reach it.
        unreadable: runs that ended and whose metrics.csv cannot be used.
    """

    values: tuple[Scalar, ...]
    epochs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    waiting: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0

    @property
    def runs(self) -> int:
        return len(self.epochs)

    @property
    def reached(self) -> int:
        return sum(map(math.isfinite, self.epochs))

    @property
    def known_seconds(self) -> list[float]:
        """Those that are known."""
        return [each for each in self.seconds if not math.isnan(each)]

    @property
    def share(self) -> float:
        """The share of runs that reach the target; NaN without any run."""
        return profiles.share_reached(self.epochs)


@dataclass(frozen=True)
class TargetTimes:
    """
    Attributes:
        by: the keys that make a group.
        groups: in the order of their first runs.
    """

    target: Target
    by: tuple[str, ...]
    groups: tuple[Times, ...]


def times(rows: Sequence[Row], by: Sequence[str], text: str) -> TargetTimes:
    """How long the runs of each group take until they reach a target.

    Raises:
        ExpError: it is no target, or no run has such a score over its epochs.
    """
    target = target_of(text, rows)
    found: dict[tuple[tuple[bool, Scalar], ...], Times] = {}
    for row in rows:
        values = tuple(row.parameters.get(key) for key in by)
        group = found.setdefault(tuple((isinstance(v, bool), v) for v in values), Times(values))
        add(group, row, target)
    if not any(group.runs for group in found.values()):
        raise ExpError(f"--target {target}: no run has ended")
    return TargetTimes(target, tuple(by), tuple(found.values()))


def add(group: Times, row: Row, target: Target) -> None:
    """Adds a run to its group."""
    if row.status not in COUNTED:
        group.waiting[row.status] += 1
        return
    record = RunRecord.tolerant(row.path)
    try:
        history = record.history([target.metric])
        values = history[target.metric]
    except (RunDirectoryError, KeyError):
        # A run that failed before its first epoch has no history, and never gets there.
        group.unreadable += row.status != "failed"
        if row.status == "failed":
            group.epochs.append(math.inf)
            group.seconds.append(math.inf)
        return
    steps = history["epoch"].astype(np.float64)
    epochs = profiles.first_reached(steps, target.reached(values))
    group.epochs.append(epochs)
    group.seconds.append(seconds(record, epochs, float(steps[-1]) if len(steps) else 0.0))


def seconds(record: RunRecord, epochs: float, last: float) -> float:
    """The seconds of training up to an epoch: that part of the run's share of the time of its
    stack, as epochs are alike. NaN where that is not known, as for a resumed run.

    Args:
        epochs: until the target, maybe infinite.
        last: the last epoch of the run.
    """
    if not math.isfinite(epochs):
        return math.inf
    timings = record.record.get("timings")
    known = timings if isinstance(timings, dict) and not record.record.get("resumed") else {}
    whole, stack = finite(known.get("training")), finite(known.get("stack"))
    if whole is None or not stack:
        return math.nan
    return epochs / last * whole / stack if last else 0.0

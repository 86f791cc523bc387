"""Which runs are best."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exp.report.runs import Row, Runs

PREFERRED = tuple(
    f"{split}/{name}" for split in ("test", "validation", "train") for name in ("accuracy", "loss")
)


@dataclass(frozen=True)
class Ranking:
    """
    Attributes:
        metric: by which runs are ranked; None where no run has one.
        metrics: all names, the preferred ones first.
        order: `[runs]` places, the best first, those without the metric last.
    """

    metric: str | None
    metrics: tuple[str, ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, runs: Runs) -> Ranking:
        met = {name for row in runs.rows for name in row.metrics}
        names = (*(n for n in PREFERRED if n in met), *sorted(met - {*PREFERRED}))
        metric = next((name for name in PREFERRED if name in met), None)
        sign = 1 if metric is not None and cls.lower(metric) else -1

        def key(place: int) -> tuple[bool, float, int]:
            value = score(runs.rows[place], metric)
            return math.isnan(value), 0.0 if math.isnan(value) else sign * value, place

        return cls(metric, names, tuple(sorted(range(len(runs.rows)), key=key)))

    @staticmethod
    def lower(name: str) -> bool:
        """Whether less of this metric is better."""
        return name.rpartition("/")[2] in ("loss", "calibration_error")


def score(row: Row, metric: str | None) -> float:
    """NaN for a run that is not done: what it reached says nothing of its settings."""
    if metric is None or row.status != "done":
        return math.nan
    return row.metrics.get(metric, math.nan)

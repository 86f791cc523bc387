"""Which runs are best, and by what."""

from __future__ import annotations

from dataclasses import dataclass

from exp.errors import ExpError, unknown
from exp.report.groups import SPLITS, higher_is_better, value
from exp.report.runs import Runs

FIRST = tuple(f"{split}/{name}" for split in ("test", "validation", "train") for name in
              ("accuracy", "loss"))  # fmt: skip


@dataclass(frozen=True)
class Ranking:
    """
    Attributes:
        metric: by which runs are ranked.
        metrics: all names that some run has a score of, the usual ones first.
        order: `[runs]` places, the best first, in their order those that have no such score.
    """

    metric: str
    metrics: tuple[str, ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, runs: Runs, metric: str | None = None) -> Ranking:
        """
        Args:
            metric: None for the accuracy of the first split that there is of `SPLITS`.

        Raises:
            ExpError: no run has this metric.
        """
        met = {name for row in runs.rows for name in row.metrics}
        names = (*(name for name in FIRST if name in met), *sorted(met - {*FIRST}))
        if metric is None:
            usual = [f"{split}/accuracy" for split in SPLITS]
            metric = next((name for name in usual if name in met), "test/accuracy")
        elif metric not in met:
            raise ExpError(unknown("metric", metric, sorted(met)))
        sign = -1.0 if higher_is_better(metric) else 1.0
        scores = [value(row, metric) for row in runs.rows]
        ranks = [(True, 0.0) if score is None else (False, sign * score) for score in scores]
        return cls(metric, names, tuple(sorted(range(len(ranks)), key=lambda at: (ranks[at], at))))

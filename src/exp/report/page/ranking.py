"""Which runs are best, by which metric."""

from __future__ import annotations

from dataclasses import dataclass

from exp.report.groups import direction, value
from exp.report.results import metric_named, metrics_of
from exp.runs.collection import Runs
from exp.util.errors import ExpError, unknown
from exp.util.metric_names import headline

FIRST = tuple(f"{split}/{name}" for split in ("test", "validation", "train") for name in
              ("accuracy", "rmse", "loss"))  # fmt: skip


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
            metric: as `exp results` takes it; None: accuracy, or RMSE where there is none.

        Raises:
            ExpError: no run has this metric.
        """
        known = metrics_of(runs.rows)
        scored = metric_named(metric or headline(known), known)
        if metric is not None and scored not in known:
            raise ExpError("--metric: " + unknown("metric", metric, sorted(known)))
        others = sorted(known - {*FIRST, "seconds"})
        # A row of metrics.csv is shown by the curves: of the best epoch only what is asked for.
        others = [n for n in others if not n.startswith("best/") or n in ("best/epoch", scored)]
        names = (*(name for name in FIRST if name in known), *others)
        sign = -1.0 if direction(runs.rows, scored) else 1.0
        scores = [value(row, scored) for row in runs.rows]
        ranks = [(True, 0.0) if score is None else (False, sign * score) for score in scores]
        return cls(scored, names, tuple(sorted(range(len(ranks)), key=lambda at: (ranks[at], at))))

"""Which runs are best, by which metric."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from exp.report.groups import direction, over_seeds, value
from exp.report.results import data_keys, metric_named, metrics_of
from exp.runs.collection import Runs
from exp.util.errors import ExpError, unknown
from exp.util.metric_names import headline
from exp.util.text_tables import cell

FIRST = tuple(f"{split}/{name}" for split in ("test", "validation", "train") for name in
              ("accuracy", "rmse", "loss"))  # fmt: skip


@dataclass(frozen=True)
class Ranking:
    """
    Attributes:
        metric: by which runs are ranked.
        metrics: all names that some run has a score of, the usual ones first.
        order: `[runs]` places, the best first, in their order those that have no such score. Scores
            of different data sets are not comparable: the best of each data set come first, then
            the second of each.
        data: the varied keys that tell data sets apart; empty where there is one data set.
        data_sets: what they are called, such as `dataset=moons`.
    """

    metric: str
    metrics: tuple[str, ...]
    order: tuple[int, ...]
    data: tuple[str, ...] = ()
    data_sets: tuple[str, ...] = ()

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
        order = sorted(range(len(ranks)), key=lambda at: (ranks[at], at))
        keys = data_keys(runs, over_seeds(runs.keys))
        called = [
            ", ".join(f"{k}={cell(row.parameters.get(k))}" for k in keys) for row in runs.rows
        ]
        before: Counter[str] = Counter()
        rank = {}
        for at in order:
            rank[at] = before[called[at]]
            before[called[at]] += 1
        order.sort(key=rank.__getitem__)
        return cls(scored, names, tuple(order), tuple(keys), tuple(sorted(set(called))))

"""Permutation importance: how much worse a model becomes when one column of the table is shuffled.

L. Breiman, "Random Forests", Machine Learning 45, 2001. As in scikit-learn's
`permutation_importance`, a column of the table is shuffled, not one of the columns that its
categories are encoded as.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.fitting.scored_rows import Answers, worse
from exp.runs.trained.predictor import Trained
from exp.util.serialize import csv_text

REPEATS = 10
"""How often each column is shuffled, at most."""
MOST_ROWS = 5_000
"""Rows that are predicted: of more, so many are drawn."""
WORK = 4_000_000
"""Rows that are predicted altogether: with more columns there are fewer repeats, at least 2."""
RESAMPLES = 100
"""Of the rows, for the intervals."""


@dataclass(frozen=True)
class Importance:
    """How much a model relies on a column.

    Attributes:
        column: its name.
        mean: how much the score becomes worse, in its units; the mean over the repeats.
        low, high: the 95 % interval, over the shuffles and the rows.
        repeats: how often the column was shuffled.
    """

    column: str
    mean: float
    low: float
    high: float
    repeats: int


def answers_of(trained: Trained, X: NDArray[Any], truth: NDArray[Any]) -> Answers:
    """What a model answers for rows [rows, features] as a data set has them."""
    prepared = trained.job.data
    logits = trained.predictor.logits(prepared.transform(prepared.encoded(X)))
    numeric = prepared.data.numeric
    chances = np.zeros((len(X), 0)) if numeric else trained.predictor.probabilities(logits)
    return Answers(truth, trained.predictor.labels(logits), chances, prepared.positive)


def importances(
    trained: Trained,
    rows: NDArray[np.int64],
    metric: str,
    *,
    seed: int = 0,
) -> list[Importance]:
    """The importance of each feature, the greatest first.

    Args:
        trained: the model.
        rows: [rows] of the data set, on which the score is computed.
        metric: the score.
    """
    data = trained.job.data.data
    random = np.random.default_rng(seed)
    if len(rows) > MOST_ROWS:
        rows = np.sort(random.permutation(rows)[:MOST_ROWS])
    X, truth = data.X[rows], data.y[rows]
    usual = answers_of(trained, X, truth)
    repeats = int(np.clip(WORK // X.size, 2, REPEATS))
    drawn = random.integers(0, len(rows), (RESAMPLES, len(rows)))
    before = [usual.score(metric, some) for some in drawn]
    whole, sign = usual.score(metric), worse(metric)
    found = []
    for place, name in enumerate(data.features):
        shuffled = []
        for _ in range(repeats):
            changed = X.copy()
            changed[:, place] = random.permutation(changed[:, place])
            shuffled.append(answers_of(trained, changed, truth))
        falls = [difference(whole, each.score(metric)) for each in shuffled]
        spread = [
            difference(before[at], shuffled[at % repeats].score(metric, some))
            for at, some in enumerate(drawn)
        ]
        mean = sign * float(np.nanmean(falls)) if not np.isnan(falls).all() else 0.0
        half = 1.96 * float(np.nanstd(spread, ddof=1)) if not np.isnan(spread).all() else 0.0
        found.append(Importance(name, mean, mean - half, mean + half, repeats))
    return sorted(found, key=lambda column: -column.mean)


def difference(before: float | None, after: float | None) -> float:
    return np.nan if before is None or after is None else before - after


def importance_text(found: list[Importance], metric: str, part: str) -> str:
    """The content of importance.csv.

    Args:
        part: the part of the rows on which the score was computed.
    """
    header = ["column", "score", "part", "importance", "low", "high", "repeats"]
    lines = (
        [c.column, metric, part, repr(c.mean), repr(c.low), repr(c.high), str(c.repeats)]
        for c in found
    )
    return csv_text(header, lines)

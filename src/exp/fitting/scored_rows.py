"""Scores of some rows with their uncertainty, and of a model that looks at no column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.components.final_scores import errors, score
from exp.plotting.scores import wilson
from exp.util.metric_names import OF_CLASSES, OF_NUMBERS, higher_is_better

RESAMPLES = 1000
"""Of the rows, for an interval."""


@dataclass(frozen=True, eq=False)
class Answers:
    """True and predicted values of some rows.

    Attributes:
        truth: [rows] classes 0..K-1, or numbers.
        predicted: the same.
        chances: [rows, K] probabilities; [rows, 0] where the target is a number.
        positive: of two classes the one that counts as positive.
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    chances: NDArray[Any]
    positive: int | None = None

    @property
    def numeric(self) -> bool:
        return not self.chances.shape[1]

    def score(self, metric: str, rows: NDArray[np.int64] | slice = slice(None)) -> float | None:
        """The score of these rows; None where it is not defined."""
        truth, predicted = self.truth[rows], self.predicted[rows]
        if self.numeric:
            found: float | None = errors(predicted, truth)[metric]
            return found
        return score(metric, self.chances[rows], predicted, truth, self.positive)


def computable(metric: str | None, *, numeric: bool) -> str:
    """A score that `Answers` can compute: this one, or what stands for it."""
    known = OF_NUMBERS if numeric else [name for name in OF_CLASSES if name != "loss"]
    if metric in known:
        return str(metric)
    return "rmse" if numeric else "log_loss"


def interval(
    answers: Answers, metric: str, groups: NDArray[Any] | None = None, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % interval of a score. Of an accuracy it is Wilson's; otherwise a bootstrap: the rows
    are drawn again, with replacement, and the score of each drawing is computed.

    Args:
        groups: [rows] which rows belong together: whole groups are drawn.

    Returns:
        Its ends; None where all drawings have the same score, or there are fewer than two.
    """
    rows = len(answers.truth)
    if metric == "accuracy" and groups is None:
        share = np.array([answers.score(metric)], np.float64)
        low, high = wilson(share, np.array([rows], np.float64))
        return float(low[0]), float(high[0])
    codes = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    if len(members) < 2:
        return None
    random = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(members), len(members))
        some = drawn if groups is None else np.concatenate([members[at] for at in drawn])
        found.append(answers.score(metric, some))
    values = [each for each in found if each is not None]
    if not values or min(values) == max(values):
        return None
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def baseline(train: NDArray[Any], answers: Answers) -> Answers:
    """What a model answers for the same rows that looks at no column: the shares of the classes
    among the training rows, and the most frequent one; or the mean.

    Args:
        train: [training rows] their true values.
    """
    rows = len(answers.truth)
    if answers.numeric:
        mean = np.full(rows, train.astype(np.float64).mean())
        return Answers(answers.truth, mean, answers.chances)
    counts = np.bincount(train, minlength=answers.chances.shape[1])
    shares = np.tile(counts / counts.sum(), (rows, 1))
    return Answers(answers.truth, np.full(rows, counts.argmax()), shares, answers.positive)


def worse(metric: str) -> float:
    """1 if a score falls where a model becomes worse, -1 if it rises."""
    return 1.0 if higher_is_better(metric) else -1.0

"""Curves that show how good probabilities are: ROC, precision and recall, calibration.

Formulas as in scikit-learn's `roc_curve`, `precision_recall_curve` and `average_precision_score`,
and for calibration Guo et al. (2017); the tests compare with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

BINS = 15


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve and one number for it.

    Attributes:
        x, y: `[points]`.
        value: the area under an ROC curve, or the average precision; NaN where one of the two
            answers has no rows.
    """

    x: Values
    y: Values
    value: float


def roc(truth: NDArray[np.bool_], score: NDArray[np.floating]) -> Curve:
    """The share of right alarms `y` over the share of false ones `x`, for every threshold.

    Args:
        truth: `[rows]`, whether a row is of the class.
        score: `[rows]`, its probability of that.
    """
    right, false = _counts(truth, score)
    if not (len(right) and right[-1] and false[-1]):
        return Curve(np.zeros(0), np.zeros(0), np.nan)
    y = np.concatenate([[0.0], right / right[-1]])
    x = np.concatenate([[0.0], false / false[-1]])
    return Curve(x, y, float(np.trapezoid(y, x)))


def precision_recall(truth: NDArray[np.bool_], score: NDArray[np.floating]) -> Curve:
    """Precision `y` over recall `x`, for every threshold; its number is the average precision, the
    sum of (R_n - R_{n-1}) P_n."""
    right, false = _counts(truth, score)
    if not (len(right) and right[-1]):
        return Curve(np.zeros(0), np.zeros(0), np.nan)
    y, x = right / (right + false), right / right[-1]
    average = float((np.diff(x, prepend=0.0) * y).sum())
    return Curve(np.concatenate([[0.0], x]), np.concatenate([[1.0], y]), average)


def _counts(truth: NDArray[np.bool_], score: NDArray[np.floating]) -> tuple[Values, Values]:
    """How many rows of the class, and how many others, score at least each of the thresholds."""
    score = np.asarray(score, np.float64)
    truth = np.asarray(truth)[np.isfinite(score)]
    score = score[np.isfinite(score)]
    order = np.argsort(-score, kind="stable")
    truth, score = truth[order], score[order]
    ends = np.flatnonzero(np.diff(score, append=-np.inf))  # of rows that tie
    right = np.cumsum(truth)[ends].astype(np.float64)
    return right, ends + 1 - right


@dataclass(frozen=True, eq=False)
class Calibration:
    """How often what was called so probable came true, in bins of equal width.

    Attributes:
        predicted, observed: `[bins]`, the mean probability and the share that came true.
        low, high: `[bins]`, 95 % intervals of that share.
        counts: `[bins]` rows; the others are NaN where it is 0.
        error: the mean distance of both, weighted by rows (ECE, Guo et al. 2017).
    """

    predicted: Values
    observed: Values
    low: Values
    high: Values
    counts: NDArray[np.int64]
    error: float


def calibration(
    labels: NDArray[np.integer],
    predicted: NDArray[np.integer],
    scores: NDArray[np.floating],
    positive: int | None = None,
) -> Calibration:
    """Of two classes: the probability of the positive one; of more: that of the predicted class.

    Args:
        labels, predicted: `[rows]`.
        scores: `[rows, K]`.
        positive: of two classes; None where there are more.
    """
    if positive is None:
        stated, came = scores.max(axis=1, initial=0.0), predicted == labels
    else:
        stated, came = scores[:, positive], labels == positive
    stated = np.asarray(stated, np.float64)
    keep = np.isfinite(stated)
    stated, came = stated[keep], came[keep]
    # The right edge belongs to a bin, and 0 to the first.
    place = np.clip(np.ceil(stated * BINS).astype(np.int64) - 1, 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    rows = np.where(counts, counts, np.nan)
    mean = np.bincount(place, stated, BINS) / rows
    share = np.bincount(place, came, BINS) / rows
    gap = np.nan_to_num(np.abs(mean - share)) * counts
    low, high = wilson(share, rows)
    error = float(gap.sum() / counts.sum()) if counts.sum() else np.nan
    return Calibration(mean, share, low, high, counts, error)


def wilson(share: Values, rows: Values) -> tuple[Values, Values]:
    """The 95 % interval of a share (E. B. Wilson 1927)."""
    z = 1.959963984540054
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return middle - half, middle + half

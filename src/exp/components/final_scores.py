"""Final scores of a split, as scikit-learn defines them.

Of two classes precision, recall, F1 and average precision are those of the positive class; of more
they, and AUROC, are means over classes ("macro").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.plotting.scores import calibration, precision_recall, roc

Floats = NDArray[np.float64]


def scores(
    probabilities: NDArray[Any],
    predicted: NDArray[np.int64],
    labels: NDArray[np.int64],
    positive: int | None = None,
) -> dict[str, Any]:
    """All scores for classes except the loss, and the confusion matrix.

    Args:
        probabilities: `[rows, classes]`.
        predicted: `[rows]`, the predicted classes.
        labels: `[rows]`.
        positive: the positive class of two; None with more classes.

    Returns:
        Numbers by name; an undefined score is None. Without rows of the positive class, recall and
        average precision are undefined; without predicted ones, precision and F1 are too. AUROC
        needs rows of more than one class. Means over classes include the classes that have rows;
        for precision, recall and F1 also the classes that are only predicted (scikit-learn).
        `confusion` is a nested list: rows are true classes, columns are predicted classes.
    """
    confusion = counted(labels, predicted, probabilities.shape[1])
    return {
        **of_counts(confusion, positive),
        **of_chances(probabilities, labels, positive),
        "calibration_error": calibration(labels, predicted, probabilities, positive).error,
        "confusion": confusion.tolist(),
    }


def score(
    name: str,
    probabilities: NDArray[Any],
    predicted: NDArray[np.int64],
    labels: NDArray[np.int64],
    positive: int | None = None,
) -> float | None:
    """Computes a single score of `scores`."""
    if name == "calibration_error":
        return calibration(labels, predicted, probabilities, positive).error
    if name in CHANCES:
        return CHANCES[name](probabilities, labels, positive)
    return of_counts(counted(labels, predicted, probabilities.shape[1]), positive)[name]


def counted(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """The confusion matrix `[classes, classes]`: rows true classes, columns predicted ones."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def of_counts(confusion: NDArray[np.int64], positive: int | None) -> dict[str, float | None]:
    """The scores that depend only on a confusion matrix `[classes, classes]`."""
    right = np.diag(confusion).astype(np.float64)
    true, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    there = true + predicted > 0
    # 0 where there is nothing to divide by: scikit-learn's convention for a class among others.
    parts = {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(true, 1),
        "f1": 2 * right / np.maximum(true + predicted, 1),
    }
    found: dict[str, float | None]
    if positive is None:
        found = {name: mean(part[there]) for name, part in parts.items()}
    else:
        found = {
            name: float(part[positive]) if there[positive] else None for name, part in parts.items()
        }
        if not true[positive]:
            found["recall"] = None
    return {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        **found,
        "balanced_accuracy": mean(parts["recall"][true > 0]),
        "mcc": correlation(confusion.astype(np.float64)),
    }


def correlation(confusion: Floats) -> float:
    """Matthews' correlation coefficient for any number of classes (Gorodkin 2004); 0 if all true or
    all predicted classes are equal."""
    true, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    total = confusion.sum()
    spread = (total**2 - predicted @ predicted) * (total**2 - true @ true)
    if spread == 0:
        return 0.0
    return float((np.trace(confusion) * total - true @ predicted) / np.sqrt(spread))


def of_chances(
    probabilities: NDArray[Any], labels: NDArray[np.int64], positive: int | None
) -> dict[str, float | None]:
    """The scores that depend on probabilities."""
    return {name: rule(probabilities, labels, positive) for name, rule in CHANCES.items()}


def present(labels: NDArray[np.int64], positive: int | None) -> list[int]:
    """The classes that a mean over classes includes."""
    found: list[int] = [positive] if positive is not None else np.unique(labels).tolist()
    return found


def auroc(p: NDArray[Any], labels: NDArray[np.int64], positive: int | None) -> float | None:
    return mean([roc(labels == k, p[:, k]).value for k in present(labels, positive)])


def average_precision(
    p: NDArray[Any], labels: NDArray[np.int64], positive: int | None
) -> float | None:
    return mean([precision_recall(labels == k, p[:, k]).value for k in present(labels, positive)])


def log_loss(p: NDArray[Any], labels: NDArray[np.int64], positive: int | None) -> float | None:
    # Clipped as in scikit-learn: by the precision of the probabilities.
    smallest = float(np.finfo(p.dtype).eps)
    own = p[np.arange(len(labels)), labels].astype(np.float64)
    return mean(-np.log(np.clip(own, smallest, 1 - smallest)))


def brier(p: NDArray[Any], labels: NDArray[np.int64], positive: int | None) -> float | None:
    """The mean squared distance over rows, halved for two classes."""
    classes = p.shape[1]
    squares = np.square(p.astype(np.float64) - np.eye(classes)[labels]).sum(axis=1)
    return mean(squares / 2 if classes == 2 else squares)


CHANCES: dict[str, Callable[[NDArray[Any], NDArray[np.int64], int | None], float | None]] = {
    "auroc": auroc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
}
"""Scores that follow from probabilities `[rows, classes]` and labels `[rows]`."""


def errors(predicted: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Root mean squared error, mean absolute error, and R².

    As scikit-learn's `root_mean_squared_error`, `mean_absolute_error` and `r2_score`, computed in
    float64.

    Args:
        predicted, truth: `[rows]`.

    Returns:
        Numbers by name; `r2` is None if all values of `truth` are equal.
    """
    targets = truth.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that has diverged
        apart = predicted.astype(np.float64) - targets
        squares = np.square(apart)
        whole = np.square(targets - targets.mean()).sum()
        return {
            "rmse": float(np.sqrt(squares.mean())),
            "mae": float(np.abs(apart).mean()),
            "r2": float(1 - squares.sum() / whole) if np.ptp(targets) > 0 else None,
        }


def mean(values: Any) -> float | None:
    """The mean of some numbers; None without numbers, or if it is NaN."""
    found = float(np.mean(values)) if len(values) else float("nan")
    return found if np.isfinite(found) else None

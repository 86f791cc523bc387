"""Final scores of a split: of classes by torchmetrics, of numbers as it defines them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np


def scores(probabilities: np.ndarray, predicted: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Accuracy, precision, recall, F1, AUROC, calibration error and the confusion matrix.

    With more than two classes precision, recall, F1 and AUROC are means over classes ("macro").

    Args:
        probabilities: `[rows, classes]`.
        predicted: `[rows]` int64, what the loss calls the likeliest class.
        labels: `[rows]` int64.

    Returns:
        Numbers by name. None stands for what is not defined: AUROC where a split has rows of one
        class only; of two classes, recall where there is no row of the second one, and then also
        precision and F1 where none is predicted either. `confusion` is a nested list, rows true
        classes and columns predicted ones.
    """
    import torch

    from exp.runs.metrics import functions

    metrics = functions()
    classes = probabilities.shape[1]
    # float64 keeps torchmetrics from adding its own rounding to the counts of a large split.
    chances = torch.from_numpy(np.ascontiguousarray(probabilities)).double()
    guesses, truth = torch.from_numpy(predicted), torch.from_numpy(labels)
    binary = classes == 2
    task: dict[str, Any] = {"task": "binary"} if binary else {"task": "multiclass"}
    count: dict[str, Any] = task if binary else {**task, "num_classes": classes}
    mean: dict[str, Any] = count if binary else {**count, "average": "macro"}
    scores_of_classes = chances[:, 1] if binary else chances
    met = np.unique(labels)
    each: dict[str, Any] = count if binary else {**count, "average": None}
    with warnings.catch_warnings():
        # A class without rows in this split: torchmetrics warns, and of its AUROC makes 0.
        warnings.simplefilter("ignore", UserWarning)
        areas = metrics_of(metrics, "auroc", scores_of_classes, truth, each)
        found: dict[str, Any] = {
            "accuracy": float((guesses == truth).double().mean()),
            "precision": float(metrics_of(metrics, "precision", guesses, truth, mean)),
            "recall": float(metrics_of(metrics, "recall", guesses, truth, mean)),
            "f1": float(metrics_of(metrics, "f1_score", guesses, truth, mean)),
            "auroc": float(areas if binary else areas[met].mean()) if len(met) > 1 else None,
            "calibration_error": float(
                metrics_of(metrics, "calibration_error", scores_of_classes, truth, count)
            ),
            "confusion": metrics_of(metrics, "confusion_matrix", guesses, truth, count).tolist(),
        }
    if binary and 1 not in met:  # torchmetrics makes 0 of 0 / 0
        found["recall"] = None
        if not predicted.any():
            found["precision"] = found["f1"] = None
    return found


def errors(predicted: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Root mean squared error, mean absolute error, and R².

    As torchmetrics' `mean_squared_error(squared=False)`, `mean_absolute_error` and `r2_score`,
    computed in float64. The last takes targets whose squares around their mean sum up to less
    than 1e-4 for constant; here only those are that are.

    Args:
        predicted, truth: `[rows]`.

    Returns:
        Numbers by name; `r2` is None where all of `truth` is one number.
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


def metrics_of(metrics: Any, name: str, guesses: Any, truth: Any, options: dict[str, Any]) -> Any:
    """One functional metric of torchmetrics for two classes or more."""
    prefix = options["task"]
    rest = {key: value for key, value in options.items() if key != "task"}
    rest["validate_args"] = False  # ours are as they must be, and looking takes as long again
    return getattr(metrics, f"{prefix}_{name}")(guesses, truth, **rest)

"""What runs are measured by: the names of the scores, which way is better, the positive class."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

OF_CLASSES = (
    "accuracy", "loss", "precision", "recall", "f1", "balanced_accuracy", "auroc",
    "average_precision", "mcc", "log_loss", "brier", "calibration_error",
)  # fmt: skip
"""Scores of a model that tells classes, as summary.json has them."""
OF_NUMBERS = ("rmse", "mae", "r2")
"""Those of a model whose target is a number, beside the loss."""
IN_UNITS = ("rmse", "mae")
"""Those of them that are in the units of the target."""
EVERY = (*OF_CLASSES, *OF_NUMBERS)
CURVES = ("loss", "accuracy", *OF_NUMBERS)
"""Scores that metrics.csv has over the epochs."""
HIGHER = (
    "accuracy", "f1", "auroc", "precision", "recall", "balanced_accuracy", "average_precision",
    "mcc", "r2",
)  # fmt: skip
"""Scores of which more is better; of every other (loss, seconds, ...) less is."""
SHARES = (
    "accuracy", "precision", "recall", "f1", "balanced_accuracy", "auroc", "average_precision",
    "calibration_error",
)  # fmt: skip
"""Scores between 0 and 1."""
LIMITS = {
    "mcc": (-1.0, 1.0), "brier": (0.0, 2.0), "log_loss": (0.0, math.inf),
    "rmse": (0.0, math.inf), "mae": (0.0, math.inf), "r2": (-math.inf, 1.0),
}  # fmt: skip
"""Those with other limits."""
HEADLINES = ("accuracy", "rmse")
"""The score that a run is judged by unless another is named: the first that it has."""
OF_POSITIVE = ("precision", "recall", "f1", "average_precision")
"""Scores of two classes that depend on which of them counts as positive."""
MACRO = ("precision", "recall", "f1", "auroc", "average_precision")
"""Scores that are means over classes where there are more than two."""


def higher_is_better(metric: str, custom: Mapping[str, bool] | None = None) -> bool:
    """Of a score with its split or without.

    Args:
        custom: the direction of each registered metric, by its name.
    """
    name = metric.rpartition("/")[2]
    return name in HIGHER or bool(custom and name not in EVERY and custom.get(name))


def bounds(metric: str) -> tuple[float, float]:
    """Between which values a score lies, of a score with its split or without; infinite where
    there is no bound, or none that is known (registered metrics, and losses: they may be custom).
    """
    name = metric.rpartition("/")[2]
    if name in SHARES:
        return 0.0, 1.0
    if name in LIMITS:
        return LIMITS[name]
    return (0.0, math.inf) if metric in ("seconds", "epochs") else (-math.inf, math.inf)


def headline(metrics: Collection[str]) -> str:
    """The score to judge runs by that have these (`test/rmse`, ...); accuracy where none is."""
    known = {metric.rpartition("/")[2] for metric in metrics}
    return next((name for name in HEADLINES if name in known), HEADLINES[0])


def class_named(value: object, classes: Sequence[str]) -> int | None:
    """The place of the class that a value of a config names; None where there is no such class.

    The text counts first; then `1` also names the class "1.0", and `true` the class "True".
    """
    text = str(value)
    if text in classes:
        return classes.index(text)
    if text.lower() in ("true", "false"):
        same = [name.lower() == text.lower() for name in classes]
    else:
        wanted = number(text)
        same = [wanted is not None and number(name) == wanted for name in classes]
    return same.index(True) if same.count(True) == 1 else None


def positive_class(classes: Sequence[str], counts: Sequence[int]) -> int | None:
    """The class that counts as positive unless `dataset.positive` names one.

    1 of 0 and 1 or of -1 and 1, and true of false and true, as in scikit-learn; of other labels the
    one that is rarer among the training rows, the second where both are equally frequent.

    Args:
        classes: names of the classes.
        counts: training rows of each.

    Returns:
        Its place; None where there are not two classes.
    """
    if len(classes) != 2:
        return None
    numbers = [number(name) for name in classes]
    if set(numbers) in ({0.0, 1.0}, {-1.0, 1.0}):
        return numbers.index(1.0)
    lower = [name.lower() for name in classes]
    if set(lower) == {"false", "true"}:
        return lower.index("true")
    return 0 if counts[0] < counts[1] else 1


def number(text: str) -> float | None:
    """What a label says as a number, if it is one."""
    try:
        return float(text)
    except ValueError:
        return None


ABOUT = {
    "loss": "the quantity that training minimizes, including the penalty",
    "accuracy": "the share of rows whose most probable class is the true one",
    "precision": "among the rows predicted as positive, the share of positive rows",
    "recall": "among the positive rows, the share of rows predicted as positive",
    "f1": "the harmonic mean of precision and recall",
    "balanced_accuracy": "the mean recall of the classes",
    "auroc": "the area under the ROC curve",
    "average_precision": "the area under the precision-recall curve, as a sum of steps",
    "mcc": "Matthews' correlation coefficient",
    "log_loss": "the mean negative logarithm of the probability of the true class",
    "brier": "the mean squared difference between probabilities and one-hot labels",
    "calibration_error": "the mean difference between probability and accuracy, over 15 bins",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "r2": "the share of the variance that is explained",
}
"""What each score is, in a line."""

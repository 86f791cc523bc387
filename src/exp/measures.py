"""What runs are measured by: the names of the scores, and which way is better."""

from __future__ import annotations

from collections.abc import Collection

OF_CLASSES = ("accuracy", "loss", "precision", "recall", "f1", "auroc", "calibration_error")
"""Scores of a model that tells classes, as summary.json has them."""
OF_NUMBERS = ("rmse", "mae", "r2")
"""Those of a model whose target is a number, beside the loss."""
EVERY = (*OF_CLASSES, *OF_NUMBERS)
CURVES = ("loss", "accuracy", *OF_NUMBERS)
"""Scores that metrics.csv has over the epochs."""
HIGHER = ("accuracy", "f1", "auroc", "precision", "recall", "r2")
"""Scores of which more is better; of every other (loss, seconds, ...) less is."""
HEADLINES = ("accuracy", "rmse")
"""The score that a run is judged by unless another is named: the first that it has."""


def higher_is_better(metric: str) -> bool:
    """Of a score with its split or without."""
    return metric.rpartition("/")[2] in HIGHER


def headline(metrics: Collection[str]) -> str:
    """The score to judge runs by that have these (`test/rmse`, ...); accuracy where none is."""
    known = {metric.rpartition("/")[2] for metric in metrics}
    return next((name for name in HEADLINES if name in known), HEADLINES[0])

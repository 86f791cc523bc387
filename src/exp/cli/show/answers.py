"""What a trained model answers for some rows of each class, right and wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from exp.runs.predictions import LOGIT, Predictions
from exp.util.terminal import one_line

EACH = 2
"""Rows of a class that are right, and as many that are wrong."""
CLASSES = 4
"""Of more classes one row each is shown, as of ten at most."""


def answers(predictions: Predictions) -> Iterator[str]:
    """Logits, probabilities and labels of test rows (training rows where there are none).

    Args:
        predictions: of classes.
    """
    split = "test" if "test" in predictions.split else "train"
    places = np.flatnonzero(predictions.split == split)
    right = predictions.truth[places] == predictions.predicted[places]
    names = [name for name in predictions.columns if f"{name}:".startswith(LOGIT)]
    what = "logits -> probabilities" if names else "probabilities"
    yield f"Trained model, some {split} rows of each class: {what} -> label (true label)"
    for word, chosen in (("right", places[right]), ("wrong", places[~right])):
        for at in some(predictions, chosen):
            logits = [f"{float(predictions.columns[name][at]):.4f}" for name in names]
            chances = " ".join(f"{chance:.4f}" for chance in predictions.probabilities[at])
            label, truth = (
                predictions.classes[values[at]]
                for values in (predictions.predicted, predictions.truth)
            )
            front = f"[{' '.join(logits)}] -> " if names else ""
            row = f"{word}, row {predictions.row[at]}"
            yield one_line(f"  {row:<16} {front}[{chances}] -> {label} ({truth})")
    count, total = int((~right).sum()), len(places)
    yield f"  {count} of {total} {split} rows are wrong"


def some(predictions: Predictions, places: NDArray[np.intp]) -> Iterator[int]:
    """The first of these rows of each class."""
    count = len(predictions.classes)
    each = EACH if count <= CLASSES else 1
    for label in range(min(count, 10)):
        yield from places[predictions.truth[places] == label][:each].tolist()

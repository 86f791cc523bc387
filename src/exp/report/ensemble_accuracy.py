"""The accuracy of several runs on the same test rows, single and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError


@dataclass(frozen=True, eq=False)
class Answers:
    """The test rows of one run.

    Attributes:
        rows: `[n]`, which rows of the data set they are, increasing.
        classes: the K names.
        labels: `[n]`, the true classes, in 0..K-1.
        inputs: digest of the features: two runs have the same rows if these are the same.
        probabilities: `[n, K]`.
    """

    rows: NDArray[np.int64]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    inputs: bytes
    probabilities: NDArray[np.float64]


def answers(path: Path) -> Answers | None:
    """The answers of a run, from its predictions.csv; None where there are none, or the target is a
    number."""
    try:
        found = RunRecord.tolerant(path).predictions()
    except RunDirectoryError:
        return None
    test = np.flatnonzero(found.split == "test")
    if not len(test) or not found.probabilities.shape[1]:
        return None
    test = test[np.argsort(found.row[test], kind="stable")]
    return Answers(
        rows=found.row[test],
        classes=found.classes,
        labels=found.truth[test],
        inputs=found.inputs(test),
        probabilities=found.probabilities[test],
    )


def ensemble_accuracy(paths: Sequence[Path]) -> tuple[float, float] | None:
    """The test accuracy of the runs' mean probability, and the mean of their own accuracies.

    None where they were not tested on the same rows, or one has no predictions.
    """
    found: list[Answers] = []
    for path in paths:
        each = answers(path)
        if each is None:
            return None
        if found and not (
            np.array_equal(each.rows, found[0].rows)
            and each.classes == found[0].classes
            and each.inputs == found[0].inputs
            and np.array_equal(each.labels, found[0].labels)
        ):
            return None
        found.append(each)
    if not found:
        return None
    labels = found[0].labels
    mean = np.mean([each.probabilities for each in found], axis=0)
    alone = [float((each.probabilities.argmax(axis=1) == labels).mean()) for each in found]
    return float((mean.argmax(axis=1) == labels).mean()), float(np.mean(alone))

"""What runs say of the same test rows, by themselves and together."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exp.bounds import read
from exp.runs.directory import RunDirectory

SIZE = 64 << 20
"""Bytes of a predictions.csv that is looked at."""


@dataclass(frozen=True, eq=False)
class Answers:
    """The test rows of one run.

    Attributes:
        rows: `[n]`, which rows of the data set they are, increasing.
        labels: `[n]`, the true classes.
        inputs: digest of the features: two runs have the same rows if these are the same.
        probabilities: `[n, K]`.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    inputs: bytes
    probabilities: NDArray[np.float64]


def answers(path: Path) -> Answers | None:
    """The answers of a run, from its predictions.csv; None where there are none."""
    try:
        lines = csv.reader(read(RunDirectory(path).predictions, SIZE).decode().splitlines())
        header = next(lines, [])
        split, row, label = (header.index(name) for name in ("split", "row", "label"))
        chances = [at for at, name in enumerate(header) if name.startswith("probability:")]
        test = sorted((int(line[row]), line) for line in lines if line and line[split] == "test")
        if not test or not chances:
            return None
        features = repr([line[row + 1 : label] for _, line in test]).encode()
        return Answers(
            rows=np.array([number for number, _ in test], np.int64),
            labels=np.array([int(line[label]) for _, line in test], np.int64),
            inputs=hashlib.sha256(features).digest(),
            probabilities=np.array([[float(line[at]) for at in chances] for _, line in test]),
        )
    except (OSError, ValueError, OverflowError, IndexError, csv.Error):
        return None


def ensemble_accuracy(paths: Sequence[Path]) -> tuple[float, float] | None:
    """The test accuracy of the runs' mean probability, and the mean of their own accuracies.

    None where they were not tested on the same rows, or one has not said what it answers.
    """
    found: list[Answers] = []
    for path in paths:
        each = answers(path)
        if each is None:
            return None
        if found and not (
            np.array_equal(each.rows, found[0].rows)
            and each.probabilities.shape == found[0].probabilities.shape
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

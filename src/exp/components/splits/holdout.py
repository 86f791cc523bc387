"""Random splits of rows into training, validation and test rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data.cache import repeatable
from exp.data.dataset import Split
from exp.data.faults import TooFewRowsError, rows_text
from exp.data.prepared import Standardize
from exp.registry.registry import register
from exp.registry.types import Probability
from exp.util.errors import DataError

Rows = NDArray[np.int64]


def leaves_rows(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    test, validation = values["test"], values["validation"]
    if test + validation >= 1:
        wanted = "expected test + validation < 1, so that training rows remain"
        yield "validation", f"{wanted}; found {test} + {validation}"


@register.split("holdout", check=leaves_rows)
@repeatable
def holdout(
    labels: Rows,
    seed: int,
    *,
    test: Probability = 0.2,
    validation: Probability = 0.0,
    stratify: bool = False,
    standardize: Standardize = False,
) -> Split:
    """Random test rows, and random validation rows if requested.

    The rows and their order equal those of scikit-learn's `train_test_split(X, y, test_size=test,
    random_state=seed)`. A second call with the same seed takes the validation rows from the
    training part.

    Args:
        labels: [rows] int64.
        seed: seed of the shuffling.
        test: share of all rows, rounded up; 0: no test rows. Without test and validation rows, the
            training rows keep their order.
        validation: share of all rows, rounded up; 0: no validation rows.
        stratify: whether all parts have the same shares of the classes.
        standardize: true: scale each feature to mean 0 and standard deviation 1; minmax: to 0..1;
            both fitted on the training rows (by `exp.engine.prepare`).

    Raises:
        DataError: there would be no training rows.
        TooFewRowsError: a class has too few rows for stratification.
    """
    rows = np.arange(len(labels), dtype=np.int64)
    sizes = {"test": held_out(len(rows), test), "validation": held_out(len(rows), validation)}
    if sum(sizes.values()) >= len(rows):
        shares = f"test={test} ({rows_text(sizes['test'])})"
        if validation:
            shares += f" and validation={validation} ({rows_text(sizes['validation'])})"
        raise DataError(f"split: {shares} of {rows_text(len(rows))} leave no training rows")
    train, tested = divided(rows, labels, sizes["test"], seed, stratify, "test")
    train, validated = divided(train, labels, sizes["validation"], seed, stratify, "validation")
    return Split(train=train, test=tested, validation=validated)


def held_out(rows: int, share: float) -> int:
    """The number of rows for a share, rounded up as in scikit-learn."""
    return math.ceil(share * rows)


def divided(
    rows: Rows, labels: Rows, size: int, seed: int, stratify: bool, part: str
) -> tuple[Rows, Rows]:
    """Splits `rows` into the remaining rows and `size` rows, in the order of `train_test_split`."""
    if size == 0:
        return rows, rows[:0]
    if not stratify:
        # The permutation of scikit-learn's ShuffleSplit: the import would take longer than the run.
        order = np.random.RandomState(seed).permutation(len(rows))
        return rows[order[size:]], rows[order[:size]]
    check_classes(labels[rows], size, part)
    from sklearn.model_selection import train_test_split

    kept, taken = train_test_split(rows, test_size=size, random_state=seed, stratify=labels[rows])
    return kept, taken


def check_classes(labels: Rows, size: int, part: str) -> None:
    """Checks the requirements of scikit-learn for a stratified split; messages name the classes."""
    counts = np.bincount(labels)
    small = {int(label): int(counts[label]) for label in np.flatnonzero(counts == 1)}
    if small:
        raise TooFewRowsError(
            small, f"stratify needs 2 rows of each class to hold out a {part} part"
        )
    classes = np.count_nonzero(counts)
    left = len(labels) - size
    for name, count in ((part, size), ("training", left)):
        if count < classes:
            needed = f"stratify needs a row of each class in the {name} part"
            raise DataError(f"split: {needed}: {rows_text(count)} for {classes} classes")

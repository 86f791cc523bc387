"""Cross-validation: the seed of a run chooses its test fold."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from exp.data.cache import repeatable
from exp.data.dataset import Split
from exp.data.faults import TooFewRowsError, rows_text
from exp.data.prepared import Standardize
from exp.registry.registry import register
from exp.util.errors import DataError

Folds = Annotated[int, Field(ge=2, le=1000)]


@register.split("kfold")
@repeatable
def kfold(
    labels: NDArray[np.int64],
    seed: int,
    *,
    folds: Folds = 10,
    stratify: bool = True,
    standardize: Standardize = False,
) -> Split:
    """Cross-validation: test on one fold and train on the others; the seed chooses the fold.

    The fold is `seeds.split` modulo `folds`, and the quotient is the seed of the shuffling. So
    `-m seed='range(0,10)'` tests on each of ten folds once, and `range(0,30)` does so three times
    with different folds. The folds equal those of scikit-learn's `StratifiedKFold(folds,
    shuffle=True, random_state=seed // folds)`, or of `KFold`.

    Args:
        labels: [rows] int64.
        seed: seed of the fold and the shuffling.
        folds: number of folds.
        stratify: whether all folds have the same shares of the classes.
        standardize: scale each feature to mean 0 and standard deviation 1, fitted on the training
            rows.

    Raises:
        DataError: there are fewer rows than folds.
        TooFewRowsError: with stratification, a class has fewer rows than folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if len(labels) < folds:
        raise DataError(
            f"split: expected at least one row per fold, found {folds} folds of "
            f"{rows_text(len(labels))}"
        )
    counts = np.bincount(labels)
    if stratify and (small := np.flatnonzero(counts < folds).tolist()):
        rows = {label: int(counts[label]) for label in small}
        raise TooFewRowsError(rows, f"stratify needs {folds} rows of each class for {folds} folds")
    kind = StratifiedKFold if stratify else KFold
    parts = kind(folds, shuffle=True, random_state=seed // folds).split(labels, labels)
    train, test = list(parts)[seed % folds]
    return Split(train=train.astype(np.int64), test=test.astype(np.int64))

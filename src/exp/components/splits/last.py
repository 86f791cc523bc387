"""A split by the order of the rows: what comes last is held out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.components.splits.holdout import held_out, leaves_rows
from exp.data.cache import repeatable
from exp.data.dataset import Split
from exp.data.faults import rows_text
from exp.registry.registry import register
from exp.registry.types import Probability
from exp.util.errors import DataError


@register.split("last", check=leaves_rows)
@repeatable
def last(
    labels: NDArray[Any],
    seed: int,
    *,
    test: Probability = 0.2,
    validation: Probability = 0.0,
    standardize: bool = False,
) -> Split:
    """The last rows are test rows; the rows before them are validation rows if requested.

    The rows keep their order, as in scikit-learn's `train_test_split(X, y, test_size=test,
    shuffle=False)`. Use this split if the order matters, as in a time series.

    Args:
        labels: [rows].
        seed: has no effect.
        test: share of all rows, rounded up; 0: no test rows.
        validation: share of all rows, rounded up; 0: no validation rows.
        standardize: scale each feature to mean 0 and standard deviation 1, fitted on the training
            rows.

    Raises:
        DataError: there would be no training rows.
    """
    count = len(labels)
    tested, validated = held_out(count, test), held_out(count, validation)
    trained = count - tested - validated
    if trained <= 0:
        shares = f"test={test} ({rows_text(tested)})"
        if validation:
            shares += f" and validation={validation} ({rows_text(validated)})"
        raise DataError(f"split: {shares} of {rows_text(count)} leave no training rows")
    rows = np.arange(count, dtype=np.int64)
    return Split(rows[:trained], rows[trained + validated :], rows[trained : trained + validated])

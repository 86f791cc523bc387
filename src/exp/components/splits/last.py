"""A split by the order of the rows: what comes last is held out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.components.splits.group_splits import (
    ColumnName,
    Columns,
    groups_of,
    in_one_place,
    nothing_left,
)
from exp.components.splits.holdout import held_out, leaves_rows
from exp.data.cache import repeatable
from exp.data.dataset import Split
from exp.registry.registry import register
from exp.registry.types import Probability


@register.split("last", check=leaves_rows)
@repeatable
def last(
    labels: NDArray[Any],
    seed: int,
    *,
    test: Probability = 0.2,
    validation: Probability = 0.0,
    groups: ColumnName | None = None,
    standardize: bool = False,
    columns: Columns = None,
) -> Split:
    """The last rows are test rows; the rows before them are validation rows if requested.

    The rows keep their order, as in scikit-learn's `train_test_split(X, y, test_size=test,
    shuffle=False)`. Use this split if the order matters, as in a time series.

    Args:
        labels: [rows].
        seed: has no effect.
        test: share of all rows, rounded up; 0: no test rows.
        validation: share of all rows, rounded up; 0: no validation rows.
        groups: name of a column of the data, such as the day, whose rows are adjacent: all rows
            with the same value are in the same part, and the shares are shares of the groups.
        standardize: scale each feature to mean 0 and standard deviation 1, fitted on the training
            rows.
        columns: the columns of the data by name; `groups` is one of them.

    Raises:
        SplitError: there would be no training rows, or the rows of a group are not adjacent.
    """
    group = groups_of(columns, groups)
    begins = None if group is None else in_one_place(group, columns, str(groups))
    count = len(labels) if begins is None else len(begins)
    tested, validated = held_out(count, test), held_out(count, validation)
    trained = count - tested - validated
    if trained <= 0:
        shares = {"test": (test, tested), "validation": (validation, validated)}
        raise nothing_left(shares, count, grouped=begins is not None)
    rows = np.arange(len(labels), dtype=np.int64)
    # Where validation and test begin: a row, or the first row of a group.
    ends = [trained, trained + validated]
    if begins is not None:
        ends = [[*begins, len(rows)][end] for end in ends]
    train, validation_rows, test_rows = np.split(rows, ends)
    return Split(train, test_rows, validation_rows)

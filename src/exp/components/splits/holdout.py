"""Random splits of rows into training, validation and test rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exp.components.splits.group_splits import (
    ColumnName,
    Columns,
    check_groups_whole,
    columns_differ,
    groups_of,
    nothing_left,
    parts_of_column,
    without_groups,
)
from exp.components.splits.time_splits import newest_last, only_time
from exp.data.cache import repeatable
from exp.data.dataset import Split
from exp.data.faults import TooFewRowsError, rows_text
from exp.data.prepared import Standardize
from exp.registry.registry import register
from exp.registry.types import Probability
from exp.util.errors import SplitError, shown

Rows = NDArray[np.int64]


def leaves_rows(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    test, validation = values["test"], values["validation"]
    if test + validation >= 1:
        wanted = "expected test + validation < 1, so that training rows remain"
        yield "validation", f"{wanted}; found {test} + {validation}"


def values_fit(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if values["column"] is not None:
        yield from columns_differ(values)
    elif values["validation"] == "column":
        yield "validation", "uses the validation rows of a column: set split.column too"
    else:
        yield from leaves_rows(values)
    if values["groups"] is not None and values["stratify"]:
        yield "stratify", "expected false with split.groups: split=kfold can do both"
    yield from only_time(values)
    if values["time"] is not None and values["stratify"]:
        yield "stratify", "expected false with split.time, which decides the part of each row"


@register.split("holdout", check=values_fit)
@repeatable
def holdout(
    labels: Rows,
    seed: int,
    *,
    test: Probability = 0.2,
    validation: Probability | Literal["column"] = 0.0,
    stratify: bool = False,
    groups: ColumnName | None = None,
    column: ColumnName | None = None,
    time: ColumnName | None = None,
    standardize: Standardize = False,
    columns: Columns = None,
) -> Split:
    """Random test rows, and random validation rows if requested.

    The rows and their order equal those of scikit-learn's `train_test_split(X, y, test_size=test,
    random_state=seed)`. A second call with the same seed takes the validation rows from the
    training part. With groups, they equal those of `GroupShuffleSplit`.

    Args:
        labels: [rows] int64.
        seed: seed of the shuffling.
        test: share of all rows, rounded up; 0: no test rows. Without test and validation rows, the
            training rows keep their order.
        validation: share of all rows, rounded up; 0: no validation rows; column: the validation
            rows of `split.column`.
        stratify: whether all parts have the same shares of the classes.
        groups: name of a column of the data, such as the patient: all rows with the same value are
            in the same part, and the shares are shares of the groups.
        column: name of a column of the data that contains train, validation or test for each row;
            `split.test` is then ignored, and a share of validation rows is taken from the training
            part.
        time: name of a column of the data of dates or numbers: the newest rows are test rows, and
            those before them validation rows. Nothing is shuffled. Rows of equal time are in the
            same part, so that shares are rounded to whole times.
        standardize: true: scale each feature to mean 0 and standard deviation 1; minmax: to 0..1;
            both fitted on the training rows (by `exp.engine.prepare`).
        columns: the columns of the data by name; `groups`, `column` and `time` are among them.

    Raises:
        SplitError: there would be no training rows, or the columns are not suitable.
        TooFewRowsError: a class has too few rows for stratification.
    """
    rows = np.arange(len(labels), dtype=np.int64)
    group = groups_of(columns, groups)
    if column is not None:
        marked = parts_of_column((columns or {})[column], column)
        check_marked(marked, column, test, validation)
        if group is not None:
            check_groups_whole(group, columns, groups, marked)
        if validation == "column":
            return marked
        rows, tested = marked.train, marked.test
        train, validated = held_out_of(rows, labels, group, validation, seed, stratify)
        return Split(train=train, test=tested, validation=validated)
    assert not isinstance(validation, str)
    total = len(rows) if group is None else int(group.max()) + 1
    shares = {"test": (test, held_out(total, test))}
    shares["validation"] = (validation, held_out(total, validation))
    if shares["test"][1] + shares["validation"][1] >= total:
        raise nothing_left(shares, total, grouped=group is not None)
    if time is not None:
        sizes = shares["test"][1], shares["validation"][1]
        return newest_last((columns or {})[time], time, *sizes)
    train, tested = taken(rows, labels, group, shares["test"][1], seed, stratify, "test")
    train, validated = taken(
        train, labels, group, shares["validation"][1], seed, stratify, "validation"
    )
    return Split(train=train, test=tested, validation=validated)


def check_marked(marked: Split, column: str, test: float, validation: float | str) -> None:
    """
    Raises:
        SplitError: the config and the column disagree on which parts exist.
    """
    where = f"column {shown(column)}"
    if test and not len(marked.test):
        wrong = f"{where} has no test rows: set split.test=0 for runs without test rows"
        raise SplitError(wrong, "split.column")
    if validation == "column" and not len(marked.validation):
        wrong = f"{where} has no validation rows, but split.validation=column needs them"
        raise SplitError(wrong, "split.column")
    if validation != "column" and (count := len(marked.validation)):
        found = f"has {rows_text(count)} for validation, but split.validation is {validation}"
        raise SplitError(f"{where} {found}: set split.validation=column", "split.column")


def held_out_of(
    rows: Rows, labels: Rows, group: Rows | None, share: float, seed: int, stratify: bool
) -> tuple[Rows, Rows]:
    """Splits the training rows `rows` into the remaining rows and the validation rows, which are a
    share of all rows or of all groups.

    Raises:
        SplitError: there would be no training rows.
    """
    total = len(labels) if group is None else int(group.max()) + 1
    there = len(rows) if group is None else len(np.unique(group[rows]))
    size = held_out(total, share)
    if size >= there:
        raise nothing_left({"validation": (share, size)}, there, grouped=group is not None)
    return taken(rows, labels, group, size, seed, stratify, "validation")


def taken(
    rows: Rows, labels: Rows, group: Rows | None, size: int, seed: int, stratify: bool, part: str
) -> tuple[Rows, Rows]:
    """Splits `rows` into the remaining rows and the rows of `size` rows or groups."""
    if group is not None:
        return without_groups(rows, group, size, seed)
    return divided(rows, labels, size, seed, stratify, part)


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
            raise SplitError(f"{needed}: {rows_text(count)} for {classes} classes")

"""Columns that decide a split: groups of rows that stay together, and the part of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from exp.data.dataset import Split
from exp.data.faults import rows_text
from exp.registry.types import label_text
from exp.util.errors import SplitError, shown

Rows = NDArray[np.int64]
ColumnName = Annotated[str, BeforeValidator(label_text), Field(min_length=1)]
Columns = Mapping[str, NDArray[Any]] | None
"""Name -> [rows] numbers or texts: the columns that the data have for a split."""

PARTS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What a column may call the parts, in any case of letters."""
ALWAYS_TRAINED = -1
"""The fold number of rows that are never tested, as in scikit-learn's PredefinedSplit."""


def columns_differ(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A fault if the same column is used for groups and for parts."""
    if values["groups"] is not None and values["groups"] == values["column"]:
        yield "groups", f"names {shown(values['groups'])}, as split.column does"


def groups_of(columns: Columns, name: str | None) -> Rows | None:
    """The group of each row [rows] as a number, in the order of the column's values; None: there
    are no groups."""
    if name is None:
        return None
    return np.unique((columns or {})[name], return_inverse=True)[1].astype(np.int64)


def groups_text(count: int) -> str:
    return "1 group" if count == 1 else f"{count} groups"


def without_groups(rows: Rows, groups: Rows, size: int, seed: int) -> tuple[Rows, Rows]:
    """Splits `rows` into the rows of other groups and of `size` groups, as `GroupShuffleSplit`."""
    if size == 0:
        return rows, rows[:0]
    found, group = np.unique(groups[rows], return_inverse=True)
    taken = np.isin(group, np.random.RandomState(seed).permutation(len(found))[:size])
    return rows[~taken], rows[taken]


def parts_of_column(values: NDArray[Any], name: str) -> Split:
    """The split that a column defines by the names of the parts.

    Raises:
        SplitError: a value does not name a part, or there is no training row.
    """
    found = np.unique(values)
    meaning = {str(value): PARTS.get(str(value).strip().lower()) for value in found.tolist()}
    if strange := [value for value, part in meaning.items() if part is None]:
        listed = ", ".join(shown(value, 40) for value in strange[:10])
        known = "expected train, validation or test (or training, valid, val, dev, testing)"
        folds = "; for numbers of folds use split=kfold" if found.dtype.kind in "if" else ""
        wrong = f"column {shown(name)} contains {listed}, {known}{folds}"
        raise SplitError(wrong, "split.column")
    parts = np.array([meaning[str(value)] for value in found.tolist()])
    part = parts[np.searchsorted(found, values)]
    rows = {each: np.flatnonzero(part == each) for each in ("train", "validation", "test")}
    if not len(rows["train"]):
        there = ", ".join(shown(value, 40) for value in meaning)
        wrong = f"column {shown(name)} has no row of train, only {there}"
        raise SplitError(wrong, "split.column")
    return Split(rows["train"], rows["test"], rows["validation"])


def folds_of_column(values: NDArray[Any], name: str, folds: int) -> list[Rows]:
    """The rows of each fold, as a column defines them, in the order of its values; as in
    scikit-learn's `PredefinedSplit`.

    Raises:
        SplitError: the column has a different number of folds.
    """
    found = [value for value in np.unique(values).tolist() if str(value) != str(ALWAYS_TRAINED)]
    if len(found) != folds:
        listed = ", ".join(str(value) for value in found[:10]) + (", ..." if found[10:] else "")
        if found and all(str(value).lower() in PARTS for value in found):
            hint = "for parts use split=holdout"
        elif len(found) < 2:
            hint = "cross-validation needs two or more"
        else:
            hint = f"split.folds={len(found)}"
        count = "1 fold" if len(found) == 1 else f"{len(found)} folds"
        have = f"column {shown(name)} has {count} ({listed})"
        raise SplitError(f"split.folds is {folds}, and {have}: {hint}", "split.column")
    return [np.flatnonzero(values == value) for value in found]


def check_groups_whole(groups: Rows, columns: Columns, name: str | None, split: Split) -> None:
    """
    Raises:
        SplitError: rows of one group are in two parts.
    """
    part_of = np.full(int(groups.max()) + 1, -1)
    for number, (part, rows) in enumerate(split.parts.items()):
        there = np.unique(groups[rows])
        torn = there[part_of[there] >= 0]
        if len(torn):
            other = list(split.parts)[part_of[torn[0]]]
            value = (columns or {})[str(name)][np.argmax(groups == torn[0])]
            raise SplitError(
                f"rows of the group {shown(str(value), 40)} of column "
                f"{shown(str(name))} are in {other} and in {part}: split.column and "
                "split.groups contradict each other",
                "split.groups",
            )
        part_of[there] = number


def in_one_place(groups: Rows, columns: Columns, name: str) -> Sequence[int]:
    """The first row of each group, in the order of the rows.

    Raises:
        SplitError: the rows of a group are not adjacent.
    """
    begins = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    seen: set[int] = set()
    for row in begins.tolist():
        if int(groups[row]) in seen:
            value = (columns or {})[name][row]
            raise SplitError(
                f"the rows of the group {shown(str(value), 40)} of column "
                f"{shown(name)} are not adjacent (row {row}), so there is no last group: "
                "sort the rows by this column, or use split=holdout",
                "split.groups",
            )
        seen.add(int(groups[row]))
    found: list[int] = begins.tolist()
    return found


def nothing_left(shares: Mapping[str, tuple[Any, int]], total: int, *, grouped: bool) -> SplitError:
    """The error for shares that leave no training rows.

    Args:
        shares: name of the parameter -> its value, and the number of rows or groups.
    """
    text = groups_text if grouped else rows_text
    taken = [f"{key}={value} ({text(count)})" for key, (value, count) in shares.items() if value]
    return SplitError(f"{' and '.join(taken)} of {text(total)} leave no training rows")

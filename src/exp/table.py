"""A file of rows: numbers, categories and labels, read whole or refused with all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exp.datafaults import counted
from exp.errors import DataError, shown

MOST = 10
"""After so many faults the reading ends."""
SURE = 20
"""So many different texts are categories, or classes, even where each has one row."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})

Policy = Literal["refuse", "drop", "impute"]


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file.

    Attributes:
        X: [rows, features] float32: numbers, or positions in the column's categories; NaN where a
            value is missing and that is allowed.
        features: names of the columns of X.
        categories: for each column its texts in the order in which they are met, or None.
        codes: [rows] int64, the label of row i is `labels[codes[i]]`; empty without a target.
        labels: the labels as they are written, in the order in which they are met.
        dropped: rows that were left out since a value is missing.
    """

    X: NDArray[np.float32]
    features: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]
    codes: NDArray[np.int64]
    labels: tuple[str, ...]
    dropped: int = 0


@dataclass
class Faults:
    """What is wrong in one file.

    Attributes:
        path: of the file.
        counts: the word before the number of a row, and what the first row is counted as.
        found: number of the row, place in words, what is wrong there.
        hint: a last line on what can be done.
    """

    path: str
    counts: str = "line"
    found: list[tuple[int, str, str]] = field(default_factory=list)
    hint: str = ""

    def add(self, line: int, column: str | None, message: str) -> None:
        place = f"{self.counts} {line}"
        place += "" if column is None else f", column {shown(column, 40)}"
        self.found.append((line, place, message))

    @property
    def full(self) -> bool:
        return len(self.found) >= MOST

    def raise_any(self) -> None:
        """Raises a DataError with all faults, if there are any."""
        if not self.found:
            return
        count = "1 fault" if len(self.found) == 1 else f"{len(self.found)} faults"
        first = sorted(self.found, key=lambda fault: fault[0])[:MOST]
        width = max(len(place) for _, place, _ in first)
        lines = [f"  {place:<{width}}  {message}" for _, place, message in first]
        heading = f"the first {MOST} faults" if self.full else count
        hint = [self.hint] if self.hint else []
        raise DataError("\n".join([f"{heading} in {self.path}; no row was used", *lines, *hint]))


class Codes:
    """Texts numbered in the order in which they are met; None is a missing one, NaN."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def of(self, texts: Sequence[str | None]) -> NDArray[np.float32]:
        known = self.texts
        numbers = [np.nan if text is None else known.setdefault(text, len(known)) for text in texts]
        return np.array(numbers, np.float32)


@dataclass
class Gaps:
    """How often a value is missing in each column, and where first."""

    count: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)

    def add(self, column: str, line: int) -> None:
        self.first.setdefault(column, line)
        self.count[column] = self.count.get(column, 0) + 1

    def told(self, faults: Faults, rows: int, target: str | None, policy: Policy) -> None:
        """Adds a fault for each column that the policy does not allow to have gaps."""
        for column, count in self.count.items():
            of = f"in {count} of {counted(rows)}"
            if column == target and policy != "drop":
                faults.add(self.first[column], column, f"the label is missing {of}, here first")
                faults.hint = "dataset.missing=drop leaves rows without a label out"
            elif policy == "refuse":
                faults.add(self.first[column], column, f"missing value {of}, here first")
        if policy == "refuse" and set(self.count) - {target}:
            faults.hint = (
                "dataset.missing=drop leaves such rows out, dataset.missing=impute fills in the "
                "median or the most frequent value of the training rows"
            )


def assembled(
    path: str,
    columns: Mapping[str, NDArray[np.float32]],
    texts: Mapping[str, Codes],
    target: tuple[NDArray[np.float32], Sequence[str]] | None,
    policy: Policy,
) -> Table:
    """The table of columns that have been read.

    Args:
        columns: name -> [rows] numbers or codes, NaN where missing.
        texts: name -> the texts of the codes, of columns of categories.
        target: codes of the labels, NaN where missing, and the labels; None: there are none.

    Raises:
        DataError: no row is left, or a column of texts does not look like categories.
    """
    X = np.column_stack(list(columns.values()))
    codes, labels = target if target is not None else (np.zeros(len(X), np.float32), ())
    kept = ~np.isnan(codes)
    if policy == "drop":
        kept &= ~np.isnan(X).any(axis=1)
    if not kept.any():
        raise DataError(f"{path}: a value is missing in each of its {counted(len(X))}")
    for name, each in texts.items():
        met = len(each.texts)
        if met > SURE and 2 * met > len(X):
            found = f"{met} different texts in {counted(len(X))}"
            raise DataError(
                f"{path}, column {shown(name)}: it looks like a name of each row ({found}, such as "
                f"{shown(next(iter(each.texts)), 40)}), not like categories; leave it out of "
                "`features`"
            )
    empty = np.empty(0, np.int64)
    return Table(
        X=np.ascontiguousarray(X[kept]),
        features=tuple(columns),
        categories=tuple(tuple(texts[n].texts) if n in texts else None for n in columns),
        codes=empty if target is None else codes[kept].astype(np.int64),
        labels=tuple(labels),
        dropped=int((~kept).sum()),
    )


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING


def written(values: Sequence[Any]) -> list[str | None]:
    """Values as texts: whole numbers without a point, None and NaN as None."""
    found: list[str | None] = []
    for value in values:
        if value is None or value != value:
            found.append(None)
        elif isinstance(value, float) and value.is_integer():
            found.append(str(int(value)))
        else:
            found.append(str(value).strip() or None)
    return found

"""A file of rows: numbers, dates, categories and labels, read whole or refused with all that is
wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exp.data.cells import NaValues, Notation, clue, days, is_number, key, looks_like
from exp.data.faults import counted
from exp.util.errors import DataError, lines, shown

MOST = 10
"""After so many faults the reading ends."""
SURE = 20
"""So many different texts are categories, or classes, even where each has one row."""
LARGEST = float(np.finfo(np.float32).max)

CATEGORIES = "if this column holds categories, name it in `categorical`"
FILL = (
    "dataset.missing=drop leaves such rows out, dataset.missing=impute fills in the median or the "
    "most frequent value of the training rows"
)

Policy = Literal["refuse", "drop", "impute"]
Kind = Literal["number", "date", "category"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """How the fields of a file are read.

    Attributes:
        missing: what is done about missing values; `impute` leaves them as NaN.
        categorical: names of columns that hold categories.
        dates: names of columns that hold dates, with the format of each (None: ISO 8601), or
            whether every column of dates does.
        decimal, thousands: how numbers are written, see `exp.data.cells.Notation`.
        na_values: what stands for a missing value, see `exp.data.cells.NaValues`.
        kinds: what each column holds, where that is known from a file that was read before; empty:
            the columns show it.
    """

    missing: Policy = "refuse"
    categorical: tuple[str, ...] = ()
    dates: Mapping[str, str | None] | bool = False
    decimal: str = "."
    thousands: str | None = None
    na_values: tuple[str | float, ...] | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that must be there."""
        return (*self.categorical, *(() if isinstance(self.dates, bool) else self.dates))

    @cached_property
    def na(self) -> NaValues:
        return NaValues(self.na_values)

    @cached_property
    def notation(self) -> Notation:
        return Notation(self.decimal, self.thousands)

    def kind(self, name: str) -> Kind | None:
        """What a column holds; None: its texts show it."""
        if name in self.kinds:
            return self.kinds[name]
        if name in self.categorical:
            return "category"
        if not isinstance(self.dates, bool) and name in self.dates:
            return "date"
        return None

    def form(self, name: str) -> str | None:
        """The format of a column's dates; None: ISO 8601."""
        return None if isinstance(self.dates, bool) else self.dates.get(name)


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file.

    Attributes:
        X: [rows, features] float64: numbers, days since 1970-01-01, or positions in the column's
            categories; NaN where a value is missing and that is allowed.
        features: names of the columns of X.
        kinds: what each column holds.
        categories: for each column its texts in the order in which they are met, or None.
        codes: [rows] int64, the label of row i is `labels[codes[i]]`; empty without a target.
        labels: the labels as they are written, in the order in which they are met.
        dropped: rows that were left out since a value is missing.
        index: names of columns that are no features, as they are the index of a pandas table.
        notes: what a user should hear of how the file was read.
    """

    X: Floats
    features: tuple[str, ...]
    kinds: tuple[Kind, ...]
    categories: tuple[tuple[str, ...] | None, ...]
    codes: NDArray[np.int64]
    labels: tuple[str, ...]
    dropped: int = 0
    index: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Faults:
    """What is wrong in one file.

    Attributes:
        path: of the file.
        counts: the word before the number of a row, and what the first row is counted as.
        found: number of the row, place in words, what is wrong there.
        hints: last lines on what can be done.
    """

    path: str
    counts: str = "line"
    found: list[tuple[int, str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

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
        found = [f"  {place:<{width}}  {message}" for _, place, message in first]
        heading = f"the first {MOST} faults" if self.full else count
        text = [f"{heading} in {self.path}; no row was used", *found, *self.hints]
        raise DataError(lines(*text))


@dataclass
class Gaps:
    """How often a value is missing in each column, where first, and which words stood there."""

    count: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    words: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, column: str, line: int, count: int = 1) -> None:
        self.first.setdefault(column, line)
        self.count[column] = self.count.get(column, 0) + count

    def add_word(self, column: str, text: str) -> None:
        """A text that stands for a missing value, where it could be a category or a class."""
        if any(map(str.isalpha, text)):
            words = self.words.setdefault(column, {})
            words[text] = words.get(text, 0) + 1

    def judge(self, faults: Faults, rows: int, target: str | None, policy: Policy) -> None:
        """Adds a fault for each column that the policy does not allow to have gaps."""
        wrong = set()
        for column, count in self.count.items():
            of = f"in {count} of {counted(rows)}"
            if column == target and policy != "drop":
                faults.add(self.first[column], column, f"the label is missing {of}, here first")
                faults.hints.append("dataset.missing=drop leaves rows without a label out")
            elif policy == "refuse":
                faults.add(self.first[column], column, f"missing value {of}, here first")
            else:
                continue
            wrong.add(column)
        if policy == "refuse" and set(self.count) - {target}:
            faults.hints[:] = [FILL]
        words = sorted({word for column in wrong for word in self.words.get(column, ())})
        if words:
            listed = " and ".join(shown(word, 40) for word in words[:5])
            stand = "stands" if len(words) == 1 else "stand"
            faults.hints.append(
                f"{listed} {stand} for a missing value here; dataset.na_values lists the texts "
                "that do (with [] only empty fields)"
            )

    def notes(self) -> Iterator[str]:
        """Which words were taken for missing values."""
        for column, words in self.words.items():
            listed = ", ".join(
                f"{shown(t, 40)} in {counted(n)}" for t, n in list(words.items())[:5]
            )
            yield (
                f"column {shown(column, 40)}: read as missing: {listed} "
                "(dataset.na_values lists such texts)"
            )


class Codes:
    """Texts numbered in the order in which they are met, 1 and 1.0 as the same one.

    Args:
        missing: says which stand for a missing value, NaN.

    Attributes:
        texts: of each number, as first met.
        lines: where each was first met.
    """

    def __init__(self, missing: NaValues) -> None:
        self._missing = missing
        self._known: dict[str | None, float] = {None: np.nan}
        self._places: dict[str, int] = {}
        self.texts: list[str] = []
        self.lines: list[int] = []

    def of(
        self, texts: Sequence[str | None], lines: Sequence[int], said: Callable[[str], None]
    ) -> Floats:
        """The numbers of these texts.

        Args:
            lines: where they stand.
            said: is called with each text that stands for a missing value.
        """
        known = self._known
        try:
            numbers = np.array([known[text] for text in texts], np.float64)
        except KeyError:
            for text, line in zip(texts, lines, strict=True):
                if text not in known:
                    assert text is not None
                    known[text] = self._add(text.strip(), line)
            numbers = np.array([known[text] for text in texts], np.float64)
        for at in np.flatnonzero(np.isnan(numbers)).tolist():
            said(texts[at] or "")
        return numbers

    def _add(self, text: str, line: int) -> float:
        if text in self._missing:
            return np.nan
        place = self._places.setdefault(key(text), len(self.texts))
        if place == len(self.texts):
            self.texts.append(text)
            self.lines.append(line)
        return place


class Column:
    """A column of a file, which shows what it holds as its fields come in.

    Args:
        typed: whether the file itself says that this is a column of texts, so that a number among
            them is a text as well.
    """

    def __init__(
        self, name: str, reading: Reading, faults: Faults, gaps: Gaps, *, typed: bool = False
    ) -> None:
        self.name, self.reading, self.faults, self.gaps = name, reading, faults, gaps
        self.kind = reading.kind(name)
        self.undecided = self.kind is None
        self.typed = typed
        self.codes = Codes(reading.na)
        self._days: dict[str, float] = {}
        self._parts: list[Floats] = []

    def take(self, fields: Sequence[str | None], lines: Sequence[int], odd: bool = True) -> None:
        """Reads further fields.

        Args:
            fields: texts; None is a missing one.
            lines: where each stands.
            odd: whether one of them may hold what Python's `float` takes and exp does not.
        """
        if self.kind is None:
            self.kind = self._shown(fields)
        if self.kind == "category":
            numbers = self.codes.of(fields, lines, lambda t: self.gaps.add_word(self.name, t))
        elif self.kind == "date":
            numbers = self._dates(fields, lines)
        else:
            numbers = self._numbers(fields, lines, odd)
        gone = np.flatnonzero(np.isnan(numbers))
        if self.kind == "category" and len(gone):
            self.gaps.add(self.name, lines[gone[0]], len(gone))
        self._parts.append(numbers)

    def give(self, numbers: Floats, kind: Kind) -> None:
        """Takes the column as the file has it, if it is of numbers or days: [rows], NaN where a
        value is missing."""
        wanted, self.kind = self.kind, kind
        if wanted not in (None, kind):
            self.faults.add(0, self.name, f"it holds {kind}s, expected {wanted}s")
            return
        numbers = np.where(self.reading.na.among(numbers), np.nan, numbers)
        for row in np.flatnonzero(np.abs(numbers) > LARGEST)[:MOST].tolist():
            why = "does not fit float32" if np.isfinite(numbers[row]) else "is not finite"
            self.faults.add(row, self.name, f"{numbers[row]} {why}")
        gone = np.flatnonzero(np.isnan(numbers))
        if len(gone):
            self.gaps.add(self.name, int(gone[0]), len(gone))
        self._parts.append(numbers)

    def _shown(self, fields: Sequence[str | None]) -> Kind | None:
        """What these fields show that the column holds; None: all of them are missing."""
        texts = [t for t in fields if t is not None and t not in self.reading.na]
        if not texts:
            return None
        if self.reading.dates is True and all(days(text) is not None for text in texts):
            return "date"
        notation = self.reading.notation
        if self.typed:
            # A column of texts by its type is one of numbers only where their notation is given.
            numbers = sum(notation.number(text) is not None for text in texts)
            return "number" if not notation.plain and 2 * numbers > len(texts) else "category"
        if any(notation.number(text) is not None for text in texts):
            return "number"
        return "category"

    def _numbers(self, fields: Sequence[str | None], lines: Sequence[int], odd: bool) -> Floats:
        notation, na = self.reading.notation, self.reading.na
        try:
            if notation.plain:
                column = np.array([float(text) for text in fields], np.float64)  # type: ignore[arg-type]
            elif notation.thousands is None and not any("." in text for text in fields):  # type: ignore[operator]
                column = np.array([float(t.replace(",", ".")) for t in fields], np.float64)  # type: ignore[union-attr]
            else:
                raise ValueError
            odd = odd and any("_" in text for text in fields)  # type: ignore[operator]
            if not odd and (np.abs(column) <= LARGEST).all() and not na.among(column).any():
                return column
        except (ValueError, TypeError, AttributeError):
            column = np.full(len(fields), np.nan)
        found = 0
        for row, (line, text) in enumerate(zip(lines, fields, strict=True)):
            if text is None or text in na:
                self.gaps.add(self.name, line)
                column[row] = np.nan
                continue
            number = notation.number(text)
            if number is not None and abs(number) <= LARGEST:
                column[row] = number
                continue
            self.faults.add(line, self.name, self._wrong(text, number))
            found += 1
            if found >= MOST:
                break
        return column

    def _wrong(self, text: str, number: float | None) -> str:
        """What keeps a field from being a number that float32 can hold."""
        if number is None:
            if not self.undecided:
                return f"{shown(text)} is not a number"
            hint = clue(text) or CATEGORIES
            return f"{shown(text)} is not a number ({hint})"
        if not np.isfinite(number):
            return f"{shown(text)} is not finite"
        return f"{shown(text)} does not fit float32 (at most 3.4e38)"

    def _dates(self, fields: Sequence[str | None], lines: Sequence[int]) -> Floats:
        form, known = self.reading.form(self.name), self._days
        numbers = np.full(len(fields), np.nan)
        found = 0
        for row, (line, text) in enumerate(zip(lines, fields, strict=True)):
            if text is None or text in self.reading.na:
                self.gaps.add(self.name, line)
                continue
            if text not in known:
                number = days(text, form)
                if number is None:
                    how = "as YYYY-MM-DD or YYYY-MM-DD hh:mm:ss" if form is None else f"as {form}"
                    self.faults.add(line, self.name, f"{shown(text)} is no date, written {how}")
                    found += 1
                    if found >= MOST:
                        break
                    continue
                known[text] = number
            numbers[row] = known[text]
        return numbers

    def whole(self) -> Floats:
        """All fields [rows], once they have been taken. Adds a fault where they do not look like
        what they have been taken for."""
        numbers = np.concatenate(self._parts) if self._parts else np.empty(0)
        self._parts.clear()
        if self.kind == "category" and self.undecided:
            self._doubt(numbers)
        return numbers

    def _doubt(self, numbers: Floats) -> None:
        there = numbers[~np.isnan(numbers)].astype(np.int64)
        counts = np.bincount(there, minlength=len(self.codes.texts)).tolist()
        texts = dict(zip(self.codes.texts, counts, strict=True))
        first = self.codes.lines[0] if texts else 0
        if not self.typed:
            for text, line in zip(texts, self.codes.lines, strict=True):
                if is_number(text):
                    told = f"{shown(text)} is a number in a column of texts"
                    self.faults.add(
                        line,
                        self.name,
                        f"{told} (if they are categories, name it in `categorical`)",
                    )
                    return
        if found := looks_like(texts, self.name, plain=self.typed):
            self.faults.add(first, self.name, f"{shown(next(iter(texts)), 40)}: {found}")
        elif len(texts) > SURE and 2 * len(texts) > len(numbers):
            found = f"{len(texts)} different texts in {counted(len(numbers))}"
            self.faults.add(
                first,
                self.name,
                f"it looks like a name of each row ({found}, such as "
                f"{shown(next(iter(texts)), 40)}), not like categories; leave it out of `features` "
                "(if it is one, name it in `categorical`)",
            )


class Labels:
    """The column of labels, as its fields come in."""

    def __init__(self, name: str, reading: Reading, gaps: Gaps) -> None:
        self.name, self.gaps = name, gaps
        self.codes = Codes(reading.na)
        self._parts: list[Floats] = []

    def take(self, fields: Sequence[str | None], lines: Sequence[int]) -> None:
        found = self.codes.of(fields, lines, lambda t: self.gaps.add_word(self.name, t))
        gone = np.flatnonzero(np.isnan(found))
        if len(gone):
            self.gaps.add(self.name, lines[gone[0]], len(gone))
        self._parts.append(found)

    def whole(self) -> Floats:
        return np.concatenate(self._parts) if self._parts else np.empty(0)


def assembled(
    path: str,
    columns: Sequence[Column],
    target: Labels | None,
    rows: int,
    faults: Faults,
    gaps: Gaps,
    policy: Policy,
    index: Sequence[str] = (),
) -> Table:
    """The table of columns that have been read.

    Args:
        target: the labels; None: there are none.
        rows: how many there are.
        index: names of columns that were left out as the index of a pandas table.

    Raises:
        DataError: with the faults that were found; no row is left.
    """
    numbers = [] if faults.full else [column.whole() for column in columns]
    if not faults.full:
        gaps.judge(faults, rows, None if target is None else target.name, policy)
    faults.raise_any()
    if not rows:
        raise DataError(
            f"{path} has a header and no rows" if faults.counts == "line" else f"{path} has no rows"
        )
    X = np.column_stack(numbers)
    numbers.clear()
    codes = np.zeros(rows) if target is None else target.whole()
    kept = ~np.isnan(codes)
    if policy == "drop":
        kept &= ~np.isnan(X).any(axis=1)
    if not kept.any():
        raise DataError(f"{path}: a value is missing in each of its {counted(rows)}")
    dropped = int((~kept).sum())
    if dropped:
        X, codes = X[kept], codes[kept]
    return Table(
        X=np.ascontiguousarray(X),
        features=tuple(column.name for column in columns),
        kinds=tuple(column.kind or "number" for column in columns),
        categories=tuple(
            tuple(column.codes.texts) if column.kind == "category" else None for column in columns
        ),
        codes=np.empty(0, np.int64) if target is None else codes.astype(np.int64),
        labels=() if target is None else tuple(target.codes.texts),
        dropped=dropped,
        index=tuple(index),
        notes=tuple(gaps.notes()),
    )

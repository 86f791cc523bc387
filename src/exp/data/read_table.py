"""A file's rows as numbers, dates, categories and labels: read whole, or refused with all that is
wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.faults import MOST, rows_text
from exp.data.file_faults import FileFaults, Gap, judge
from exp.data.labels import SURE
from exp.data.readers import read
from exp.data.reading_settings import Floats, Kind, NaValues, Reading, naming
from exp.data.source import Source
from exp.data.text_parsing import clue, days, hint, text_of
from exp.util.errors import DataError, shown

LARGEST = float(np.finfo(np.float32).max)
NUMBERS = ("integer", "floating", "decimal", "mixed-integer-float", "empty")
DATES = ("date", "datetime", "datetime64")
CATEGORIES = "if this column contains categories, name it in `categorical`"


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file.

    Attributes:
        path: of the file.
        frame: [rows, features]: float64 for numbers and days since 1970-01-01, or categories as
            texts; NaN where a value is missing and that is allowed.
        kinds: what each column holds.
        labels: [rows] texts; None without a target.
        aside: [rows] texts of each column of `Reading.aside`.
        weights: [rows] float64, at least 0; None: all rows count the same.
        dropped: rows that were left out since a value is missing.
        notes: what a user should know of how the file was read.
    """

    path: str
    frame: pd.DataFrame
    kinds: dict[str, Kind]
    labels: pd.Series | None
    aside: pd.DataFrame
    weights: pd.Series | None
    dropped: int
    notes: tuple[str, ...]


def read_table(path: str, kind: str, reading: Reading) -> Table:
    """The rows of a csv, Parquet or npz file.

    Raises:
        DataError: naming line (or row) and column of up to 10 faults.
        ExpError: pyarrow is not installed.
    """
    file = read(path, kind, reading)
    faults, rows = file.faults, len(file.frame)
    columns: dict[str, pd.Series] = {}
    kinds: dict[str, Kind] = {}
    gaps: list[Gap] = []
    for name in file.frame:
        column = Column(name, file.frame[name], file.typed, reading, faults)
        kinds[name], columns[name] = column.read()
        gaps += column.gaps()
    labels, aside = None, {}
    needed = dict.fromkeys(reading.aside, "a value that the split needs is missing")
    if file.labels is not None:
        texts = Texts(file.labels, reading.na)
        labels = texts.values
        gaps += gaps_of(str(reading.target), labels, texts.codes < 0, texts.words)
        needed[str(reading.target)] = "the label is missing"
    weights = None
    if reading.weights is not None:
        weights, without = weights_of(reading.weights, file, reading)
        gaps += without
        needed[reading.weights] = "the weight is missing"
    for name in reading.aside:
        texts = Texts(file.aside[name], reading.na)
        aside[name] = texts.values
        gaps += gaps_of(name, texts.values, texts.codes < 0, texts.words)
    judge(gaps, faults, rows, needed, reading.missing)
    faults.raise_any()
    if not rows:
        raise DataError(f"{path} has {'' if file.typed else 'a header and '}no rows")
    frame = pd.DataFrame(columns)
    kept = np.ones(rows, bool) if labels is None else labels.notna().to_numpy()
    if reading.missing == "drop":
        kept = kept & frame.notna().all(axis=1).to_numpy()
        for column in (*aside.values(), *([] if weights is None else [weights])):
            kept = kept & column.notna().to_numpy()
    if not kept.any():
        raise DataError(f"{path}: a value is missing in each of its {rows_text(rows)}")
    columns_aside = pd.DataFrame(aside, frame.index)[kept]
    notes, dropped = list(file.notes), int((~kept).sum())
    if dropped:
        frame, labels = frame[kept], None if labels is None else labels[kept]
        weights = None if weights is None else weights[kept]
        notes.insert(0, f"{rows_text(dropped)} of {path} left out: a value is missing")
    notes += [f"{path}, {note}" for gap in gaps for note in gap.notes()]
    return Table(path, frame, kinds, labels, columns_aside, weights, dropped, tuple(notes))


class Texts:
    """The texts of a column, each different one looked at once.

    Args:
        values: texts, numbers, truth values or dates.
        na: which texts stand for a missing value.

    Attributes:
        codes: [rows] places in `texts`, -1 where a value is missing.
        texts: the different texts, in the order of the file.
        words: texts with letters that were read as missing, and how often each stands there.
    """

    def __init__(self, values: pd.Series, na: NaValues) -> None:
        self.index = values.index
        codes, found = pd.factorize(values)
        texts = [text_of(value) for value in found]
        counts = np.bincount(codes[codes >= 0], minlength=len(texts)).tolist()
        self.words: dict[str, int] = {}
        for text, count in zip(texts, counts, strict=True):
            if text in na and any(map(str.isalpha, text)):
                self.words[text] = self.words.get(text, 0) + count
        there = [None if text in na else text for text in texts]
        merged, unique = pd.factorize(pd.Series(there, dtype=object))
        self.codes: NDArray[np.intp] = np.append(merged, -1)[codes]
        self.texts: list[str] = list(unique)

    @property
    def values(self) -> pd.Series:
        """[rows] the texts as a pandas categorical, NaN where missing."""
        return pd.Series(pd.Categorical.from_codes(self.codes, self.texts), self.index)

    @property
    def counts(self) -> NDArray[np.intp]:
        """How many rows each text has."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    def line(self, code: int) -> int:
        """Where a text stands first."""
        return int(self.index[np.argmax(self.codes == code)])


class Column:
    """A column of a file on its way to numbers or categories.

    Args:
        name: of it.
        values: as the file has them.
        typed: whether the file itself says which columns are texts, so that a number among them is
            a text as well.
        reading: how they are read.
        faults: is added what is wrong.
    """

    def __init__(
        self, name: str, values: pd.Series, typed: bool, reading: Reading, faults: FileFaults
    ) -> None:
        self.name, self.given, self.typed = name, values, typed
        self.reading, self.faults = reading, faults
        self.kind = reading.kind(name)
        self.undecided = self.kind is None
        self.values = pd.Series(np.nan, values.index)
        self.missing = np.zeros(len(values), bool)
        self.words: dict[str, int] = {}

    def read(self) -> tuple[Kind, pd.Series]:
        """What the column holds, and its values: float64, or texts."""
        stored = pd.api.types.infer_dtype(self.given, skipna=True) if self.typed else "string"
        if stored == "categorical" and self.undecided:
            self.kind, self.undecided = "category", False
        if stored == "string" and self._plain_numbers():
            return "number", self.values
        if self.kind == "category" or stored not in (*NUMBERS, *DATES):
            self._from_texts(Texts(self.given, self.reading.na))
        else:
            self._from_numbers("date" if stored in DATES else "number")
        return self.kind or "number", self.values

    def gaps(self) -> Iterator[Gap]:
        return gaps_of(self.name, self.given, self.missing, self.words)

    def _fault(self, line: int, message: str) -> None:
        self.faults.add(line, self.name, message)

    def _plain_numbers(self) -> bool:
        """Takes texts that are all numbers as Python writes them, without a look at each."""
        na, notation = self.reading.na, self.reading.notation
        if self.typed or not notation.plain or self.kind not in (None, "number"):
            return False
        numbers = notation.numbers(self.given)
        self.values = pd.Series(numbers, self.given.index)
        return bool((np.abs(numbers) <= LARGEST).all() and not np.isin(numbers, na.numbers).any())

    def _from_numbers(self, stored: Kind) -> None:
        """Takes numbers or dates that the file has as such."""
        if stored == "date" and self.undecided and self.reading.dates is not True:
            first = self.given.first_valid_index()
            self._fault(
                int(first or 0),
                "the column contains dates: name it in dataset.dates, which turns them into days "
                "since 1970-01-01, or in `categorical`",
            )
            return
        if self.kind not in (None, stored):
            self._fault(0, f"it contains {stored}s, expected {self.kind}s")
            return
        self.kind = stored
        try:
            numbers = days(self.given) if stored == "date" else numbers_of(self.given)
        except (ValueError, OverflowError) as error:
            self._fault(0, str(error))
            return
        self.missing = np.isnan(numbers) | np.isin(numbers, self.reading.na.numbers)
        numbers[self.missing] = np.nan
        for row in np.flatnonzero(np.abs(numbers) > LARGEST)[: MOST + 1].tolist():
            why = "does not fit float32" if np.isfinite(numbers[row]) else "is not finite"
            self._fault(row, f"{numbers[row]} {why}")
        self.values = pd.Series(numbers, self.given.index)

    def _from_texts(self, texts: Texts) -> None:
        self.missing = texts.codes < 0
        if self.undecided:
            self.kind = self._kind_of(texts)
        if self.kind == "category":
            if self.undecided:
                self._check_categories(texts)
            self.values, self.words = texts.values, texts.words
            return
        if self.kind == "date":
            found = days(texts.texts, self.reading.date_format(self.name))
        else:
            found = self.reading.notation.numbers(texts.texts)
        wrong = ~(np.abs(found) <= LARGEST)
        for row in np.flatnonzero(np.append(wrong, False)[texts.codes])[: MOST + 1].tolist():
            code = texts.codes[row]
            self._fault(int(self.given.index[row]), self._wrong(texts.texts[code], found[code]))
        self.values = pd.Series(np.append(found, np.nan)[texts.codes], self.given.index)

    def _kind_of(self, texts: Texts) -> Kind | None:
        """What the column holds by its texts; None: all of them are missing."""
        counts, notation = texts.counts, self.reading.notation
        if not counts.sum():
            return None
        if self.reading.dates is True and not np.isnan(days(texts.texts)).any():
            return "date"
        numbers = counts[~np.isnan(notation.numbers(texts.texts))].sum()
        # A column of texts by its type is one of numbers only where their notation is given.
        if self.typed and notation.plain:
            return "category"
        return "number" if 2 * numbers >= counts.sum() and numbers else "category"

    def _wrong(self, text: str, number: float) -> str:
        """What keeps a text from being a date, or a number that float32 can hold."""
        if self.kind == "date":
            form = self.reading.date_format(self.name)
            how = f"as {form}" if form else "as YYYY-MM-DD or YYYY-MM-DD hh:mm:ss"
            return f"{shown(text)} is not a date written {how}"
        if np.isnan(number):
            why = f" ({clue(text) or CATEGORIES})" if self.undecided else ""
            return f"{shown(text)} is not a number{why}"
        if not np.isfinite(number):
            return f"{shown(text)} is not finite"
        return f"{shown(text)} does not fit float32 (at most 3.4e38)"

    def _check_categories(self, texts: Texts) -> None:
        """Adds a fault where texts that nobody named as categories do not look like them."""
        count, rows = len(texts.texts), len(texts.codes)
        example = shown(texts.texts[0], 40)
        numbers = self.reading.notation.numbers([] if self.typed else texts.texts)
        if found := hint(texts.texts, texts.counts, self.name, plain=self.typed):
            self._fault(texts.line(0), f"{example}: {found}")
        elif len(mixed := np.flatnonzero(~np.isnan(numbers))):
            self._fault(
                texts.line(mixed[0]),
                f"{shown(texts.texts[mixed[0]])} is a number in a column of texts "
                "(if they are categories, name it in `categorical`)",
            )
        elif count > SURE and 2 * count > rows:
            self._fault(
                texts.line(0),
                (
                    f"it seems to identify the rows ({count} different texts in "
                    f"{rows_text(rows)}, such as {example}); leave it out with "
                    f"{naming('exclude', self.name)}, or name it in `categorical` if it contains "
                    "categories"
                ),
            )


def weights_of(name: str, file: Source, reading: Reading) -> tuple[pd.Series, Iterator[Gap]]:
    """The weights of the rows, and where one is missing. Adds a fault for each that is none."""
    as_numbers = replace(reading, kinds={name: "number"})
    column = Column(name, file.aside[name], file.typed, as_numbers, file.faults)
    _, values = column.read()
    for row in np.flatnonzero(values.to_numpy() < 0)[: MOST + 1].tolist():
        what = f"the weight {values.iloc[row]:g} is negative: expected a number of at least 0"
        file.faults.add(int(values.index[row]), name, what)
    return values, column.gaps()


def gaps_of(
    name: str, values: pd.Series, missing: NDArray[np.bool_], words: dict[str, int]
) -> Iterator[Gap]:
    """The missing values of a column, if there are any."""
    if missing.any():
        yield Gap(name, int(missing.sum()), int(values.index[missing.argmax()]), words)


def numbers_of(values: pd.Series) -> Floats:
    """Numbers of any type as float64, NaN where they are missing."""
    found: Floats = values.to_numpy(np.float64, na_value=np.nan, copy=True)
    return found

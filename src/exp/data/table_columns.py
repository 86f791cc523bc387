"""A column of a file on its way to numbers, dates or categories, with all that is wrong in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.faults import MOST, rows_text
from exp.data.file_faults import FileFaults, Gap
from exp.data.labels import SURE
from exp.data.reading_settings import LARGEST_NUMBER as LARGEST
from exp.data.reading_settings import Floats, Kind, NaValues, Reading, naming
from exp.data.text_parsing import clue, days, hint, text_of
from exp.util.errors import shown

NUMBERS = ("integer", "floating", "decimal", "mixed-integer-float", "empty")
DATES = ("date", "datetime", "datetime64")
CATEGORIES = "if this column contains categories, name it in `categorical`"


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
        self,
        name: str,
        values: pd.Series,
        typed: bool,
        reading: Reading,
        faults: FileFaults,
    ) -> None:
        self.name, self.given, self.typed = name, values, typed
        self.reading, self.faults = reading, faults
        self.kind = reading.kind(name)
        self.undecided = self.kind is None
        self.advice = CATEGORIES if self.undecided else None
        self.values = values
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
        """Takes what was read as numbers already."""
        if self.typed or self.given.dtype != np.float64:
            return False
        self.values, self.missing = self.given, self.given.isna().to_numpy()
        return True

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
        self.missing = np.isnan(numbers)
        if (stated := np.isin(numbers, self.reading.na.numbers)).any():
            self.missing |= stated
            numbers = np.where(stated, np.nan, numbers)
        for row in np.flatnonzero(np.abs(numbers) > LARGEST)[: MOST + 1].tolist():
            why = "does not fit float32" if np.isfinite(numbers[row]) else "is not finite"
            self._fault(row, f"{numbers[row]} {why}")
        self.values = pd.Series(numbers, self.given.index, copy=False)

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
            return no_date(text, self.reading.date_format(self.name))
        if np.isnan(number):
            why = f" ({clue(text) or self.advice})" if self.advice else ""
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


def no_date(text: str, form: str | None) -> str:
    how = f"as {form}" if form else "as YYYY-MM-DD or YYYY-MM-DD hh:mm:ss"
    return f"{shown(text)} is not a date written {how}"


def gaps_of(
    name: str, values: pd.Series, missing: NDArray[np.bool_], words: dict[str, int]
) -> Iterator[Gap]:
    """The missing values of a column, if there are any."""
    if missing.any():
        yield Gap(name, int(missing.sum()), int(values.index[missing.argmax()]), words)


def numbers_of(values: pd.Series) -> Floats:
    """Numbers of any type as float64, NaN where they are missing; float32 as it is."""
    if values.dtype == np.float32:
        narrow: Floats = values.to_numpy()
        return narrow
    found: Floats = values.to_numpy(np.float64, na_value=np.nan)
    return found

"""The columns of a csv file, typed while the file is read, so that its texts are never in memory
together: a number takes 8 bytes, and of other columns each different text is kept once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.reading_settings import LARGEST_NUMBER, Floats, Reading


class Coded:
    """A column of texts: each different one once, and a number for each row."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.parts: list[NDArray[np.int32]] = []

    def add(self, texts: Sequence[str]) -> None:
        places = self.places
        codes = [places.setdefault(text, len(places)) for text in texts]
        self.parts.append(np.array(codes, np.int32))

    def series(self, lines: pd.Index) -> pd.Series:
        codes = np.concatenate([np.empty(0, np.int32), *self.parts])
        self.parts.clear()
        texts = pd.Categorical.from_codes(codes, pd.Index(list(self.places), dtype=object))
        return pd.Series(texts, lines, copy=False)


class CsvColumns:
    """Some columns of a csv file.

    Args:
        places: of the columns among the fields of a row, by name.
        numeric: columns that are taken for numbers as long as they contain nothing else but missing
            values.
        reading: how fields are read.

    Attributes:
        late: columns whose first rows were taken for numbers before another text came: their texts
            are gone, and the file has to be read again for them.
    """

    def __init__(self, places: Mapping[str, int], numeric: Iterable[str], reading: Reading) -> None:
        self.places, self.na = dict(places), reading.na
        self.numbers: dict[str, list[Floats]] = {name: [] for name in numeric}
        self.texts = {name: Coded() for name in places if name not in self.numbers}
        self.late: list[str] = []

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Takes in some rows of fields, whole ones."""
        names = list(self.numbers)
        places = [self.places[name] for name in names]
        fields = np.array([[row[at] for row in rows] for at in places], object)
        found = np.asarray(pd.to_numeric(fields.reshape(-1), errors="coerce"), np.float64)
        found = found.reshape(len(names), len(rows))
        other = ~(np.abs(found) <= LARGEST_NUMBER)
        if len(self.na.numbers):
            other |= np.isin(found, self.na.numbers)
        for at, name in enumerate(names):
            if not other[at].any():
                self.numbers[name].append(found[at].copy())
                continue
            texts = set(map(str.strip, fields[at, other[at]].tolist()))
            if all(text in self.na for text in texts):
                found[at, other[at]] = np.nan
                self.numbers[name].append(found[at].copy())
                continue
            if self.numbers.pop(name):
                self.late.append(name)
            else:
                self.texts[name] = Coded()
        for name, column in self.texts.items():
            at = self.places[name]
            column.add([row[at] for row in rows])

    def series(self, lines: pd.Index) -> dict[str, pd.Series]:
        """The columns by name, but those of `late`: float64 with NaN for missing values, or the
        different texts as a categorical.

        Args:
            lines: of the rows.
        """
        found: dict[str, pd.Series] = {}
        for name in list(self.numbers):
            parts = self.numbers.pop(name)
            found[name] = pd.Series(np.concatenate([np.empty(0), *parts]), lines, copy=False)
        return found | {name: column.series(lines) for name, column in self.texts.items()}

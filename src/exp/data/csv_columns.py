"""The columns of a csv file, typed while the file is read, so that its texts are never in memory
together: a number takes 8 bytes, and of other columns each different text is kept once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from exp.data.reading_settings import LARGEST_NUMBER, Floats, Reading


class Coded:
    """A column of texts: each different one once, and a number for each row.

    Args:
        most: rows, at most.
    """

    def __init__(self, most: int) -> None:
        self.places: dict[str, int] = {}
        self.codes = np.empty(most, np.int32)

    def add(self, start: int, texts: Sequence[str]) -> None:
        """Takes in some rows, from this one on."""
        places = self.places
        self.codes[start : start + len(texts)] = [
            places.setdefault(text, len(places)) for text in texts
        ]

    def series(self, lines: pd.Index) -> pd.Series:
        texts = pd.Index(list(self.places), dtype=object)
        codes = pd.Categorical.from_codes(self.codes[: len(lines)], texts)
        return pd.Series(codes, lines, copy=False)


class CsvColumns:
    """Some columns of a csv file.

    Args:
        places: of the columns among the fields of a row, by name.
        numeric: columns that are taken for numbers as long as they contain nothing else but missing
            values.
        reading: how fields are read.
        most: rows of the file, at most. Each column gets room for all of them at once: memory that
            is not written to costs nothing, and pieces would leave holes when they are joined.

    Attributes:
        rows: how many have been taken in.
        late: columns whose first rows were taken for numbers before another text came: their texts
            are gone, and the file has to be read again for them.
    """

    def __init__(
        self, places: Mapping[str, int], numeric: Iterable[str], reading: Reading, most: int
    ) -> None:
        self.places, self.na, self.most = dict(places), reading.na, most
        self.numbers: dict[str, Floats] = {name: np.empty(most) for name in numeric}
        self.texts = {name: Coded(most) for name in places if name not in self.numbers}
        self.rows = 0
        self.late: list[str] = []

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Takes in some rows of fields, whole ones."""
        names, part = list(self.numbers), slice(self.rows, self.rows + len(rows))
        places = [self.places[name] for name in names]
        fields = np.array([[row[at] for row in rows] for at in places], object)
        found = np.asarray(pd.to_numeric(fields.reshape(-1), errors="coerce"), np.float64)
        found = found.reshape(len(names), len(rows))
        other = ~(np.abs(found) <= LARGEST_NUMBER)
        if len(self.na.numbers):
            other |= np.isin(found, self.na.numbers)
        for at, name in enumerate(names):
            if other[at].any():
                texts = set(map(str.strip, fields[at, other[at]].tolist()))
                if not all(text in self.na for text in texts):
                    del self.numbers[name]
                    if self.rows:
                        self.late.append(name)
                    else:
                        self.texts[name] = Coded(self.most)
                    continue
                found[at, other[at]] = np.nan
            self.numbers[name][part] = found[at]
        for name, column in self.texts.items():
            at = self.places[name]
            column.add(self.rows, [row[at] for row in rows])
        self.rows += len(rows)

    def series(self, lines: pd.Index) -> dict[str, pd.Series]:
        """The columns by name, but those of `late`: float64 with NaN for missing values, or the
        different texts as a categorical.

        Args:
            lines: of the rows.
        """
        found = {
            name: pd.Series(numbers[: len(lines)], lines, copy=False)
            for name, numbers in self.numbers.items()
        }
        return found | {name: column.series(lines) for name, column in self.texts.items()}

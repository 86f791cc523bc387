"""Categories and gaps as numbers, as scikit-learn's transformers are fitted on the training rows.

A column of numbers stays one column, its gaps filled with the training rows' median. A column of
categories becomes one column of 0 and 1 for each category of the training rows, its gaps filled
with the most frequent one. A category that only other rows have is 0 in all of them; where rare
categories share a column (`Data.max_categories`), it counts as one of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exp.data.faults import raise_any, repeated
from exp.data.labels import key
from exp.util.errors import DataError, shown

if TYPE_CHECKING:
    from exp.data.dataset import Data, Floats

RARE = "(rare)"
"""The name of the category that rare ones share."""
MISSING = "(missing)"
"""The name of the category of missing values, and of the column that says where a number is
missing."""
LARGEST = 512 << 20
"""Bytes of encoded rows that are made without `max_categories`; a run needs them several times."""


@dataclass(frozen=True, eq=False)
class EncodedColumn:
    """A column of the data, and how it becomes numbers.

    Attributes:
        name, unit: of the column.
        fill: the number, or the code of a category, that stands for a missing value; None: no value
            may be missing.
        categories: those of the training rows; None: it is a column of numbers.
        rare: those of them that share a category.
        codes: the number of each category in the data, in the order of `categories`.
        marks: whether the last encoded column is 1 where the value is missing.
        note: which are rare; "" where none are.
    """

    name: str
    unit: str | None
    fill: float | None = None
    categories: tuple[str, ...] | None = None
    rare: frozenset[str] = frozenset()
    codes: tuple[int, ...] = ()
    marks: bool = False
    note: str = ""

    @classmethod
    def fit(cls, data: Data, at: int, train: NDArray[np.int64]) -> EncodedColumn:
        """The encoding of one column, from the rows `train`."""
        from sklearn import impute, preprocessing  # takes most of a second

        name, texts = data.features[at], data.categories[at] if data.categories else None
        column = data.X[train, at : at + 1].astype(np.float64)
        fill = None
        indicates = data.reading is not None and data.reading.missing == "indicate"
        marks = indicates and bool(np.isnan(column).any())
        if data.gaps:
            # Fitted on every column: rows that come later may have gaps in any.
            strategy = "median" if texts is None else "most_frequent"
            imputer = impute.SimpleImputer(strategy=strategy).fit(column)
            column, fill = imputer.transform(column), float(imputer.statistics_[0])
        if texts is None:
            return cls(name, data.units[at], fill, marks=marks)
        encoder = preprocessing.OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=data.max_categories
        ).fit(column)
        known = [int(code) for code in encoder.categories_[0]]
        (few,) = getattr(encoder, "infrequent_categories_", [None])
        rare = [] if few is None else [texts[int(code)] for code in few]
        note = ""
        if rare:
            rows = int(np.isin(column, few).sum())
            listed = ", ".join(shown(text, 40) for text in rare[:5])
            more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
            note = (
                f"column {shown(name)}: the {len(rare)} rarest of {len(known)} "
                f"categories share the column {shown(f'{name}={RARE}')}. They occur in "
                f"{rows} of {len(column)} training rows ({listed}{more})"
            )
        named = tuple(texts[code] for code in known)
        return cls(name, None, fill, named, frozenset(rare), tuple(known), marks, note)

    @property
    def names(self) -> list[str]:
        """A name for each encoded column: `colour=red` for one of a category."""
        more = [f"{self.name}={MISSING}"] if self.marks else []
        if self.categories is None:
            return [self.name, *more]
        kept = [text for text in self.categories if text not in self.rare]
        texts = (*kept, *([RARE] if self.rare else []))
        return [*(f"{self.name}={text}" for text in texts), *more]

    @property
    def of_missing(self) -> int:
        """Which of its encoded columns is 1 for a missing category."""
        if self.marks:
            return len(self.names) - 1
        return int(self.places[int(self.fill or 0)])

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """Which of its encoded columns is 1 for each category of the data, and last for one that
        the data do not have; -1: none."""
        kept = [
            c for c, t in zip(self.codes, self.categories or (), strict=True) if t not in self.rare
        ]
        found = np.full(max(self.codes, default=-1) + 2, len(kept) if self.rare else -1)
        found[list(kept)] = np.arange(len(kept))
        return found

    def write(self, column: Floats, out: Floats) -> None:
        """Values [rows] as they came, as numbers [rows, encoded columns] in an array of zeros."""
        gaps = np.isnan(column)
        there = column if self.fill is None else np.where(gaps, self.fill, column)
        if self.marks:
            out[:, -1] = gaps
        if self.categories is None:
            out[:, 0] = there
            return
        places = self.places[np.minimum(there, len(self.places) - 1).astype(np.intp)]
        rows = np.flatnonzero((places >= 0) & ~(gaps & self.marks))
        out[rows, places[rows]] = 1

    def unknown(self, there: Sequence[str], what: str) -> Iterator[str]:
        """A sentence where rows have categories that the training rows lack.

        Args:
            there: the categories of rows, missing ones left out.
            what: the rows.
        """
        categories = self.categories or ()
        known = {key(text) for text in categories}
        strange = [text for text in there if key(text) not in known]
        if not strange:
            return
        listed = ", ".join(shown(text, 40) for text in list(dict.fromkeys(strange))[:5])
        means = (
            "they are treated as rare categories"
            if self.rare
            else "all encoded columns are 0 in these rows"
        )
        if len(strange) < len(there):
            yield (
                f"column {shown(self.name)}: {len(strange)} of {len(there)} {what} have a category "
                f"that no training row has ({listed}); {means}"
            )
            return
        example = ", ".join(shown(text, 40) for text in categories[:5])
        yield (
            f"column {shown(self.name)}: the {what} and the training rows have no "
            f"category in common, so the column carries no information there ({listed} "
            f"and so on; the training rows have {example} and so on); {means}"
        )


@dataclass(frozen=True, eq=False)
class Encoding:
    """How each column of the data becomes numbers.

    Attributes:
        columns: one for each column of the data.
        notes: what a user should know of it.
    """

    columns: tuple[EncodedColumn, ...]
    notes: tuple[str, ...]

    @classmethod
    def fit(cls, data: Data, train: NDArray[np.int64]) -> Encoding:
        """The encoding of `data`, from its rows `train`.

        Raises:
            DataError: a column without any value in the training rows, names that clash, or more
                encoded columns than there is room for.
        """
        columns = range(data.X.shape[1])
        gone = [at for at in columns if data.gaps and np.isnan(data.X[train, at]).all()]
        empty = [
            f"column {shown(data.features[at])} has no value in the training rows" for at in gone
        ]
        raise_any(empty, "dataset.missing=impute")
        fits = tuple(EncodedColumn.fit(data, at, train) for at in columns)
        found = cls(fits, tuple(column.note for column in fits if column.note))
        clash = [f"two columns would be called {shown(name)}" for name in repeated(found.names)]
        raise_any(clash, "encoding")
        if data.max_categories is None:
            found.check_size(len(data.X))
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each encoded column."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def units(self) -> tuple[str | None, ...]:
        """A unit for each encoded column."""
        pairs = [(column, at) for column in self.columns for at in range(len(column.names))]
        return tuple(column.unit if at == 0 else None for column, at in pairs)

    @property
    def of_numbers(self) -> NDArray[np.bool_]:
        """[columns] whether a column of the data contains numbers."""
        return np.array([column.categories is None for column in self.columns], bool)

    def part(self, columns: NDArray[np.intp]) -> Encoding:
        """The encoding of some columns of the data."""
        return Encoding(tuple(self.columns[at] for at in columns.tolist()), ())

    @property
    def indicator(self) -> NDArray[np.bool_]:
        """[encoded columns] whether a column is one of 0 and 1 made of categories or gaps."""
        pairs = [(column, at) for column in self.columns for at in range(len(column.names))]
        return np.array([column.categories is not None or at > 0 for column, at in pairs])

    def __call__(self, X: Floats) -> Floats:
        """Rows as they came, [rows, features], as numbers [rows, encoded columns]."""
        out: Floats = np.zeros((len(X), len(self.names)), X.dtype)
        start = 0
        for at, encoded in enumerate(self.columns):
            end = start + len(encoded.names)
            encoded.write(X[:, at], out[:, start:end])
            start = end
        return out

    def with_notes(self, data: Data, parts: Mapping[str, NDArray[np.int64]]) -> Encoding:
        """The same, with a note for each column of which rows have categories that the training
        rows do not have.

        Args:
            parts: rows by what they are for.
        """
        notes = list(self.notes)
        for part in [name for name in parts if name != "train"]:
            values = {}
            for at, texts in enumerate(data.categories):
                if texts is not None:
                    codes = data.X[parts[part], at]
                    values[data.features[at]] = [texts[int(n)] for n in codes[~np.isnan(codes)]]
            notes += self.unknown(values, f"{part} rows")
        return replace(self, notes=tuple(notes))

    def unknown(self, columns: Mapping[str, Sequence[str]], what: str) -> Iterator[str]:
        """A sentence for each column of which rows have categories that the training rows lack.

        Args:
            columns: the categories of rows by the name of the column, missing ones left out.
            what: the rows.
        """
        for column in self.columns:
            yield from column.unknown(columns.get(column.name, ()), what)

    def check_size(self, rows: int) -> None:
        """
        Raises:
            DataError: so many encoded rows would need more than `LARGEST` bytes.
        """
        size = rows * len(self.names) * 4
        largest = max(self.columns, key=lambda column: len(column.categories or ()))
        count = len(largest.categories or ())
        if size > LARGEST and count > 10:
            raise DataError(
                f"column {shown(largest.name)} has {count} categories: {rows} rows of "
                f"{len(self.names)} encoded columns take {size / 2**30:.1f} GiB per "
                "copy. dataset.max_categories=50 gives the 49 most frequent categories "
                "of a column their own columns; all others share one"
            )

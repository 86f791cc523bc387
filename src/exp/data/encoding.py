"""Categories and gaps as numbers, by scikit-learn's transformers fitted on the training rows.

A column of numbers stays one column, its gaps filled with the training rows' median. A column of
categories becomes one column of 0 and 1 for each category of the training rows, its gaps filled
with the most frequent one. A category that only other rows have is 0 in all of them; where rare
categories share a column (`Data.max_categories`), it counts as one of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exp.data.faults import raise_any, rows_text
from exp.data.labels import key
from exp.util.errors import DataError, shown

if TYPE_CHECKING:
    from exp.data.dataset import Data, Floats

RARE = "(rare)"
"""The name of the category that rare ones share."""
LARGEST = 512 << 20
"""Bytes of encoded rows that are made without `max_categories`; a run needs them several times."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """Transformers fitted on training rows.

    Attributes:
        steps: for each column of the data its transformers, in order.
        names: a name for each encoded column; `colour=red` where it says whether a row is of a
            category.
        units: a unit for each encoded column.
        indicator: [encoded columns] bool, whether a column is one of 0 and 1 made of categories.
        known: for each column of the data the categories of its training rows, or None.
        grouped: whether the rare ones of a column share a category.
        notes: what a user should know of it.
    """

    steps: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...]
    units: tuple[str | None, ...]
    indicator: NDArray[np.bool_]
    known: tuple[tuple[str, ...] | None, ...]
    grouped: tuple[bool, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(cls, data: Data, train: NDArray[np.int64]) -> Encoding:
        """The encoding of `data`, from its rows `train`.

        Raises:
            DataError: a column without any value in the training rows, names that clash, or more
                encoded columns than there is room for.
        """
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder

        steps: list[tuple[Any, ...]] = []
        names: list[str] = []
        units: list[str | None] = []
        indicator: list[bool] = []
        known: list[tuple[str, ...] | None] = []
        grouped: list[bool] = []
        notes: list[str] = []
        categories: Sequence[Sequence[str] | None] = data.categories or (None,) * data.X.shape[1]
        raise_any([*empty(data, train)], "dataset.missing=impute")
        for at, texts in enumerate(categories):
            column = data.X[train, at : at + 1].astype(np.float64)
            fitted: list[Any] = []
            rare: Any = None
            if data.gaps:
                # Fitted on every column: rows that come later may have gaps in any.
                strategy = "median" if texts is None else "most_frequent"
                fitted.append(SimpleImputer(strategy=strategy).fit(column))
                column = fitted[-1].transform(column)
            if texts is None:
                names.append(data.features[at])
                units.append(data.units[at])
                indicator.append(False)
                known.append(None)
            else:
                encoder = OneHotEncoder(
                    handle_unknown="infrequent_if_exist",
                    max_categories=data.max_categories,
                    sparse_output=False,
                    dtype=np.float32,
                ).fit(column)
                fitted.append(encoder)
                codes = encoder.categories_[0]
                (rare,) = getattr(encoder, "infrequent_categories_", [None])
                kept = [texts[int(code)] for code in codes if rare is None or code not in rare]
                if rare is not None:
                    notes.append(rare_ones(data.features[at], column, texts, rare, len(codes)))
                    kept.append(RARE)
                names += [f"{data.features[at]}={text}" for text in kept]
                units += [None] * len(kept)
                indicator += [True] * len(kept)
                known.append(tuple(texts[int(code)] for code in codes))
            grouped.append(rare is not None)
            steps.append(tuple(fitted))
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise_any([f"two columns would be called {shown(name)}" for name in twice], "encoding")
        if data.max_categories is None:
            too_large(data, known, len(names))
        flags = np.array(indicator)
        return cls(
            tuple(steps), tuple(names), tuple(units), flags, tuple(known), tuple(grouped),
            tuple(notes),
        )  # fmt: skip

    def __call__(self, X: Floats) -> Floats:
        """Rows as they came, [rows, features], as numbers [rows, encoded columns]."""
        out: Floats = np.empty((len(X), len(self.names)), X.dtype)
        start = 0
        for at, fitted in enumerate(self.steps):
            column = X[:, at : at + 1].astype(np.float64)
            for step in fitted:
                column = step.transform(column)
            out[:, start : start + column.shape[1]] = column
            start += column.shape[1]
        return out

    def noting(self, data: Data, parts: Mapping[str, NDArray[np.int64]]) -> Encoding:
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
            notes += self.unknown(data, values, f"{part} rows")
        return replace(self, notes=tuple(notes))

    def unknown(self, data: Data, columns: Mapping[str, Sequence[str]], what: str) -> Iterator[str]:
        """A sentence for each column of which rows have categories that the training rows lack.

        Args:
            columns: the categories of rows by the name of the column, missing ones left out.
            what: the rows.
        """
        for name, there in columns.items():
            at = data.features.index(name)
            known = {key(text) for text in self.known[at] or ()}
            strange = [value for value in there if key(value) not in known]
            if not strange:
                continue
            listed = ", ".join(shown(text, 40) for text in list(dict.fromkeys(strange))[:5])
            means = (
                "they count as rare ones" if self.grouped[at] else "all its columns are 0 for them"
            )
            if len(strange) == len(there):
                example = ", ".join(shown(text, 40) for text in (self.known[at] or ())[:5])
                yield (
                    f"column {shown(name)}: no category of the {what} is one of the training rows, "
                    f"so the column carries no information there ({listed} and so on; the training "
                    f"rows have {example} and so on); {means}"
                )
            else:
                yield (
                    f"column {shown(name)}: {len(strange)} of {len(there)} {what} have a category "
                    f"that no training row has ({listed}); {means}"
                )


def rare_ones(
    name: str, column: NDArray[Any], texts: Sequence[str], rare: NDArray[Any], total: int
) -> str:
    """What is grouped in a column of codes [training rows, 1]."""
    rows = int(np.isin(column, rare).sum())
    listed = ", ".join(shown(texts[int(code)], 40) for code in rare[:5].tolist())
    more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
    made = shown(f"{name}={RARE}")
    return (
        f"column {shown(name)}: the {len(rare)} rarest of {total} categories share one column, "
        f"{made}, {rows_text(rows)} of {len(column)} training rows ({listed}{more})"
    )


def too_large(data: Data, known: Sequence[Sequence[str] | None], columns: int) -> None:
    """
    Raises:
        DataError: the encoded rows would need more than `LARGEST` bytes.
    """
    size = len(data.X) * columns * 4
    if size <= LARGEST:
        return
    counts = {name: len(each or ()) for name, each in zip(data.features, known, strict=True)}
    if not (largest := max(counts, key=lambda name: counts[name])) or counts[largest] <= 10:
        return
    raise DataError(
        f"column {shown(largest)} has {counts[largest]} categories: {len(data.X)} rows of "
        f"{columns} encoded columns take {size / 2**30:.1f} GiB, several times. "
        "dataset.max_categories=50 keeps the 49 most frequent categories of a column and lets the "
        "others share one"
    )


def empty(data: Data, train: NDArray[np.int64]) -> list[str]:
    """A fault for each column that has no value in the training rows."""
    gone = np.isnan(data.X[train]).all(axis=0)
    return [
        f"column {shown(data.features[at])} has no value in the training rows"
        for at in np.flatnonzero(gone).tolist()
    ]

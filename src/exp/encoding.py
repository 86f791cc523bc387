"""Categories and gaps as numbers, by scikit-learn's transformers fitted on the training rows.

A column of numbers stays one column, its gaps filled with the training rows' median. A column of
categories becomes one column of 0 and 1 for each category met in the training rows, its gaps filled
with the most frequent one; a category that is met only later is 0 in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data import Data
from exp.datafaults import raise_any
from exp.errors import shown

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Encoding:
    """Transformers fitted on training rows.

    Attributes:
        steps: for each column of the data its transformers, in order.
        names: a name for each encoded column; `colour=red` where it says whether a category is met.
        units: a unit for each encoded column.
        indicator: [encoded columns] bool, whether a column is one of 0 and 1 made of categories.
    """

    steps: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...]
    units: tuple[str | None, ...]
    indicator: NDArray[np.bool_]

    @classmethod
    def fit(cls, data: Data, train: NDArray[np.int64]) -> Encoding:
        """The encoding of `data`, from its rows `train`.

        Raises:
            DataError: a column without any value in the training rows, or names that clash.
        """
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder

        steps: list[tuple[Any, ...]] = []
        names: list[str] = []
        units: list[str | None] = []
        indicator: list[bool] = []
        categories: Sequence[Sequence[str] | None] = data.categories or (None,) * data.X.shape[1]
        raise_any([*empty(data, train)], "dataset.missing=impute")
        for at, texts in enumerate(categories):
            column = data.X[train, at : at + 1].astype(np.float64)
            fitted: list[Any] = []
            if data.gaps:
                # Fitted on every column: rows that come later may have gaps in any.
                strategy = "median" if texts is None else "most_frequent"
                fitted.append(SimpleImputer(strategy=strategy).fit(column))
                column = fitted[-1].transform(column)
            if texts is None:
                names.append(data.features[at])
                units.append(data.units[at])
                indicator.append(False)
            else:
                fitted.append(OneHotEncoder(handle_unknown="ignore", sparse_output=False))
                fitted[-1].fit(column)
                met = [texts[int(code)] for code in fitted[-1].categories_[0]]
                names += [f"{data.features[at]}={text}" for text in met]
                units += [None] * len(met)
                indicator += [True] * len(met)
            steps.append(tuple(fitted))
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise_any([f"two columns would be called {shown(name)}" for name in twice], "encoding")
        return cls(tuple(steps), tuple(names), tuple(units), np.array(indicator))

    def __call__(self, X: Floats) -> Floats:
        """Rows as they came, [rows, features], as numbers [rows, encoded columns]."""
        parts = []
        for at, fitted in enumerate(self.steps):
            column = X[:, at : at + 1].astype(np.float64)
            for step in fitted:
                column = step.transform(column)
            parts.append(column.astype(np.float32))
        return np.ascontiguousarray(np.concatenate(parts, axis=1))


def empty(data: Data, train: NDArray[np.int64]) -> list[str]:
    """A fault for each column that has no value in the training rows."""
    gone = np.isnan(data.X[train]).all(axis=0)
    return [
        f"column {shown(data.features[at])} has no value in the training rows"
        for at in np.flatnonzero(gone).tolist()
    ]

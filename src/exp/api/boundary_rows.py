"""Rows of any kind, and the plane in which `exp.plot_boundary` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.api.any_model import array
from exp.fitting.frames import pandas_frame
from exp.plotting.plane import Limits, Plane
from exp.util.errors import ExpError, shown, unknown


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in their plane.

    Attributes:
        given: as the model gets them: a matrix of float64 or a DataFrame.
        values: [rows, features] float64, the columns that are numbers.
        names: of these columns.
        plane: through `(values - mean) / scale`.
        mean, scale: [features]: 0 and 1 where the axes are features; otherwise those of `values`,
            so that no unit decides which features count.
    """

    given: Any
    values: NDArray[np.float64]
    names: list[str]
    plane: Plane
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """[rows, 2], where the rows lie in the plane."""
        return self.plane.project((self.values - self.mean) / self.scale)

    @cached_property
    def limits(self) -> Limits:
        return self.plane.limits((self.values - self.mean) / self.scale, fine=True)

    def grid(self, resolution: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Any]:
        """`xs [G]`, `ys [G]`, and the points of the grid as such rows as the model gets; a column
        that is no number has its most frequent value everywhere."""
        xs, ys, points = self.plane.grid(self.limits, resolution, fine=True)
        points = points * self.scale + self.mean
        if not isinstance(self.given, pd.DataFrame):
            return xs, ys, points
        columns = dict(zip(self.names, points.T, strict=True))
        whole = {}
        for name in self.given.columns:
            often = self.given[name].mode()
            constant = often.iloc[0] if len(often) else None
            whole[name] = columns.get(str(name), np.full(len(points), constant))
        return xs, ys, pd.DataFrame(whole)


def rows_of(X: Any, features: Sequence[str] | None) -> Rows:
    """Rows with their plane: both features that there are, the two that are chosen, or the first
    two principal components.

    Raises:
        ExpError: they are no table of numbers, a number is missing, or there is no such feature.
    """
    if isinstance(X, pd.DataFrame) or hasattr(X, "columns"):
        given: Any = X if isinstance(X, pd.DataFrame) else pandas_frame(X)
        kept = given.select_dtypes(["number", "bool"])
        others = [str(name) for name in given.columns if name not in kept.columns]
        names, values = (
            [str(name) for name in kept.columns],
            kept.to_numpy(np.float64, na_value=np.nan),
        )
        if others and features is None:
            some = ", ".join(names) or "none"
            raise ExpError(
                f"X: column {shown(others[0])} contains texts. Choose two columns of numbers with "
                f"features=[...]. There are: {some}"
            )
    else:
        try:
            values = given = array(X).astype(np.float64)
        except (TypeError, ValueError):
            raise ExpError("X: expected numbers; for texts give a DataFrame") from None
        if values.ndim != 2:
            raise ExpError(f"X: expected rows [rows, features], found shape {list(values.shape)}")
        names = [f"x{at + 1}" for at in range(values.shape[1])]
    if not values.size:
        raise ExpError(f"X: expected at least one row and one column, found {list(values.shape)}")
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0].tolist()
        raise ExpError(f"X: row {row} has no finite number in column {shown(names[column])}")
    mean, scale = np.zeros(len(names)), np.ones(len(names))
    if features is not None:
        plane = Plane.of_features(values, names, None, chosen(features, names))
    else:
        if len(names) > 2:
            mean, scale = values.mean(axis=0), values.std(axis=0)
            scale[scale == 0] = 1.0
        plane = Plane.fit((values - mean) / scale, names)
    return Rows(given, values, names, plane, mean, scale)


def chosen(features: Sequence[str], names: list[str]) -> list[str]:
    """The two features that are axes.

    Raises:
        ExpError: there is no such feature, or not two of them.
    """
    found = [features] if isinstance(features, str) else list(map(str, features))
    for name in found:
        if name not in names:
            raise ExpError(f"features: {unknown('column', name, names, 'There are')}")
    if len(found) != 2 or found[0] == found[1]:
        raise ExpError(f"features: expected two columns, found {shown(features)}")
    return found

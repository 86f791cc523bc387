"""Feature maps that are fitted on the training rows, column by column.

Both maps are made of clipped lines, `clip((x - start) / size, low, high)`, so that a model can
contain them (`exp.components.models.column_maps`). A column with at most two different values, such
as an encoded category, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from exp.data.feature_map import FeatureMap
from exp.registry.registry import register

Floats = NDArray[np.float64]
Bins = Annotated[int, Field(ge=1, le=1000)]
Quantiles = Annotated[int, Field(ge=2, le=1000)]


@register.features("quantile")
def quantile(
    names: Sequence[str], seed: int, *, n_quantiles: Quantiles = 64, training_rows: Floats
) -> FeatureMap:
    """Each column by its quantiles, so that it is normally distributed over the training rows.

    As scikit-learn's `QuantileTransformer(output_distribution="normal")`, with two differences:
    the outermost values become the quantiles 1 / (2 n) and 1 - 1 / (2 n), not -5.2 and 5.2, and
    columns with at most two different values stay as they are.

    Args:
        names: names of the features.
        seed: not used.
        n_quantiles: number n of quantiles of the training rows; values between them are
            interpolated.
        training_rows: [training rows, features].
    """
    levels = np.linspace(0, 1, n_quantiles)
    clipped = np.clip(levels, 0.5 / n_quantiles, 1 - 0.5 / n_quantiles)
    scores = np.array([NormalDist().inv_cdf(level) for level in clipped.tolist()])
    shape = (len(names), n_quantiles - 1)
    start, low, step = np.zeros((3, *shape))
    size, high = np.ones((2, *shape))
    base = np.zeros(len(names))
    for at, column in enumerate(training_rows.astype(np.float64).T):
        if few_values(column):
            low[at, 0], high[at, 0], step[at, 0] = -np.inf, np.inf, 1.0
            continue
        knots, place = np.unique(rounded(np.quantile(column, levels)), return_inverse=True)
        # Equal quantiles are one knot, with the mean of their scores.
        heights = np.bincount(place, scores) / np.bincount(place)
        count = len(knots) - 1
        start[at, :count], size[at, :count] = knots[:-1], rounded(np.diff(knots))
        step[at, :count], base[at] = rounded(np.diff(heights)), rounded(heights[0])

    def function(X: Floats) -> Floats:
        total = np.tile(base, (len(X), 1))
        for n in range(n_quantiles - 1):
            total += np.clip((X - start[:, n]) / size[:, n], low[:, n], high[:, n]) * step[:, n]
        return total

    arrays = {"start": start, "size": size, "low": low, "high": high, "step": step, "base": base}
    return FeatureMap("quantile", tuple(names), function, arrays)


@register.features("piecewise")
def piecewise(
    names: Sequence[str], seed: int, *, bins: Bins = 8, training_rows: Floats
) -> FeatureMap:
    """Each column as one feature per bin: 1 above the bin, 0 below it, a line inside it.

    Source: Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning",
    with bins between quantiles. The line of the first bin goes on below it, that of the last bin
    above it. A column with at most two different values stays as it is.

    Args:
        names: names of the features.
        seed: not used.
        bins: largest number of bins of a column; equal quantiles make fewer.
        training_rows: [training rows, features].
    """
    lines: list[tuple[float, ...]] = []
    made: list[str] = []
    for at, column in enumerate(training_rows.astype(np.float64).T):
        if few_values(column):
            lines.append((at, 0.0, 1.0, -np.inf, np.inf))
            made.append(names[at])
            continue
        knots = np.unique(rounded(np.quantile(column, np.linspace(0, 1, bins + 1))))
        last = len(knots) - 2
        for n, (begin, end) in enumerate(pairwise(knots)):
            below, above = 0.0 if n else -np.inf, 1.0 if n < last else np.inf
            lines.append((at, begin, rounded(end - begin), below, above))
            made.append(f"{names[at]} bin {n + 1}")
    column, start, size, low, high = np.array(lines).T
    taken = column.astype(np.int64)

    def function(X: Floats) -> Floats:
        clipped: Floats = np.clip((X[:, taken] - start) / size, low, high)
        return clipped

    arrays = {"column": taken, "start": start, "size": size, "low": low, "high": high}
    return FeatureMap("piecewise", tuple(made), function, arrays)


def rounded(values: Any) -> Any:
    """Numbers that float32 holds, since a model does."""
    return np.float64(np.float32(values))


def few_values(column: Floats) -> bool:
    """Whether a column [rows] has at most two different values."""
    least = column.min()
    return len(np.unique(column[column > least])) <= 1

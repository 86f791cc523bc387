"""Means and scales of features, and rows on these scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exp.data.dataset import Floats, noise
from exp.data.faults import not_finite, raise_any


def fitted(
    rows: Floats, weights: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation [features] of `rows` [rows, features], computed in float64.

    Args:
        weights: [rows] how much each row counts; None: all the same.
    """
    if weights is None:
        mean = rows.mean(axis=0, dtype=np.float64)
        scale = rows.std(axis=0, dtype=np.float64)
    else:
        shares = weights.astype(np.float64) / weights.sum(dtype=np.float64)
        mean = shares @ rows.astype(np.float64)
        scale = np.sqrt(shares @ np.square(rows - mean))
    # By its range, as rounding leaves a constant feature a deviation that is not quite zero.
    constant = rows.max(axis=0) == rows.min(axis=0)
    if rows.dtype == np.float64:
        constant |= scale <= noise(rows)
    mean[constant] = rows[0, constant]
    scale[constant | (scale == 0)] = 1.0
    return mean, scale


def ranged(rows: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest value and range [features] of `rows` [rows, features]; the range of a constant is 1.

    Source: scikit-learn's `MinMaxScaler`.
    """
    low = rows.min(axis=0).astype(np.float64)
    scale = rows.max(axis=0) - low
    scale[scale == 0] = 1.0
    return low, scale


def standardized(
    X: Floats,
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    features: Sequence[str],
) -> NDArray[np.float32]:
    """(X - mean) / scale, computed in float64 a column at a time, which keeps the memory low."""
    out = np.empty(X.shape, np.float32)
    with np.errstate(over="ignore"):
        for column in range(X.shape[1]):
            out[:, column] = (X[:, column] - mean[column]) / scale[column]
    raise_any([*not_finite(out, X, features)], "standardizing")
    return out

"""Raw rows for a trained model: arrays and tables that a user holds, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.datafaults import not_finite, raise_any, real
from exp.errors import DataError, shown, unknown


def raw_rows(X: Any, features: Sequence[str]) -> NDArray[np.float32]:
    """Rows `[rows, features]` float32, as a data set has them before any preparation.

    Args:
        X: anything that NumPy takes for a matrix of numbers, columns in the order of `features`;
            of a DataFrame the columns are taken by name, in any order, and others are left out.
        features: names of the columns.

    Raises:
        DataError: naming what does not fit.
    """
    if hasattr(X, "columns") and hasattr(X, "to_numpy"):
        known = [str(name) for name in X.columns]
        missing = [name for name in features if name not in known]
        raise_any([unknown("column", name, known, "There are") for name in missing], "X")
        X = X[list(features)].to_numpy()
    given = real(X, "X")
    if given.ndim != 2 or given.shape[1] != len(features):
        listing = shown(", ".join(features))
        wanted = f"expected [rows, {len(features)}], the features {listing}"
        raise DataError(f"X has shape {list(given.shape)}, {wanted}")
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(given, dtype=np.float32)
    raise_any([*not_finite(cast, given, features)], "X cannot be used")
    return cast

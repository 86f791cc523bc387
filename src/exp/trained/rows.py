"""Raw rows for a trained model: arrays and tables that a user holds, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data import Data
from exp.datafaults import not_finite, raise_any, real
from exp.errors import DataError, shown, unknown
from exp.table import written


def raw_rows(X: Any, data: Data) -> NDArray[np.float32]:
    """Rows `[rows, features]` float32, as a data set has them before any preparation.

    Args:
        X: anything that NumPy takes for a matrix, columns in the order of the data's features; of a
            DataFrame the columns are taken by name, in any order, and others are left out. Columns
            of categories hold their texts, all others numbers.
        data: says which features there are, their categories, and whether values may be missing.

    Raises:
        DataError: naming what does not fit.
    """
    features = data.features
    if hasattr(X, "columns") and hasattr(X, "to_numpy"):
        known = [str(name) for name in X.columns]
        missing = [name for name in features if name not in known]
        raise_any([unknown("column", name, known, "There are") for name in missing], "X")
        X = X[list(features)].to_numpy()
    given = coded(X, data) if any(data.categories) else real(X, "X")
    if given.ndim != 2 or given.shape[1] != len(features):
        listing = shown(", ".join(features))
        wanted = f"expected [rows, {len(features)}], the features {listing}"
        raise DataError(f"X has shape {list(given.shape)}, {wanted}")
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(given, dtype=np.float32)
    whole = np.nan_to_num(cast, posinf=np.inf, neginf=-np.inf) if data.gaps else cast
    raise_any([*not_finite(whole, given, features)], "X cannot be used")
    return cast


def coded(X: Any, data: Data) -> NDArray[np.float64]:
    """A matrix in which categories are their places among the data's; one that the data does not
    have comes behind them all, where no encoding knows it.

    Raises:
        DataError: a number is none.
    """
    given = np.array(X, dtype=object)
    if given.ndim != 2 or given.shape[1] != len(data.categories):
        return np.zeros(given.shape)
    columns = []
    for at, texts in enumerate(data.categories):
        values = given[:, at].tolist()
        if texts is None:
            try:
                columns.append(np.array(values, dtype=object).astype(np.float64))
            except (TypeError, ValueError) as error:
                raise DataError(f"X, column {shown(data.features[at])}: {error}") from error
            continue
        places = {text: place for place, text in enumerate(texts)}
        codes = [
            np.nan if text is None else places.get(text, len(texts)) for text in written(values)
        ]
        columns.append(np.array(codes, np.float64))
    return np.column_stack(columns)

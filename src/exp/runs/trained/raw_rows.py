"""Raw rows for a trained model: arrays and tables that a user holds, checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from exp.data.cells import absent, days, days_of, key, written
from exp.data.dataset import Data, Floats
from exp.data.faults import not_finite, raise_any, real
from exp.util.errors import DataError, shown, unknown


def raw_rows(X: Any, data: Data) -> Floats:
    """Rows `[rows, features]`, as a data set has them before any preparation.

    Args:
        X: anything that NumPy takes for a matrix, columns in the order of the data's features; of a
            DataFrame the columns are taken by name, in any order, and others are left out. Columns
            of categories hold their texts, columns of dates dates (or days since 1970-01-01), all
            others numbers.
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
    given: Any = coded(X, data) if any(data.categories) or dates_of(data) else real(X, "X")
    if given.ndim != 2 or given.shape[1] != len(features):
        listing = shown(", ".join(features))
        wanted = f"expected [rows, {len(features)}], the features {listing}"
        raise DataError(f"X has shape {list(given.shape)}, {wanted}")
    with np.errstate(over="ignore"):
        whole = np.asarray(given, dtype=np.float32)
    if data.gaps:
        whole = np.nan_to_num(whole, posinf=np.inf, neginf=-np.inf)
    raise_any([*not_finite(whole, given, features)], "X cannot be used")
    cast: Any = np.ascontiguousarray(given, dtype=data.X.dtype)
    return cast  # type: ignore[no-any-return]


def dates_of(data: Data) -> dict[str, str | None]:
    """The columns of dates, and the format of each (None: ISO 8601)."""
    reading = data.reading
    if reading is None:
        return {}
    return {name: reading.form(name) for name, kind in reading.kinds.items() if kind == "date"}


def coded(X: Any, data: Data) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A matrix in which categories are their places among the data's and dates are days; a category
    that the data do not have comes behind them all, where no encoding knows it.

    Raises:
        DataError: a number or a date is none.
    """
    given = np.array(X, dtype=object)
    if given.ndim != 2 or given.shape[1] != len(data.features):
        return np.zeros(given.shape)
    dates = dates_of(data)
    columns = []
    for at, texts in enumerate(data.categories or (None,) * len(data.features)):
        name, values = data.features[at], given[:, at].tolist()
        if texts is not None:
            columns.append(places(values, texts))
        else:
            values = [np.nan if absent(value) else value for value in values]
            if name in dates:
                values = [as_days(value, name, dates[name]) for value in values]
            try:
                columns.append(np.array(values, dtype=object).astype(np.float64))
            except (TypeError, ValueError) as error:
                raise DataError(f"X, column {shown(name)}: {error}") from error
    return np.column_stack(columns)


def places(values: Sequence[Any], texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The places [rows] of categories among these texts, NaN where they are missing."""
    known = {key(text): place for place, text in enumerate(texts)}
    codes = [
        np.nan if text is None else known.get(key(text), len(texts)) for text in written(values)
    ]
    return np.array(codes, np.float64)


def as_days(value: Any, name: str, form: str | None) -> Any:
    """Days since 1970-01-01 of a date in any form; numbers are taken as they are.

    Raises:
        DataError: a text that is no date.
    """
    if isinstance(value, date):
        return days_of(value)
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").astype(np.int64) / 86_400e6
    if isinstance(value, str):
        found = days(value, form)
        if found is None:
            how = "YYYY-MM-DD" if form is None else form
            raise DataError(f"X, column {shown(name)}: {shown(value)} is no date, written as {how}")
        return found
    return value

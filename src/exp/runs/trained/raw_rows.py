"""Raw rows for a trained model: arrays and tables that a user holds, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.dataset import Data, Floats
from exp.data.faults import not_finite, raise_any, real
from exp.data.labels import key
from exp.data.reading_settings import NaValues
from exp.data.table_columns import NUMBERS, Texts, numbers_of
from exp.data.text_parsing import days
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
    dates = date_columns(data)
    given: Any = np.array(X, dtype=object) if any(data.categories) or dates else real(X, "X")
    if given.ndim != 2 or given.shape[1] != len(features):
        listing = shown(", ".join(features))
        wanted = f"expected [rows, {len(features)}], the features {listing}"
        raise DataError(f"X has shape {list(given.shape)}, {wanted}")
    if given.dtype == object:
        given = as_numbers(given, data, dates)
    with np.errstate(over="ignore"):
        whole = np.asarray(given, dtype=np.float32)
    if data.gaps:
        whole = np.nan_to_num(whole, posinf=np.inf, neginf=-np.inf)
    raise_any([*not_finite(whole, given, features)], "X cannot be used")
    cast: Any = np.ascontiguousarray(given, dtype=data.X.dtype)
    return cast  # type: ignore[no-any-return]


def date_columns(data: Data) -> dict[str, str | None]:
    """The columns of dates, and the format of each (None: ISO 8601)."""
    if (reading := data.reading) is None:
        return {}
    kinds = reading.kinds.items()
    return {name: reading.date_format(name) for name, kind in kinds if kind == "date"}


def as_numbers(
    given: NDArray[Any], data: Data, dates: dict[str, str | None]
) -> NDArray[np.float64]:
    """Objects `[rows, features]` as numbers: categories by their places among the data's, dates as
    days. A category that the data do not have comes behind them all, where no encoding knows it.

    Raises:
        DataError: a number or a date is none.
    """
    columns = []
    for at, texts in enumerate(data.categories or (None,) * len(data.features)):
        name, values = data.features[at], pd.Series(given[:, at])
        kind = pd.api.types.infer_dtype(values, skipna=True)
        if texts is not None:
            found = Texts(values, NaValues([]))
            known = {key(text): place for place, text in enumerate(texts)}
            places = [float(known.get(key(text), len(texts))) for text in found.texts]
            columns.append(np.array([*places, np.nan])[found.codes])
        elif name in dates and kind not in NUMBERS:
            columns.append(days(values, dates[name]))
            for value in values[values.notna() & np.isnan(columns[-1])][:1]:
                how = dates[name] or "YYYY-MM-DD"
                raise DataError(
                    f"X, column {shown(name)}: {shown(value)} is not a date written as {how}"
                )
        else:
            try:
                columns.append(numbers_of(values))
            except (TypeError, ValueError) as error:
                raise DataError(f"X, column {shown(name)}: {error}") from error
    return np.column_stack(columns)

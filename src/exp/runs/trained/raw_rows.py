"""Raw rows for a trained model: arrays and tables that a user holds, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.dataset import Data, Floats
from exp.data.faults import not_finite, raise_any, real
from exp.data.labels import key
from exp.data.reading_settings import Reading
from exp.data.table_columns import NUMBERS, Texts, numbers_of
from exp.data.text_parsing import days, text_of
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
    features, frame = data.features, hasattr(X, "columns") and hasattr(X, "to_numpy")
    if frame:
        known = [str(name) for name in X.columns]
        missing = [name for name in features if name not in known]
        raise_any([unknown("column", name, known, "There are") for name in missing], "X")
        X = X.set_axis(known, axis=1)[list(features)]
    elif any(data.categories) or date_columns(data):
        X = np.array(X, dtype=object)
    else:
        X = real(X, "X")
    if X.ndim != 2 or X.shape[1] != len(features):
        listing = shown(", ".join(features))
        wanted = f"expected [rows, {len(features)}], the features {listing}"
        raise DataError(f"X has shape {list(X.shape)}, {wanted}")
    given: Any = X
    if frame or X.dtype == object:
        given = as_numbers(pd.DataFrame(X), data)
    elif data.reading is not None and len(data.reading.na.numbers):
        given = np.where(np.isin(X, data.reading.na.numbers.astype(X.dtype)), np.nan, X)
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


def as_numbers(given: pd.DataFrame, data: Data) -> NDArray[np.float64]:
    """Rows of any objects as numbers [rows, features]: categories by their places among the data's,
    dates as days. A category that the data do not have comes behind them all, where no encoding
    knows it.

    Raises:
        DataError: a number or a date is none.
    """
    out = np.empty(given.shape)
    dates, reading = date_columns(data), data.reading or Reading(na_values=[])
    for at, texts in enumerate(data.categories or (None,) * len(data.features)):
        name, values = data.features[at], given.iloc[:, at]
        kind = pd.api.types.infer_dtype(values, skipna=True)
        if texts is not None:
            found = Texts(values, reading.na)
            known = {key(text): place for place, text in enumerate(texts)}
            places = [float(known.get(key(text), len(texts))) for text in found.texts]
            out[:, at] = np.array([*places, np.nan])[found.codes]
        elif kind == "string" or (name in dates and kind not in NUMBERS):
            form = dates.get(name)
            out[:, at] = parsed(values, name in dates, form, reading)
            for value in values[values.notna() & np.isnan(out[:, at])][:1]:
                if text_of(value) not in reading.na:
                    how = (
                        f"a date written as {form or 'YYYY-MM-DD'}" if name in dates else "a number"
                    )
                    raise DataError(f"X, column {shown(name)}: {shown(value)} is not {how}")
        else:
            try:
                numbers = numbers_of(values)
            except (TypeError, ValueError) as error:
                raise DataError(f"X, column {shown(name)}: {error}") from error
            out[:, at] = np.where(np.isin(numbers, reading.na.numbers), np.nan, numbers)
    return out


def parsed(values: pd.Series, dated: bool, form: str | None, reading: Reading) -> Floats:
    """Texts or dates as numbers, as those of a file are read; NaN: a value is none, or missing."""
    if pd.api.types.infer_dtype(values, skipna=True) != "string":
        return days(values, form)
    texts = Texts(values, reading.na)
    numbers = days(texts.texts, form) if dated else reading.notation.numbers(texts.texts)
    return np.append(numbers, np.nan)[texts.codes]

"""Columns that are no features: a split uses them, as groups of rows or as the part of each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exp.data.faults import rows_text
from exp.data.labels import integers, key
from exp.data.reading_settings import is_number
from exp.util.errors import DataError, shown

LARGEST = 2**63 - 1


def column_of(values: ArrayLike, name: str) -> NDArray[Any]:
    """A column [rows] as whole numbers (int64) if all its values are, else as numbers or texts.

    Texts such as 1 and 1.0 are the same value, as they are for categories.

    Raises:
        DataError: it is no column, or a value is missing.
    """
    found = np.asarray(values)
    if found.ndim != 1:
        shape = list(found.shape)
        raise DataError(f"column {shown(name)} has shape {shape}, expected [rows]")
    if found.dtype.kind in "iub" and (found.dtype.kind != "u" or found.max(initial=0) <= LARGEST):
        return found.astype(np.int64)
    missing = np.array([value is None or value != value for value in found.tolist()], bool)
    if missing.any():
        row = int(missing.argmax())
        raise DataError(f"column {shown(name)}, row {row}: a value that the split needs is missing")
    if found.dtype.kind == "f":
        whole = bool((found == np.floor(found)).all() and np.abs(found).max(initial=0) < LARGEST)
        return found.astype(np.int64 if whole else np.float64)
    texts, places = np.unique(found.astype(str), return_inverse=True)
    names = [key(text) for text in texts.tolist()]
    if integers(names) and all(abs(int(text)) <= LARGEST for text in names):
        return np.array([int(text) for text in names], np.int64)[places]
    if all(is_number(text) and repr(float(text)) == text for text in names):
        return np.array([float(text) for text in names])[places]
    return np.array(names, np.str_)[places]


def columns_of_split(columns: Mapping[str, ArrayLike] | None, rows: int) -> dict[str, NDArray[Any]]:
    """Columns by name, each as `column_of` gives it.

    Raises:
        DataError: one has another number of rows, or a value is missing.
    """
    found = {str(name): column_of(values, str(name)) for name, values in (columns or {}).items()}
    for name, values in found.items():
        if len(values) != rows:
            counts = f"{rows_text(len(values))}, the data have {rows_text(rows)}"
            raise DataError(f"column {shown(name)} has {counts}")
    return found

"""Tables as NumPy arrays and as pandas DataFrames."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.util.errors import DamagedError, RunDirectoryError
from exp.util.untrusted import JSON_SIZE, read

Arrays = dict[str, NDArray[Any]]


def arrays(path: Path) -> Arrays:
    """The columns of runs.csv, by name: int64, float64 or text.

    Raises:
        RunDirectoryError: it is not there.
        DamagedError: it is no such table.
    """
    try:
        text = read(path, JSON_SIZE).decode()
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        columns: Sequence[Any] = list(zip(*rows, strict=True)) or [()] * len(header)
        return {n: column(list(c)) for n, c in zip(header, columns, strict=True)}
    except OSError as error:
        raise RunDirectoryError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:
        raise DamagedError(f"{path} is not a table of runs: {error}") from error


def column(values: list[str]) -> NDArray[Any]:
    """The values of one column, as numbers if they are."""
    if all(re.fullmatch(r"-?[0-9]{1,18}", value) for value in values):
        return np.array(values, np.int64)
    try:
        return np.array([value or "nan" for value in values], np.float64)
    except ValueError:
        return np.array(values, np.str_)


def frame(columns: Mapping[str, Any]) -> Any:
    """A pandas DataFrame of columns."""
    return pd.DataFrame(dict(columns))

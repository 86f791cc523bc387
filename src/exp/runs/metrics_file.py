"""metrics.csv and norms.csv: a column `epoch`, and numbers measured after each of these epochs.

Read with Python's csv module: pandas fills up a row that is cut off, and a run imports no pandas.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.util.errors import shown
from exp.util.serialize import csv_text

EPOCH = re.compile(r"[0-9]{1,12}")

Columns = dict[str, NDArray[Any]]


def history_text(history: Mapping[str, NDArray[np.generic]]) -> str:
    """The text of a table: a row for each epoch; numbers with all their digits and no more."""
    columns = [column.astype(str).tolist() for column in history.values()]
    return csv_text(list(history), zip(*columns, strict=True))


def history_of(
    data: bytes, *, wanted: Sequence[str] | None = None, most: int | None = None
) -> Columns:
    """The columns of a table that `history_text` wrote: `epoch` int64, all others float64.

    Args:
        wanted: names of columns besides `epoch`, of which those that are not there are left out;
            None: all of them.
        most: rows at about even distances, the first and the last among them; None: all of them.

    Raises:
        ValueError: it is no such table.
    """
    texts = history_texts(data)
    epochs = texts.pop("epoch")
    if not all(map(EPOCH.fullmatch, epochs)):
        wrong = next(text for text in epochs if not EPOCH.fullmatch(text))
        raise ValueError(f"expected an epoch, found {shown(wrong, 40)}")
    found: Columns = {"epoch": np.array(epochs, object).astype(np.int64)}
    if (np.diff(found["epoch"]) <= 0).any():
        raise ValueError("expected increasing epochs")
    names = texts if wanted is None else [name for name in wanted if name in texts]
    found |= {name: numbers(name, texts[name]) for name in names}
    if most is None or len(epochs) <= most:
        return found
    kept = np.linspace(0, len(epochs) - 1, most).astype(np.intp)
    return {name: column[kept] for name, column in found.items()}


def history_texts(data: bytes) -> dict[str, list[str]]:
    """The columns of such a table as they stand in the file, with every digit.

    Raises:
        ValueError: it is no such table.
    """
    columns = table_of(data)
    if next(iter(columns), None) != "epoch":
        raise ValueError("expected the column epoch, then columns of other names")
    return columns


def table_of(data: bytes) -> dict[str, list[str]]:
    """The columns of a csv file by their names, as texts.

    Raises:
        ValueError: it is no such file: rows are too short or too long, a name stands there twice,
            the last line is cut off.
    """
    reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    try:
        header, rows = next(reader, []), list(reader)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None
    if len(set(header)) != len(header):
        raise ValueError("expected columns of different names")
    if odd := {len(row) for row in rows} - {len(header)}:
        raise ValueError(f"expected {len(header)} fields in a row, found {min(odd)}")
    if not data.endswith(b"\n"):
        raise ValueError("its last line is incomplete")
    return {name: [row[at] for row in rows] for at, name in enumerate(header)}


def numbers(name: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """A column of numbers; an empty field is not a number (NaN)."""
    try:
        return np.array([text or "nan" for text in texts], np.float64)
    except ValueError:
        raise ValueError(f"expected numbers in column {shown(name, 40)}") from None

"""metrics.csv and norms.csv: a column `epoch`, and numbers measured after each of these epochs."""

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
        most: rows at about even distances, the first and the last among them; the others are not
            looked at. None: all of them.

    Raises:
        ValueError: it is no such table.
    """
    header, lines = parts(data)
    if most is not None and len(lines) > most:
        places = np.linspace(0, len(lines) - 1, most).astype(np.intp)
        lines = [lines[place] for place in places.tolist()]
    rows = [line.split(",") for line in lines]
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"expected {len(header)} fields in a row, found {len(row)}")
    names = header if wanted is None else ["epoch", *(n for n in wanted if n in header)]
    texts = {name: [row[at] for row in rows] for at, name in enumerate(header) if name in names}
    epochs = np.array([epoch_of(text) for text in texts["epoch"]], np.int64)
    if (np.diff(epochs) <= 0).any():
        raise ValueError("expected increasing epochs")
    return {"epoch": epochs, **{n: numbers(n, texts[n]) for n in dict.fromkeys(names[1:])}}


def history_texts(data: bytes) -> dict[str, list[str]]:
    """The same columns as they stand in the file, with every digit.

    Raises:
        ValueError: it is no such table.
    """
    names = list(history_of(data))
    _, lines = parts(data)
    rows = [line.split(",") for line in lines]
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def parts(data: bytes) -> tuple[list[str], list[str]]:
    """The names of the columns, and the lines below."""
    # Rows hold numbers only; of the names, those of a user's layers may need quotes.
    file = io.StringIO(data.decode(), newline="")
    try:
        header = next(csv.reader(file, strict=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if header[:1] != ["epoch"] or len(set(header)) != len(header):
        raise ValueError("expected the column epoch, then columns of other names")
    body = file.read()
    if body and not body.endswith("\n"):
        raise ValueError("its last line is cut off")
    return header, body.split("\n")[:-1]


def epoch_of(text: str) -> int:
    if not EPOCH.fullmatch(text):
        raise ValueError(f"expected an epoch, found {shown(text, 40)}")
    return int(text)


def numbers(name: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """A column of numbers; an empty field is no number (NaN)."""
    try:
        return np.array([text or "nan" for text in texts], np.float64)
    except ValueError:
        raise ValueError(f"expected numbers in column {shown(name, 40)}") from None

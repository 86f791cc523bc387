"""A csv file as a table. Lines are counted as an editor counts them: the header is line 1."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.datafaults import repeated
from exp.errors import DataError, nearest, shown
from exp.table import (
    MOST,
    Codes,
    Faults,
    Gaps,
    Policy,
    Table,
    assembled,
    is_missing,
    is_number,
)
from exp.textfile import content

BATCH = 10_000
"""Rows that are held as text at a time."""
DELIMITERS = (",", ";", "\t", "|", " ")
NAMED = {"\\t": "\t", "tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}
"""Ways to write a delimiter that a shell or a config file makes hard to type."""


def delimiter_of(text: object) -> object:
    """The delimiter that a text names; anything else as it is."""
    return NAMED.get(text, text) if isinstance(text, str) else text


MIXED = "is not a number (if this column holds categories, name it in `categorical`)"

Record = tuple[int, list[str]]
"""The line at which a row begins, and its fields."""


def read_table(
    path: str,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    delimiter: str = ",",
    missing: Policy = "refuse",
    categorical: Collection[str] = (),
    looked: bool = True,
) -> Table:
    """Reads a csv file with a header line, in UTF-8.

    Args:
        path: of the file, relative to the working directory; ~ is the home.
        target: name of the column of labels, or None to read none.
        features: names of the columns to learn from, in the order wanted; all but the target if
            None.
        delimiter: one character between two fields.
        missing: what is done about missing values; `impute` leaves them as NaN.
        categorical: names of columns that hold categories.
        looked: whether a column without any number in its first rows holds categories too.

    Raises:
        DataError: naming line and column of up to 10 faults.
    """
    raw = content(path)
    faults = Faults(path)
    rows = records(raw, delimiter, faults)
    line, header = next(rows, (1, []))
    faults.raise_any()
    names = [name.strip() for name in header]
    asked = [*(features or ()), *categorical]
    wanted = columns(names, target, features, asked, delimiter, line, faults)
    faults.raise_any()
    underscores = raw.find(b"_", max(raw.find(b"\n"), 0)) >= 0
    reader = Reader(faults, names, wanted, target, set(categorical), looked, underscores)
    while not faults.full and (batch := list(itertools.islice(rows, BATCH))):
        reader.take(batch)
    if not faults.full:
        reader.gaps.told(faults, reader.rows, target, missing)
    faults.raise_any()
    if not reader.rows:
        raise DataError(f"{path} has a header and no rows")
    return reader.table(missing)


def records(raw: bytes, delimiter: str, faults: Faults) -> Iterator[Record]:
    """Rows that are not blank; ends with a fault where the quoting is broken."""
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        faults.add(line, None, f"{error}: the row that begins here is not valid csv")


def columns(
    names: list[str],
    target: str | None,
    features: Sequence[str] | None,
    asked: Sequence[str],
    delimiter: str,
    line: int,
    faults: Faults,
) -> list[int]:
    """The columns of the features, by position. Faults of the header are added to `faults`.

    Args:
        asked: names that the config says, besides the target.
    """
    for name in [name for name in repeated(names) if name]:
        places = [str(place + 1) for place, other in enumerate(names) if other == name]
        faults.add(line, name, f"columns {', '.join(places)} have the same name")
    there = set(names) - {""}
    for name in dict.fromkeys([*(() if target is None else (target,)), *asked]):
        if name not in there:
            faults.add(line, None, no_column(name, names, delimiter))
    if faults.found:
        return []
    if features is not None:
        return [names.index(name) for name in features]
    for place, name in enumerate(names):
        if not name:
            message = f"column {place + 1} has no name; if it is no feature, name those that are"
            faults.add(line, None, message + " in `features`")
    wanted = [place for place, name in enumerate(names) if name != target]
    if not wanted:
        faults.add(line, None, f"there is no column but {shown(target)}, so no feature")
    return wanted


def no_column(name: str, names: list[str], delimiter: str) -> str:
    known = [shown(each, 40) for each in names[:20]]
    rest = f" and {len(names) - 20} more" if len(names) > 20 else ""
    text = f"no column {shown(name)}.{nearest(name, names)} The header has {', '.join(known)}{rest}"
    others = [each for each in DELIMITERS if each != delimiter and each in names[0]]
    if len(names) == 1 and others:
        text += f" (is the delimiter {shown(others[0])}?)"
    if all(is_number(each) for each in names):
        text += " (only numbers: has the file no header line?)"
    return text


class Reader:
    """Turns batches of text rows into numbers, categories and labels.

    Args:
        names: of all columns.
        wanted: positions of the features.
        target: name of the column of labels, or None.
        categorical: names of columns of categories.
        looked: whether to look for more of them in the first batch.
        underscores: whether one stands anywhere below the header: `float` would take `1_0`.
    """

    def __init__(
        self,
        faults: Faults,
        names: list[str],
        wanted: list[int],
        target: str | None,
        categorical: set[str],
        looked: bool,
        underscores: bool,
    ) -> None:
        self.faults, self.names, self.wanted = faults, names, wanted
        self.target, self.underscores = target, underscores
        self.texts = {names[at]: Codes() for at in wanted if names[at] in categorical}
        self.look = looked
        self.parts: dict[str, list[NDArray[np.float32]]] = {names[at]: [] for at in wanted}
        self.labels, self.codes = Codes(), list[NDArray[np.float32]]()
        self.gaps = Gaps()
        self.rows = 0

    def take(self, batch: list[Record]) -> None:
        self.rows += len(batch)
        width = len(self.names)
        whole = [record for record in batch if len(record[1]) == width]
        if len(whole) < len(batch):
            for line, fields in batch:
                if len(fields) != width:
                    count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
                    self.faults.add(line, None, f"{count}, the header has {width}")
        if not whole:
            return
        lines = [line for line, _ in whole]
        for at in self.wanted:
            name, fields = self.names[at], [row[at] for _, row in whole]
            if self.look and name not in self.texts and is_text(fields):
                self.texts[name] = Codes()
            take = self.take_texts if name in self.texts else self.take_numbers
            self.parts[name].append(take(name, fields, lines))
        self.look = False
        if self.target is not None:
            at = self.names.index(self.target)
            self.take_labels(self.target, [row[at].strip() for _, row in whole], lines)

    def take_numbers(self, name: str, fields: list[str], lines: list[int]) -> Any:
        try:
            with np.errstate(over="ignore"):
                column = np.array([float(text) for text in fields]).astype(np.float32)
        except ValueError:
            column = np.full(len(fields), np.nan, np.float32)
        odd = self.underscores and any("_" in text for text in fields)
        if not odd and np.isfinite(column).all():
            return column
        found = 0
        for row, (line, text) in enumerate(zip(lines, fields, strict=True)):
            if is_missing(text):
                self.gaps.add(name, line)
                column[row] = np.nan
            elif message := wrong(text):
                self.faults.add(line, name, message)
                found += 1
            else:
                column[row] = float(text)
            if found >= MOST:
                break
        return column

    def take_texts(self, name: str, fields: list[str], lines: list[int]) -> Any:
        texts = [None if is_missing(text) else text.strip() for text in fields]
        for line, text in zip(lines, texts, strict=True):
            if text is None:
                self.gaps.add(name, line)
        return self.texts[name].of(texts)

    def take_labels(self, name: str, texts: list[str], lines: list[int]) -> None:
        given = [None if text.lower() in ("", "nan") else text for text in texts]
        for line, text in zip(lines, given, strict=True):
            if text is None:
                self.gaps.add(name, line)
        self.codes.append(self.labels.of(given))

    def table(self, missing: Policy) -> Table:
        columns = {name: np.concatenate(parts) for name, parts in self.parts.items()}
        codes = np.concatenate(self.codes) if self.codes else None
        target = None if codes is None else (codes, tuple(self.labels.texts))
        return assembled(self.faults.path, columns, self.texts, target, missing)


def is_text(fields: Sequence[str]) -> bool:
    """Whether a column that starts so holds categories: a text is there, and no number."""
    there = [text for text in fields if not is_missing(text)]
    return bool(there) and not any(is_number(text) for text in there)


def wrong(text: str) -> str | None:
    """What keeps a field from being a number in float32, if anything does."""
    if not is_number(text):
        return f"{shown(text)} {MIXED}"
    if not math.isfinite(float(text)):
        return f"{shown(text)} is not finite"
    with np.errstate(over="ignore"):
        fits = np.isfinite(np.float32(float(text)))
    return None if fits else f"{shown(text)} does not fit float32 (at most 3.4e38)"

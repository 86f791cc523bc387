"""A csv file of numbers, read whole or refused with everything that is wrong in it.

Lines are counted as an editor counts them: the header is line 1.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exp.datafaults import repeated
from exp.errors import DataError, nearest, shown
from exp.textfile import content

MOST = 10
"""After so many faults the reading ends."""
BATCH = 10_000
"""Rows that are held as text at a time."""
LOOKED_AT = 5
"""Rows after which a column that held only text is taken for a text column."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
DELIMITERS = (",", ";", "\t", "|", " ")

Record = tuple[int, list[str]]
"""The line at which a row begins, and its fields."""


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file.

    Attributes:
        X: [rows, features] float32, finite.
        features: names of the columns of X.
        codes: [rows] int64, the label of row i is `labels[codes[i]]`; empty without a target.
        labels: the labels as they are written, in the order in which they are met.
    """

    X: NDArray[np.float32]
    features: tuple[str, ...]
    codes: NDArray[np.int64]
    labels: tuple[str, ...]


@dataclass
class Faults:
    """What is wrong in one file."""

    path: str
    found: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, line: int, column: str | None, message: str) -> None:
        place = f"line {line}" if column is None else f"line {line}, column {shown(column, 40)}"
        self.found.append((line, place, message))

    @property
    def full(self) -> bool:
        return len(self.found) >= MOST

    def raise_any(self) -> None:
        """Raises a DataError with all faults, if there are any."""
        if not self.found:
            return
        count = "1 fault" if len(self.found) == 1 else f"{len(self.found)} faults"
        first = sorted(self.found, key=lambda fault: fault[0])[:MOST]
        width = max(len(place) for _, place, _ in first)
        lines = [f"  {place:<{width}}  {message}" for _, place, message in first]
        heading = f"the first {MOST} faults" if self.full else count
        raise DataError("\n".join([f"{heading} in {self.path}; no row was used", *lines]))


def read_table(
    path: str,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    delimiter: str = ",",
) -> Table:
    """Reads a csv file with a header line, in UTF-8.

    Args:
        path: of the file, relative to the working directory; ~ is the home.
        target: name of the column of labels, or None to read none.
        features: names of the columns of numbers, in the order wanted; all but the target if None.
        delimiter: one character between two fields.

    Raises:
        DataError: naming line and column of up to 10 faults.
    """
    raw = content(path)
    faults = Faults(path)
    rows = records(raw, delimiter, faults)
    line, header = next(rows, (1, []))
    faults.raise_any()
    names = [name.strip() for name in header]
    wanted = columns(names, target, features, delimiter, line, faults)
    faults.raise_any()
    where = None if target is None else names.index(target)
    underscores = raw.find(b"_", max(raw.find(b"\n"), 0)) >= 0
    reader = Reader(faults, names, wanted, where, underscores)
    while not faults.full and (batch := list(itertools.islice(rows, BATCH))):
        reader.take(batch)
    faults.raise_any()
    if not reader.X:
        raise DataError(f"{path} has a header and no rows")
    codes = np.concatenate(reader.codes) if reader.codes else np.empty(0, np.int64)
    chosen = tuple(names[column] for column in wanted)
    return Table(np.concatenate(reader.X), chosen, codes, tuple(reader.labels))


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
    delimiter: str,
    line: int,
    faults: Faults,
) -> list[int]:
    """The columns of the features, by position. Faults of the header are added to `faults`."""
    for name in [name for name in repeated(names) if name]:
        places = [str(place + 1) for place, other in enumerate(names) if other == name]
        faults.add(line, name, f"columns {', '.join(places)} have the same name")
    asked = [*(() if target is None else (target,)), *(features or ())]
    there = set(names) - {""}
    for name in asked:
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
    """Turns batches of text rows into numbers and labels.

    Args:
        names: of all columns.
        wanted: positions of the features.
        target: position of the label, or None.
        underscores: whether one stands anywhere below the header: `float` would take `1_0`.
    """

    def __init__(
        self,
        faults: Faults,
        names: list[str],
        wanted: list[int],
        target: int | None,
        underscores: bool,
    ) -> None:
        self.faults, self.names, self.target = faults, names, target
        self.wanted, self.underscores = wanted, underscores
        self.X: list[NDArray[np.float32]] = []
        self.codes: list[NDArray[np.int64]] = []
        self.labels: dict[str, int] = {}
        self.looked = False

    def take(self, batch: list[Record]) -> None:
        width = len(self.names)
        whole = [record for record in batch if len(record[1]) == width]
        if len(whole) < len(batch):
            for line, fields in batch:
                if len(fields) != width:
                    count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
                    self.faults.add(line, None, f"{count}, the header has {width}")
        if not whole:
            return
        if not self.looked:
            self.looked = True
            self.drop_text_columns(whole[:LOOKED_AT])
        self.take_numbers(whole)
        if self.target is not None:
            self.take_labels(whole, self.target)

    def drop_text_columns(self, rows: list[Record]) -> None:
        """One fault for a column of text, not one for each of its rows."""
        for column in list(self.wanted):
            if len(rows) > 1 and all(is_text(fields[column]) for _, fields in rows):
                example = shown(rows[0][1][column], 40)
                hint = "a column of text, which cannot be a feature yet; leave it out of `features`"
                self.faults.add(rows[0][0], self.names[column], f"{example}: {hint}")
                self.wanted = [other for other in self.wanted if other != column]

    def take_numbers(self, rows: list[Record]) -> None:
        wanted = self.wanted
        try:
            numbers = [float(fields[column]) for _, fields in rows for column in wanted]
            with np.errstate(over="ignore"):
                X = np.array(numbers, np.float64).astype(np.float32).reshape(-1, len(wanted))
        except ValueError:
            X = None
        odd = self.underscores and any("_" in fields[at] for _, fields in rows for at in wanted)
        if X is not None and np.isfinite(X).all() and not odd:
            self.X.append(X)
            return
        for line, fields in rows:
            for column in wanted:
                if message := wrong(fields[column]):
                    self.faults.add(line, self.names[column], message)
            if self.faults.full:
                return

    def take_labels(self, rows: list[Record], target: int) -> None:
        texts = [fields[target].strip() for _, fields in rows]
        known = self.labels
        codes = [known.setdefault(text, len(known)) for text in texts]
        self.codes.append(np.array(codes, np.int64))
        if not {"", "nan", "NaN", "NAN"}.isdisjoint(known):
            for (line, _), text in zip(rows, texts, strict=True):
                if text.lower() in ("", "nan"):
                    self.faults.add(line, self.names[target], "the label is missing")


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def is_text(text: str) -> bool:
    return text.strip().lower() not in MISSING and not is_number(text)


def wrong(text: str) -> str | None:
    """What keeps a field from being a number in float32, if anything does."""
    if text.strip().lower() in MISSING:
        return f"missing value {shown(text)}" if text.strip() else "missing value"
    if not is_number(text):
        return f"{shown(text)} is not a number"
    if not math.isfinite(float(text)):
        return f"{shown(text)} is not finite"
    with np.errstate(over="ignore"):
        fits = np.isfinite(np.float32(float(text)))
    return None if fits else f"{shown(text)} does not fit float32 (at most 3.4e38)"

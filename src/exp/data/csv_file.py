"""A csv file as a table. Lines are counted as an editor counts them: the header is line 1."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence

from exp.data.cells import is_number
from exp.data.faults import repeated
from exp.data.table import Column, Faults, Gaps, Labels, Reading, Table, assembled
from exp.util.errors import nearest, shown
from exp.util.text_file import content

BATCH = 10_000
"""Rows that are held as text at a time."""
DELIMITERS = (",", ";", "\t", "|", " ")
INDEX = re.compile(r"Unnamed: 0(\.\d+)*")
"""What pandas calls an index that it has read as a column."""
WHOLE = re.compile(r"-?\d+(?:\.0)?", re.ASCII)
NAMED = {
    "\\t": "\t",
    "tab": "\t",
    "space": " ",
    "comma": ",",
    "semicolon": ";",
    "bar": "|",
    "point": ".",
    "apostrophe": "'",
}
"""Ways to write a sign that a shell or a config file makes hard to type."""


def delimiter_of(text: object) -> object:
    """The delimiter, or another sign, that a text names; anything else as it is."""
    return NAMED.get(text, text) if isinstance(text, str) else text


Record = tuple[int, list[str]]
"""The line at which a row begins, and its fields."""


def read_table(
    path: str,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    delimiter: str = ",",
    reading: Reading | None = None,
) -> Table:
    """Reads a csv file with a header line, in UTF-8.

    Args:
        path: of the file, relative to the working directory; ~ is the home.
        target: name of the column of labels, or None to read none.
        features: names of the columns to learn from, in the order wanted; all but the target and
            the index if None.
        delimiter: one character between two fields.
        reading: how the fields are read.

    Raises:
        DataError: naming line and column of up to 10 faults.
    """
    reading = reading or Reading()
    raw = content(path)
    faults, gaps = Faults(path), Gaps()
    rows = records(raw, delimiter, faults)
    line, header = next(rows, (1, []))
    faults.raise_any()
    names = [name.strip() for name in header]
    asked = [*(features or ()), *reading.named]
    wanted, index = columns(names, target, features, asked, delimiter, line, faults)
    faults.raise_any()
    odd = raw.find(b"_", max(raw.find(b"\n"), 0)) >= 0
    found = [Column(names[at], reading, faults, gaps) for at in wanted]
    labels = None if target is None else Labels(target, reading, gaps)
    places = [*index, *wanted, *(() if target is None else [names.index(target)])]
    count, keys = 0, Keys()
    while not faults.full and (batch := list(itertools.islice(rows, BATCH))):
        count += len(batch)
        lines, fields = whole(batch, len(names), places, faults)
        for column, texts in zip(found, fields[len(index) :], strict=False):
            column.take(texts, lines, odd)
        if labels is not None:
            labels.take(fields[-1], lines)
        if index:
            keys.take(fields[: len(index)])
    if not faults.full and not keys.index:
        faults.add(line, None, no_name(index[0] + 1))
    left_out = [names[at] for at in index]
    return assembled(path, found, labels, count, faults, gaps, reading.missing, left_out)


class Keys:
    """The leading columns without a name, which may be the index of a pandas table."""

    def __init__(self) -> None:
        self._different: set[tuple[str, ...]] = set()
        self._rows, self._whole = 0, True

    def take(self, columns: Sequence[Sequence[str]]) -> None:
        rows = list(zip(*columns, strict=True))
        self._rows += len(rows)
        self._different.update(rows)
        self._whole = self._whole and all(WHOLE.fullmatch(text) for row in rows for text in row)

    @property
    def index(self) -> bool:
        """Whether they are one: they number the rows, or no two rows have the same ones."""
        return self._whole or len(self._different) == self._rows


def whole(
    batch: list[Record], width: int, places: Sequence[int], faults: Faults
) -> tuple[list[int], list[list[str]]]:
    """The lines of a batch's rows and the fields of some columns; a row of another width is a
    fault."""
    kept = [record for record in batch if len(record[1]) == width]
    if len(kept) < len(batch):
        for line, fields in batch:
            if len(fields) != width:
                count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
                faults.add(line, None, f"{count}, the header has {width}")
    return [line for line, _ in kept], [[row[at] for _, row in kept] for at in places]


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
) -> tuple[list[int], list[int]]:
    """The columns of the features and those of an index, by position. Faults of the header are
    added to `faults`.

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
        return [], []
    if features is not None:
        return [names.index(name) for name in features], []
    unnamed = list(itertools.takewhile(lambda place: not names[place], range(len(names))))
    for place, name in enumerate(names):
        if not name and place not in unnamed:
            faults.add(line, None, no_name(place + 1))
    ours = {target, *asked}
    index = [n for n, name in enumerate(names) if INDEX.fullmatch(name) and name not in ours]
    left_out = {*unnamed, *index}
    wanted = [n for n, name in enumerate(names) if name != target and n not in left_out]
    if not wanted:
        left = " and the index" if left_out else ""
        faults.add(line, None, f"there is no column but {shown(target)}{left}, so no feature")
    return wanted, sorted(left_out)


def no_name(place: int) -> str:
    return f"column {place} has no name; if it is no feature, name those that are in `features`"


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

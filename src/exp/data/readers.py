"""csv, Parquet and npz files as pandas tables: what a file says, before anything is made of it."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exp.data.faults import repeated
from exp.data.file_faults import FileFaults
from exp.data.reading import DELIMITERS, Reading, is_number
from exp.util.errors import DataError, ExpError, nearest, shown
from exp.util.npz import unpacked
from exp.util.text_file import content, place_of

BATCH = 50_000
"""Rows of a csv file that are Python's lists of texts at a time."""
LARGEST = 4 << 30
"""Bytes of an array or a file, unpacked: more is taken for a mistake."""
UNNAMED = re.compile(r"Unnamed: \d+(\.\d+)*")
"""What pandas calls an index without a name that it has read from csv as a column."""
LEVEL = re.compile(r"__index_level_\d+__")
"""What pandas calls an index without a name in Parquet."""
WHOLE = r"-?\d+(?:\.0)?"


@dataclass
class Source:
    """What a file says.

    Attributes:
        path: of the file.
        frame: a column for each feature, by name. Its index counts the rows as messages do: lines
            of a csv file, rows of others. A csv file has texts only, "" where nothing stands.
        labels: the target, or None.
        typed: whether the file says which columns hold numbers.
        faults: what is wrong in the file so far.
        notes: what a user should know of how it was read.
    """

    path: str
    frame: pd.DataFrame
    labels: pd.Series | None
    typed: bool
    faults: FileFaults
    notes: list[str]


def read(path: str, kind: str, reading: Reading) -> Source:
    """Reads a file of rows.

    Args:
        path: of the file, relative to the working directory; ~ is the home.
        kind: csv, parquet or npz.
        reading: which columns are wanted, and how fields are read.

    Raises:
        DataError: the file cannot be read, or lacks a column.
        ExpError: pyarrow is not installed.
    """
    readers = {"csv": read_csv, "parquet": read_parquet, "npz": read_npz}
    return readers[kind](path, reading)


def read_csv(path: str, reading: Reading) -> Source:
    """A csv file with a header line, in UTF-8. Rows are split by Python's csv module: pandas fills
    short rows up, shifts long ones, and does not know in which line a row begins."""
    raw = content(path)
    faults = FileFaults(path, "line")
    rows = records(raw, reading.delimiter, faults)
    top, header = next(rows, (1, []))
    faults.raise_any()
    names = [name.strip() for name in header]
    index = []
    for place in itertools.takewhile(lambda place: not names[place], range(len(names))):
        names[place] = f"Unnamed: {place}"
        while names.count(names[place]) > 1:
            names[place] += ".1"
        index.append(names[place])
    index += [name for name in names if UNNAMED.fullmatch(name) and name not in index]
    features = selected(names, reading, index, faults, top)
    index = [name for name in index if name not in (*features, reading.target)]
    index = [] if reading.features else index
    faults.raise_any()
    wanted = [*index, *features, *([] if reading.target is None else [reading.target])]
    places = [names.index(name) for name in wanted]
    parts, lines = [], []
    while batch := list(itertools.islice(rows, BATCH)):
        whole = [(line, fields) for line, fields in batch if len(fields) == len(names)]
        for line, fields in batch if len(whole) < len(batch) else ():
            if len(fields) != len(names):
                count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
                faults.add(line, None, f"{count}, the header has {len(names)}")
        lines += [line for line, _ in whole]
        texts = [[fields[at] for at in places] for _, fields in whole]
        parts.append(pd.DataFrame(texts, columns=wanted, dtype=str))
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=wanted, dtype=str)
    frame.index = pd.Index(lines, dtype=np.int64)
    if index and not is_index(frame[index]):
        faults.add(top, None, no_name(names.index(index[0])))
    return source(path, frame, features, reading, faults, index, typed=False)


def records(raw: bytes, delimiter: str, faults: FileFaults) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line at which it begins, as an editor counts lines;
    ends with a fault where the quoting is broken."""
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


def is_index(columns: pd.DataFrame) -> bool:
    """Whether leading columns without a name are the index of a pandas table: they number the
    rows, or no two rows have the same ones."""
    numbered = all(columns[name].str.fullmatch(WHOLE).all() for name in columns)
    return numbered or not columns.duplicated().any()


def read_parquet(path: str, reading: Reading) -> Source:
    """A Parquet file: columns of numbers, truth values, dates and texts."""
    if find_spec("pyarrow") is None:
        raise ExpError("dataset parquet: pyarrow is not installed: pip install 'exp[parquet]'")
    import pyarrow
    from pyarrow import parquet

    faults = FileFaults(path, "row")
    place = place_of(path, "a Parquet file")
    try:
        # Not by its name, which pyarrow would take for an address.
        with place.open("rb") as stream, parquet.ParquetFile(stream) as file:
            schema = file.schema_arrow
            index, categories = from_pandas(schema)
            features = selected(list(schema.names), reading, index, faults)
            faults.raise_any()
            groups = (file.metadata.row_group(at) for at in range(file.metadata.num_row_groups))
            size = sum(group.total_byte_size for group in groups)
            if size > LARGEST or file.metadata.num_rows * len(features) * 4 > LARGEST:
                raise DataError(f"{path} is too large: at most {LARGEST:,} bytes are read")
            wanted = [*features, *([] if reading.target is None else [reading.target])]
            table = file.read(columns=wanted).replace_schema_metadata(None)
            for name in wanted:
                if not readable(table.schema.field(name).type):
                    faults.add(
                        None, name, "expected numbers, truth values, dates or texts, found "
                        f"{table.schema.field(name).type}",
                    )  # fmt: skip
            faults.raise_any()
            table.validate(full=True)  # texts that are not UTF-8 among others
            frame = table.to_pandas(integer_object_nulls=True)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a readable Parquet file: {reason}") from error
    frame = frame.astype({name: "category" for name in features if name in categories})
    index = [] if reading.features else [name for name in index if name not in wanted]
    return source(path, frame, features, reading, faults, index, typed=True)


def from_pandas(schema: Any) -> tuple[list[str], set[str]]:
    """Which columns were the index of the pandas table that was written, and which had the type
    `category`. Damaged metadata are left out."""
    index, categories = {name for name in schema.names if LEVEL.fullmatch(name)}, set()
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        metadata = schema.pandas_metadata or {}
        index |= {name for name in metadata["index_columns"] if isinstance(name, str)}
        columns = metadata["columns"]
        categories = {c["field_name"] for c in columns if c["pandas_type"] == "categorical"}
    return [name for name in schema.names if name in index], categories


def readable(kind: Any) -> bool:
    """Whether a type of Arrow is one of numbers, truth values, dates or texts."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    date = types.is_date(kind) or types.is_timestamp(kind)
    return bool(text or number or date or types.is_boolean(kind) or types.is_null(kind))


def read_npz(path: str, reading: Reading) -> Source:
    """An npz file: `X` [rows, features] numbers, `y` [rows] integers or texts, and `names`
    [features] texts, which are x1, x2, ... unless given. Arrays of Python's own texts and numbers
    (dtype object, as pandas gives them) are read without running what their pickle says."""
    faults = FileFaults(path, "row")
    arrays = arrays_of(path, place_of(path, "an npz file"))
    X, y = (arrays.get(name) for name in ("X", "y"))
    if X is None or y is None:
        there = ", ".join(shown(name, 40) for name in list(arrays)[:20]) or "nothing"
        raise DataError(f"{path}: expected arrays 'X' and 'y', and maybe 'names'; found {there}")
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y) or 0 in X.shape:
        shapes = f"found X {list(X.shape)} and y {list(y.shape)}"
        raise DataError(f"{path}: expected X [rows, features] and y [rows]; {shapes}")
    if X.dtype.kind not in "iufbO" or y.dtype.kind not in "iubUO":
        kinds = f"found X of {X.dtype} and y of {y.dtype}"
        raise DataError(f"{path}: expected X of numbers and y of integers or texts; {kinds}")
    names = [f"x{n + 1}" for n in range(X.shape[1])]
    if (given := arrays.get("names")) is not None:
        texts = given.dtype.kind == "U" or all(isinstance(name, str) for name in given.flat)
        if not texts or given.shape != (X.shape[1],):
            found = f"{given.dtype} of shape {list(given.shape)}"
            raise DataError(f"{path}: expected names of {X.shape[1]} texts, found {found}")
        names = [str(name) for name in given]
    features = selected(names, replace(reading, target=None), [], faults)
    faults.raise_any()
    X = X.astype(np.uint8) if X.dtype == bool else X
    frame = pd.DataFrame({name: X[:, names.index(name)] for name in features})
    return Source(path, frame, pd.Series(y), True, faults, [])


def arrays_of(path: str, place: Path) -> dict[str, Any]:
    """The arrays of an npz file.

    Raises:
        DataError: it is none.
    """
    try:
        if place.stat().st_size > LARGEST:
            raise ValueError(f"it is too large: at most {LARGEST:,} bytes are read")
        return unpacked(place.read_bytes(), ("X", "y", "names"), most=LARGEST, objects=True)
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def source(
    path: str,
    frame: pd.DataFrame,
    features: Sequence[str],
    reading: Reading,
    faults: FileFaults,
    index: Sequence[str],
    *,
    typed: bool,
) -> Source:
    labels = None if reading.target is None else frame[reading.target]
    listed = ", ".join(shown(name, 40) for name in index)
    note = (
        f"{listed} is the index of a pandas table and not a feature (dataset.features can add it)"
    )
    notes = [f"{path}: {note}"] if index else []
    return Source(path, frame[list(features)], labels, typed, faults, notes)


def selected(
    names: list[str],
    reading: Reading,
    index: Sequence[str],
    faults: FileFaults,
    line: int | None = None,
) -> list[str]:
    """The names of the features, in order. Adds a fault for each name that cannot be used.

    Args:
        names: of all columns.
        index: columns that are not features unless the config names them.
        line: of the header.
    """
    for name in repeated([name for name in names if name]):
        places = [str(place + 1) for place, other in enumerate(names) if other == name]
        faults.add(line, name, f"columns {', '.join(places)} have the same name")
    target = () if reading.target is None else (reading.target,)
    for name in dict.fromkeys((*target, *reading.named)):
        if not name or name not in names:
            faults.add(line, None, no_column(name, names, reading.delimiter))
    if reading.features is not None or faults.found:
        return list(reading.features or ())
    for place, name in enumerate(names):
        if not name:
            faults.add(line, None, no_name(place))
    left_out = {*target, *(name for name in index if name not in reading.named)}
    features = [name for name in names if name not in left_out]
    if not features:
        but = " and the index" if index else ""
        faults.add(
            line,
            None,
            f"there is no column besides {shown(*target)}{but}, so there are no features",
        )
    return features


def no_name(place: int) -> str:
    return (
        f"column {place + 1} has no name; if it is not a feature, list the features in `features`"
    )


def no_column(name: str, names: list[str], delimiter: str) -> str:
    known = ", ".join(shown(each, 40) for each in names[:20])
    rest = f" and {len(names) - 20} more" if len(names) > 20 else ""
    text = f"no column {shown(name)}.{nearest(name, names)} The columns are {known}{rest}"
    others = [each for each in DELIMITERS if each != delimiter and each in names[0]]
    if len(names) == 1 and others:
        text += f" (is the delimiter {shown(others[0])}?)"
    if all(map(is_number, names)):
        text += " (only numbers: has the file no header line?)"
    return text

"""csv, Parquet and npz files as pandas tables: what a file says, before anything is made of it."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.csv_columns import CsvColumns
from exp.data.file_faults import FileFaults
from exp.data.reading_settings import Reading, naming
from exp.data.source import LARGEST, Source, no_name, selected, source
from exp.util.errors import DataError, ExpError, shown
from exp.util.npz import unpacked
from exp.util.text_file import place_of, text_place

FIELDS = 100_000
"""Fields of a csv file that are Python's texts at a time."""
Line = tuple[int, list[str]]
"""Where a row begins, and its fields."""
UNNAMED = re.compile(r"Unnamed: \d+(\.\d+)*")
"""What pandas calls an index without a name that it has read from csv as a column."""
WHOLE = r"-?\d+(?:\.0)?"


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
    place, most = text_place(path)
    faults = FileFaults(path, "line")
    with place.open(encoding="utf-8-sig", newline="") as file:
        rows = records(file, reading.delimiter, faults)
        top, header = next(rows, (1, []))
        faults.raise_any()
        return columns_of_csv(path, place, most, rows, top, header, reading, faults)


def columns_of_csv(
    path: str,
    place: Path,
    most: int,
    rows: Iterator[Line],
    top: int,
    header: list[str],
    reading: Reading,
    faults: FileFaults,
) -> Source:
    """What a csv file says.

    Args:
        path, place: the file, as the user named it and where it is.
        most: its lines, at most.
        rows: those below the header.
        top: line of the header.
        header: the names of the columns.
    """
    names = [name.strip() for name in header]
    index = []
    for at in itertools.takewhile(lambda at: not names[at], range(len(names))):
        names[at] = f"Unnamed: {at}"
        while names.count(names[at]) > 1:
            names[at] += ".1"
        index.append(names[at])
    index += [name for name in names if UNNAMED.fullmatch(name) and name not in index]
    features = selected(names, reading, index, faults, top)
    target = () if reading.target is None else (reading.target,)
    needed = list(dict.fromkeys((*features, *reading.besides, *target)))
    known = () if reading.features else index
    index = [name for name in known if name not in needed and name not in reading.exclude]
    faults.raise_any()
    wanted = [*index, *needed]
    places = {name: names.index(name) for name in wanted}
    numeric = [name for name in (*features, *reading.of_weights) if reading.may_be_number(name)]
    found = CsvColumns(places, numeric, reading, most)
    lines = [np.empty(0, np.int64)]
    for some, fields in batches(rows, len(names), faults):
        lines.append(some)
        found.add(fields)
    index_of_rows = pd.Index(np.concatenate(lines))
    columns = found.series(index_of_rows)
    if found.late:
        again = CsvColumns({name: places[name] for name in found.late}, (), reading, most)
        with place.open(encoding="utf-8-sig", newline="") as file:
            once_more = records(file, reading.delimiter, FileFaults(path, "line"))
            next(once_more)
            for _, fields in batches(once_more, len(names), FileFaults(path, "line")):
                again.add(fields)
        columns |= again.series(index_of_rows)
    if index and not is_index(pd.DataFrame({name: columns[name] for name in index})):
        faults.add(top, None, no_name(names.index(index[0]), naming("exclude", index[0])))
    return source(
        path, columns, index_of_rows, features, reading, faults, index,
        typed=False
    )  # fmt: skip


def batches(
    rows: Iterator[Line], width: int, faults: FileFaults
) -> Iterator[tuple[NDArray[np.int64], list[list[str]]]]:
    """Rows of fields with the lines at which they begin, some at a time. Adds a fault for each row
    that has not as many fields as the header."""
    while batch := list(itertools.islice(rows, max(100, FIELDS // width))):
        whole = [(line, fields) for line, fields in batch if len(fields) == width]
        for line, fields in batch if len(whole) < len(batch) else ():
            if len(fields) != width:
                count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
                faults.add(line, None, f"{count}, the header has {width}")
        if whole:
            yield np.array([line for line, _ in whole]), [fields for _, fields in whole]


def records(file: TextIO, delimiter: str, faults: FileFaults) -> Iterator[Line]:
    """Rows that are not blank, each with the line at which it begins, as an editor counts lines;
    ends with a fault where the quoting is broken."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
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
    """A Parquet file, where pyarrow is installed."""
    source: Source = pyarrow_reader().read_parquet(path, reading)
    return source


def parquet_columns(path: str) -> list[str]:
    """The names of all columns of a Parquet file, where pyarrow is installed."""
    names: list[str] = pyarrow_reader().columns_of(path)
    return names


def pyarrow_reader() -> Any:
    """
    Raises:
        ExpError: pyarrow is not installed.
    """
    needs_pyarrow("dataset parquet")
    from exp.data import parquet

    return parquet


def needs_pyarrow(what: str) -> None:
    """
    Raises:
        ExpError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ExpError(f"{what}: pyarrow is not installed: pip install 'exp[parquet]'")


def read_npz(path: str, reading: Reading) -> Source:
    """An npz file: `X` [rows, features] numbers, `y` [rows] numbers or texts, and `names`
    [features] texts, which are x1, x2, ... unless given. Arrays of Python's own texts and numbers
    (dtype object, as pandas gives them) are read without running what their pickle says."""
    faults = FileFaults(path, "row")
    arrays = arrays_of(path, place_of(path, "an npz file"), ("X", "y", "names", *reading.besides))
    X, y = (arrays.get(name) for name in ("X", "y"))
    if X is not None and y is None and reading.target is None:
        y = np.zeros(len(X), np.int64)  # rows to predict have no labels
    if X is None or y is None:
        there = ", ".join(shown(name, 40) for name in list(arrays)[:20]) or "nothing"
        raise DataError(f"{path}: expected arrays 'X' and 'y', and maybe 'names'; found {there}")
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y) or 0 in X.shape:
        shapes = f"found X {list(X.shape)} and y {list(y.shape)}"
        raise DataError(f"{path}: expected X [rows, features] and y [rows]; {shapes}")
    if X.dtype.kind not in "iufbO" or y.dtype.kind not in "iufbUO":
        kinds = f"found X of {X.dtype} and y of {y.dtype}"
        raise DataError(f"{path}: expected X of numbers and y of numbers or texts; {kinds}")
    names = [f"x{n + 1}" for n in range(X.shape[1])]
    if (given := arrays.get("names")) is not None:
        texts = given.dtype.kind == "U" or all(isinstance(name, str) for name in given.flat)
        if not texts or given.shape != (X.shape[1],):
            found = f"{given.dtype} of shape {list(given.shape)}"
            raise DataError(f"{path}: expected names of {X.shape[1]} texts, found {found}")
        names = [str(name) for name in given]
    # A column of the split or of weights is an array of that name, or else a column of X.
    aside = {name: arrays[name] for name in reading.besides if name in arrays}
    for name, values in aside.items():
        if values.shape != y.shape or values.dtype.kind not in "iufbUO":
            found = f"{values.dtype} of shape {list(values.shape)}"
            faults.add(None, name, f"expected numbers or texts of shape {list(y.shape)}: {found}")
    within = [name for name in reading.besides if name not in aside]
    weights = reading.weights if reading.weights in within else None
    of_split = [name for name in within if name in reading.aside]
    columns = replace(reading, target=None, aside=of_split, weights=weights)
    features = selected(names, columns, [], faults)
    faults.raise_any()
    X = X.astype(np.uint8) if X.dtype == bool else X
    rows = pd.RangeIndex(len(X))
    kept = {name: pd.Series(X[:, names.index(name)], rows, copy=False) for name in features}
    aside |= {name: X[:, names.index(name)] for name in within}
    labels = None if reading.target is None else pd.Series(y)
    return Source(path, kept, rows, labels, pd.DataFrame(aside, rows), True, faults, [])


def arrays_of(path: str, place: Path, names: Sequence[str]) -> dict[str, Any]:
    """Arrays of an npz file, those of these names.

    Raises:
        DataError: it is none.
    """
    try:
        if place.stat().st_size > LARGEST:
            raise ValueError(f"it is too large: at most {LARGEST:,} bytes are read")
        with place.open("rb") as file:
            return unpacked(file, names, most=LARGEST, objects=True)
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error

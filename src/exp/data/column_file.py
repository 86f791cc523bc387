"""Parquet and npz files as tables. Rows are counted from 0."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data.cells import days_of, written
from exp.data.faults import repeated
from exp.data.table import MOST, Column, Faults, Gaps, Labels, Reading, Table, assembled
from exp.util.errors import DataError, ExpError, lines, nearest, shown
from exp.util.npz import unpacked
from exp.util.text_file import place_of

LARGEST = 4 << 30
"""Bytes of an array or a file, unpacked. More is a slip of the pen, or a trap."""
INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls the columns of an index without a name."""


@dataclass(frozen=True)
class Values:
    """A column as the file has it.

    Attributes:
        numbers: [rows] float64, NaN where missing: numbers, or days since 1970-01-01; None: texts.
        texts: the same values as texts, None where missing.
        dates: whether the numbers are days.
        category: whether the file says that the column holds categories.
    """

    numbers: NDArray[np.float64] | None
    texts: Sequence[str | None]
    dates: bool = False
    category: bool = False


def read_parquet(
    path: str,
    *,
    target: str,
    features: Sequence[str] | None = None,
    reading: Reading | None = None,
) -> Table:
    """Reads a Parquet file: columns of numbers, truth values, dates and texts.

    Args:
        path, target, features, reading: as for `exp.data.csv_file.read_table`.

    Raises:
        DataError: what keeps the file from being used.
        ExpError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ExpError("dataset parquet: pyarrow is not installed: pip install 'exp[parquet]'")
    import pyarrow
    import pyarrow.parquet

    reading = reading or Reading()
    place = place_of(path, "a Parquet file")
    try:
        # Not through the file system by its name: pyarrow would take a name for an address.
        with place.open("rb") as stream, pyarrow.parquet.ParquetFile(stream) as file:
            names = [str(name) for name in file.schema_arrow.names]
            index, categories = told_by_pandas(file.schema_arrow.metadata, names)
            wanted = chosen(path, names, target, features, reading.named, index)
            size = sum(
                file.metadata.row_group(group).total_byte_size
                for group in range(file.metadata.num_row_groups)
            )
            if size > LARGEST or file.metadata.num_rows * len(wanted) * 4 > LARGEST:
                raise DataError(f"{path} is too large: at most {LARGEST:,} bytes are read")
            content = file.read(columns=[*wanted, target])
            columns = {name: plain(path, name, content.column(name)) for name in wanted}
            # Of categories that are no texts the type says nothing.
            columns |= {
                name: replace(columns[name], category=True) for name in categories & set(wanted)
            }
            labels = plain(path, target, content.column(target)).texts
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is no Parquet file that can be read: {reason}") from error
    left_out = [name for name in index if name not in wanted and name != target]
    return table_of(path, columns, (target, labels), reading, left_out)


def told_by_pandas(
    metadata: dict[bytes, bytes] | None, names: Sequence[str]
) -> tuple[list[str], set[str]]:
    """Which columns are the index of the pandas table that was written, numeric or not, and which
    had the type `category`."""
    index = {name for name in names if INDEX.fullmatch(name)}
    categories = set()
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        written_by = json.loads((metadata or {})[b"pandas"])
        # A range is no column; it is told as a mapping.
        index |= {name for name in written_by["index_columns"] if isinstance(name, str)}
        categories = {
            str(column["field_name"])
            for column in written_by["columns"]
            if column["pandas_type"] == "categorical"
        }
    return [name for name in names if name in index], categories


def plain(path: str, name: str, column: Any) -> Values:
    """A column of Arrow as numbers or texts.

    Raises:
        DataError: it holds something else.
    """
    from pyarrow import types

    kind = column.type
    category = types.is_dictionary(kind)
    if category:
        kind = kind.value_type
    values = column.to_pylist()
    text = (types.is_string, types.is_large_string, types.is_string_view, types.is_boolean)
    if any(of_type(kind) for of_type in text):
        return Values(None, list(written(values)), category=category)
    number = (types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    if any(of_type(kind) for of_type in number):
        numbers = np.array([math.nan if v is None else float(v) for v in values], np.float64)
        return Values(numbers, Lazy(values), category=category)
    if types.is_date(kind) or types.is_timestamp(kind):
        # A timestamp of nanoseconds has digits that Python's type does not have.
        numbers = np.array([math.nan if v is None else days_of(v) for v in values], np.float64)
        return Values(numbers, Lazy(values), dates=True, category=category)
    raise DataError(
        f"{path}, column {shown(name)}: expected numbers, truth values, dates or texts, found "
        f"{column.type}"
    )


class Lazy(Sequence[Any]):
    """Values as texts, made when they are first wanted."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._texts: list[str | None] | None = None

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, at: Any) -> Any:
        if self._texts is None:
            self._texts = list(written(self._values))
        return self._texts[at]


def read_npz(
    path: str,
    *,
    features: Sequence[str] | None = None,
    reading: Reading | None = None,
) -> Table:
    """Reads an npz file: `X` [rows, features] numbers, `y` [rows] integers or texts, and `names`
    [features] texts, which are x1, x2, ... unless given. Arrays of Python's own texts and numbers
    (dtype object, as pandas gives them) are read without running what their pickle says.

    Args:
        path, features, reading: as for `exp.data.csv_file.read_table`.

    Raises:
        DataError: what keeps the file from being used.
    """
    reading = reading or Reading()
    place = place_of(path, "an npz file")
    try:
        if place.stat().st_size > LARGEST:
            raise ValueError(f"it is too large: at most {LARGEST:,} bytes are read")
        arrays = unpacked(place.read_bytes(), ("X", "y", "names"), most=LARGEST, objects=True)
    except (OSError, ValueError, TypeError, SyntaxError, MemoryError, OverflowError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except Exception as error:  # zlib and the parser of headers have errors of their own
        raise DataError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
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
    given = arrays.get("names")
    names = [f"x{n + 1}" for n in range(X.shape[1])]
    if given is not None:
        texts = given.dtype.kind == "U" or all(isinstance(name, str) for name in given.flat)
        if not texts or given.shape != (X.shape[1],):
            found = f"{given.dtype} of shape {list(given.shape)}"
            raise DataError(f"{path}: expected names of {X.shape[1]} texts, found {found}")
        names = [str(name) for name in given]
    wanted = chosen(path, names, None, features, reading.named)
    columns = {}
    try:
        labels = list(written(y.tolist()))
    except ValueError as error:  # an integer of thousands of digits
        raise DataError(f"{path}, column 'y': {error}") from error
    for name in wanted:
        column = X[:, names.index(name)]
        try:
            if column.dtype == object and any(isinstance(value, str) for value in column):
                columns[name] = Values(None, list(written(column.tolist())))
            else:
                columns[name] = Values(column.astype(np.float64), Lazy(column.tolist()))
        except (ValueError, OverflowError) as error:
            raise DataError(f"{path}, column {shown(name)}: {error}") from error
    return table_of(path, columns, ("y", labels), reading)


def chosen(
    path: str,
    names: list[str],
    target: str | None,
    features: Sequence[str] | None,
    named: Sequence[str],
    index: Sequence[str] = (),
) -> list[str]:
    """The names of the features, in order.

    Args:
        named: further names that the config says.
        index: columns that are no features unless `features` names them.

    Raises:
        DataError: names that are not there or stand there twice.
    """
    faults = [f"columns of the same name {shown(name, 40)}" for name in repeated(names)]
    asked = [*(() if target is None else (target,)), *(features or ()), *named]
    known = ", ".join(shown(name, 40) for name in names[:20])
    known += f" and {len(names) - 20} more" if len(names) > 20 else ""
    for name in dict.fromkeys(asked):
        if name not in names:
            faults.append(f"no column {shown(name)}.{nearest(name, names)} There are {known}")
    left_out = {target, *(name for name in index if name not in named)}
    wanted = list(features) if features is not None else [n for n in names if n not in left_out]
    if not faults and not wanted:
        left = " and the index" if index else ""
        faults.append(f"there is no column but {shown(target)}{left}, so no feature")
    if faults:
        listing = (f"  {fault}" for fault in faults[:MOST])
        raise DataError(lines(f"{path}: no row was used", *listing))
    return wanted


def table_of(
    path: str,
    columns: dict[str, Values],
    target: tuple[str, Sequence[str | None]],
    reading: Reading,
    index: Sequence[str] = (),
) -> Table:
    """The table of columns that are in memory.

    Raises:
        DataError: naming row and column of up to 10 faults.
    """
    faults, gaps = Faults(path, "row"), Gaps()
    rows = range(len(target[1]))
    found = []
    for name, values in columns.items():
        said = reading
        if values.category and reading.kind(name) is None:
            said = replace(reading, kinds={name: "category"})
        column = Column(name, said, faults, gaps, typed=values.numbers is None)
        found.append(column)
        if values.numbers is None or column.kind == "category":
            column.take(values.texts, rows)
        elif values.dates and column.kind is None and reading.dates is not True:
            row = int(np.flatnonzero(~np.isnan(values.numbers))[:1].sum())
            faults.add(
                row, name,
                "the column holds dates: name it in dataset.dates, which turns them into days "
                "since 1970-01-01, or in `categorical`",
            )  # fmt: skip
        else:
            column.give(values.numbers, "date" if values.dates else "number")
    labels = Labels(target[0], reading, gaps)
    labels.take(target[1], rows)
    return assembled(path, found, labels, len(rows), faults, gaps, reading.missing, index)

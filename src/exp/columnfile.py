"""Parquet and npz files as tables. Rows are counted from 0."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.datafaults import repeated
from exp.errors import DataError, ExpError, nearest, shown
from exp.figures.npz import unpacked
from exp.table import MOST, Codes, Faults, Gaps, Policy, Table, assembled, is_missing, written
from exp.textfile import place_of

LARGEST = 4 << 30
"""Bytes of an array or a file, unpacked. More is a slip of the pen, or a trap."""

Columns = dict[str, Any]
"""name -> values: a float64 array with NaN where missing, or a list of texts and None."""


def read_parquet(
    path: str,
    *,
    target: str,
    features: Sequence[str] | None = None,
    missing: Policy = "refuse",
    categorical: Collection[str] = (),
    looked: bool = True,
) -> Table:
    """Reads a Parquet file: columns of numbers, truth values and texts.

    Args:
        path, target, features, missing, categorical: as for `exp.csvfile.read_table`.
        looked: whether columns of texts hold categories.

    Raises:
        DataError: what keeps the file from being used.
        ExpError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ExpError("dataset parquet: pyarrow is not installed: pip install 'exp[parquet]'")
    import pyarrow
    import pyarrow.parquet

    place = place_of(path, "a Parquet file")
    try:
        # Not through the file system by its name: pyarrow would take a name for an address.
        with place.open("rb") as stream, pyarrow.parquet.ParquetFile(stream) as file:
            names = [str(name) for name in file.schema_arrow.names]
            wanted = chosen(path, names, target, features, categorical)
            size = sum(
                file.metadata.row_group(group).total_byte_size
                for group in range(file.metadata.num_row_groups)
            )
            if size > LARGEST or file.metadata.num_rows * len(wanted) * 4 > LARGEST:
                raise DataError(f"{path} is too large: at most {LARGEST:,} bytes are read")
            content = file.read(columns=[*wanted, target])
            columns = {name: plain(path, name, content.column(name)) for name in wanted}
            labels = plain(path, target, content.column(target))
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is no Parquet file that can be read: {reason}") from error
    texts = {name for name, values in columns.items() if isinstance(values, list)}
    return table_of(
        path,
        columns,
        (target, labels),
        missing,
        {*categorical, *(texts if looked else ())},
    )


def plain(path: str, name: str, column: Any) -> Any:
    """A column of Arrow as float64 or texts.

    Raises:
        DataError: it holds something else.
    """
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind):
        return written(column.to_pylist())
    if types.is_integer(kind) or types.is_floating(kind):
        return np.array([math.nan if v is None else float(v) for v in column.to_pylist()])
    raise DataError(
        f"{path}, column {shown(name)}: expected numbers, truth values or texts, found {kind}"
    )


def read_npz(
    path: str,
    *,
    features: Sequence[str] | None = None,
    missing: Policy = "refuse",
    categorical: Collection[str] = (),
    **_: Any,
) -> Table:
    """Reads an npz file without pickles: `X` [rows, features] numbers, `y` [rows] integers or
    texts, and `names` [features] texts, which are x1, x2, ... unless given.

    Args:
        path, features, missing, categorical: as for `exp.csvfile.read_table`.

    Raises:
        DataError: what keeps the file from being used.
    """
    place = place_of(path, "an npz file")
    try:
        if place.stat().st_size > LARGEST:
            raise ValueError(f"it is too large: at most {LARGEST:,} bytes are read")
        arrays = unpacked(place.read_bytes(), ("X", "y", "names"), most=LARGEST)
    except (OSError, ValueError, TypeError, SyntaxError, MemoryError, OverflowError) as error:
        raise DataError(f"{path} cannot be read without pickles: {error}") from error
    except Exception as error:  # zlib and the parser of headers have errors of their own
        raise DataError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    X, y = (arrays.get(name) for name in ("X", "y"))
    if X is None or y is None:
        there = ", ".join(shown(name, 40) for name in list(arrays)[:20]) or "nothing"
        raise DataError(f"{path}: expected arrays 'X' and 'y', and maybe 'names'; found {there}")
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y) or 0 in X.shape:
        shapes = f"found X {list(X.shape)} and y {list(y.shape)}"
        raise DataError(f"{path}: expected X [rows, features] and y [rows]; {shapes}")
    if X.dtype.kind not in "iufb" or y.dtype.kind not in "iubU":
        kinds = f"found X of {X.dtype} and y of {y.dtype}"
        raise DataError(f"{path}: expected X of numbers and y of integers or texts; {kinds}")
    given = arrays.get("names")
    names = [f"x{n + 1}" for n in range(X.shape[1])]
    if given is not None:
        if given.dtype.kind != "U" or given.shape != (X.shape[1],):
            found = f"{given.dtype} of shape {list(given.shape)}"
            raise DataError(f"{path}: expected names of {X.shape[1]} texts, found {found}")
        names = [str(name) for name in given]
    wanted = chosen(path, names, None, features, categorical)
    columns = {name: X[:, names.index(name)].astype(np.float64) for name in wanted}
    return table_of(path, columns, ("y", written(y.tolist())), missing, categorical)


def chosen(
    path: str,
    names: list[str],
    target: str | None,
    features: Sequence[str] | None,
    categorical: Collection[str],
) -> list[str]:
    """The names of the features, in order.

    Raises:
        DataError: names that are not there or stand there twice.
    """
    faults = [f"columns of the same name {shown(name, 40)}" for name in repeated(names)]
    asked = [*(() if target is None else (target,)), *(features or ()), *categorical]
    known = ", ".join(shown(name, 40) for name in names[:20])
    known += f" and {len(names) - 20} more" if len(names) > 20 else ""
    for name in dict.fromkeys(asked):
        if name not in names:
            faults.append(f"no column {shown(name)}.{nearest(name, names)} There are {known}")
    wanted = list(features) if features is not None else [n for n in names if n != target]
    if not faults and not wanted:
        faults.append(f"there is no column but {shown(target)}, so no feature")
    if faults:
        raise DataError("\n  ".join([f"{path}: no row was used", *faults[:MOST]]))
    return wanted


def table_of(
    path: str,
    columns: Columns,
    target: tuple[str, Any],
    missing: Policy,
    categorical: Collection[str],
) -> Table:
    """The table of columns that are in memory.

    Raises:
        DataError: naming row and column of up to 10 faults.
    """
    faults, gaps = Faults(path, "row"), Gaps()
    texts: dict[str, Codes] = {}
    found: dict[str, NDArray[np.float32]] = {}
    for name, values in columns.items():
        if name in categorical:
            texts[name] = Codes()
            given = values if isinstance(values, list) else written(values.tolist())
            given = [None if v is None or is_missing(v) else v for v in given]
            found[name] = texts[name].of(given)
        elif isinstance(values, list):
            row = next((n for n, value in enumerate(values) if value is not None), 0)
            faults.add(row, name, f"{shown(values[row], 40)} is not a number")
            continue
        else:
            with np.errstate(over="ignore"):
                found[name] = values.astype(np.float32)
            for row in np.flatnonzero(np.isinf(found[name]))[:MOST].tolist():
                why = "does not fit float32" if np.isfinite(values[row]) else "is not finite"
                faults.add(row, name, f"{values[row]} {why}")
        for row in np.flatnonzero(np.isnan(found[name])).tolist():
            gaps.add(name, row)
    word, given = target
    given = given if isinstance(given, list) else written(given.tolist())
    given = [None if text is None or text.lower() in ("", "nan") else text for text in given]
    labels = Codes()
    codes = labels.of(given)
    for row in np.flatnonzero(np.isnan(codes)).tolist():
        gaps.add(word, row)
    if not given:
        raise DataError(f"{path} has no rows")
    gaps.told(faults, len(given), word, missing)
    faults.raise_any()
    return assembled(path, found, texts, (codes, tuple(labels.texts)), missing)

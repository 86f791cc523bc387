"""Parquet files as pandas tables. Importing this imports pyarrow, an extra."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pandas as pd
import pyarrow
from pyarrow import parquet, types

from exp.data.file_faults import FileFaults
from exp.data.reading_settings import Reading
from exp.data.source import LARGEST, Source, selected, source
from exp.util.errors import DataError
from exp.util.text_file import place_of

LEVEL = re.compile(r"__index_level_\d+__")
"""What pandas calls an index without a name in Parquet."""


def read_parquet(path: str, reading: Reading) -> Source:
    """A Parquet file: columns of numbers, truth values, dates and texts."""
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
            target = [] if reading.target is None else [reading.target]
            wanted = list(dict.fromkeys((*features, *reading.besides, *target)))
            for name in wanted:
                if not readable(schema.field(name).type):
                    faults.add(
                        None, name, "expected numbers, truth values, dates or texts, found "
                        f"{schema.field(name).type}",
                    )  # fmt: skip
            faults.raise_any()
            columns = {name: column(file, name, name in categories) for name in wanted}
            rows = pd.RangeIndex(file.metadata.num_rows)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a readable Parquet file: {reason}") from error
    known = () if reading.features else index
    index = [name for name in known if name not in wanted and name not in reading.exclude]
    return source(path, columns, rows, features, reading, faults, index, typed=True)


def column(file: parquet.ParquetFile, name: str, category: bool) -> pd.Series:
    """One column of a file. Columns are read one by one, as a table of pyarrow would be in memory
    beside its columns."""
    table = file.read(columns=[name]).replace_schema_metadata(None)
    table.validate(full=True)  # texts that are not UTF-8 among others
    found = table.to_pandas(integer_object_nulls=True)[name]
    return found.astype("category") if category else found


def whole(path: str) -> pd.DataFrame:
    """All columns of a Parquet file, with their types."""
    try:
        with place_of(path, "a Parquet file").open("rb") as stream:
            table = parquet.read_table(stream)
        found: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise DataError(f"{path} is not a readable Parquet file: {error}") from error
    return found


def columns_of(path: str) -> list[str]:
    """The names of all columns."""
    try:
        with place_of(path, "a Parquet file").open("rb") as stream:
            return list(parquet.read_schema(stream).names)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path} is not a readable Parquet file: {error}") from error


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
    if types.is_dictionary(kind):
        kind = kind.value_type
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    date = types.is_date(kind) or types.is_timestamp(kind)
    return bool(text or number or date or types.is_boolean(kind) or types.is_null(kind))

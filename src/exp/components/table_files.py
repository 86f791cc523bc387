"""A user's own rows: csv, Parquet and npz files, with a file of test rows where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from exp.data.cells import key as known_by
from exp.data.csv_file import delimiter_of
from exp.data.dataset import Data, precise
from exp.data.faults import counted, repeated
from exp.data.labels import in_order, not_classes
from exp.data.table import SURE, Reading, Table
from exp.registry.registry import register
from exp.util.errors import DataError, shown

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], Field(min_length=1)]
Dates = bool | Names | Annotated[dict[Text, Text], Field(min_length=1)]
NaValues = list[str | int | float]
Decimal = Annotated[Literal[".", ","], BeforeValidator(delimiter_of)]
Thousands = Annotated[Literal[",", ".", " ", "'"], BeforeValidator(delimiter_of)]
Categories = Annotated[int, Field(ge=2, le=65_536)]
Missing = Literal["refuse", "drop", "impute"]
Delimiter = Annotated[Literal[",", ";", "\t", "|", " "], BeforeValidator(delimiter_of)]
Read = Callable[..., Table]


def columns_apart(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    target, features = values.get("target"), values["features"]
    dates = values.get("dates", False)
    named = {
        "features": values["features"] or [],
        "categorical": values["categorical"] or [],
        "dates": [] if isinstance(dates, bool) else list(dates),
    }
    for key, names in named.items():
        for name, count in repeated(names).items():
            yield key, f"names {shown(name)} {count} times"
        if target is not None and target in names:
            yield key, f"names {shown(target)}, which is the target"
        for name in names if features is not None else ():
            if name not in features:
                yield key, f"names {shown(name)}, which is not among the features"
    for name in named["dates"]:
        if name in named["categorical"]:
            yield "dates", f"names {shown(name)}, which `categorical` names too"
    if values.get("thousands") == values.get("decimal", "."):
        yield "thousands", "is the sign before the decimals as well (dataset.decimal)"


@register.dataset("csv", check=columns_apart)
def csv(
    seed: int,
    *,
    path: Text,
    target: Text,
    features: Names | None = None,
    categorical: Names | None = None,
    max_categories: Categories | None = None,
    dates: Dates = False,
    decimal: Decimal = ".",
    thousands: Thousands | None = None,
    missing: Missing = "refuse",
    na_values: NaValues | None = None,
    test_path: Text | None = None,
    delimiter: Delimiter = ",",
) -> Data:
    """Your own rows: a csv file in UTF-8 with a header line, numbers, texts, a column of labels.

    Args:
        seed: not used.
        path: of the file, relative to the working directory; ~ is the home.
        target: name of the column that holds the labels: text or integers. They are numbered in
            sorted order (as numbers, if all are), and keep their text as the names of the classes.
        features: names of the columns to learn from, in the order wanted; null takes all but the
            target and the index of a pandas table.
        categorical: names of columns of numbers that stand for categories. Columns of text are
            categories anyway. Each category of the training rows becomes a column of 0 and 1.
        max_categories: so many columns at most are made of one column of categories: the rarest
            of the training rows share the last one. null makes one for each.
        dates: names of columns of dates (as 2026-11-28, with or without a time), which become days
            since 1970-01-01; true takes every column of dates; {column: "%d.%m.%Y"} names formats.
        decimal: the sign before the decimals of a number.
        thousands: the sign between groups of three digits; null: there is none.
        missing: what is done about missing values: refuse them, drop their rows, or impute the
            median (of categories the most frequent) of the training rows. Rows without a label are
            refused, or dropped.
        na_values: texts that stand for a missing value, of features and target alike; null takes
            what pandas takes (NA, N/A, NaN, null, None, ...) and ?, in any case of letters. An
            empty field is always missing.
        test_path: another file with the same columns, whose rows are the test rows; `split.test`
            is then not used.
        delimiter: what stands between two fields: , ; | tab or space.

    Returns:
        X [rows, features] in the order of the file, test rows last; as many classes as there are
        labels.

    Raises:
        DataError: naming file, line and column of up to 10 faults.
    """
    from exp.data.csv_file import read_table

    reading = reading_of(missing, categorical, dates, decimal, thousands, na_values)
    read = partial(read_table, target=target, delimiter=delimiter)
    return data_of(read, path, test_path, target, features, reading, max_categories)


@register.dataset("parquet", check=columns_apart)
def parquet(
    seed: int,
    *,
    path: Text,
    target: Text,
    features: Names | None = None,
    categorical: Names | None = None,
    max_categories: Categories | None = None,
    dates: Dates = False,
    decimal: Decimal = ".",
    thousands: Thousands | None = None,
    missing: Missing = "refuse",
    na_values: NaValues | None = None,
    test_path: Text | None = None,
) -> Data:
    """Your own rows: a Parquet file of numbers, texts and a column of labels (`exp[parquet]`).

    Args:
        seed: not used.
        path: of the file, relative to the working directory; ~ is the home.
        target: name of the column of labels, as for `csv`.
        features: names of the columns to learn from; null takes all but the target and the index
            of a pandas table.
        categorical: names of columns of numbers that stand for categories, as for `csv`.
        max_categories: how many columns are made of one column of categories, as for `csv`.
        dates: names of columns of dates and timestamps, which become days since 1970-01-01 (UTC).
        decimal: the sign before the decimals, in columns of text that hold numbers.
        thousands: the sign between groups of three digits in them.
        missing: what is done about missing values (null and NaN), as for `csv`.
        na_values: texts that stand for a missing value, as for `csv`.
        test_path: another file with the same columns, as for `csv`.

    Raises:
        DataError: naming file, row and column of up to 10 faults.
        ExpError: pyarrow is not installed.
    """
    from exp.data.column_file import read_parquet

    reading = reading_of(missing, categorical, dates, decimal, thousands, na_values)
    read = partial(read_parquet, target=target)
    return data_of(read, path, test_path, target, features, reading, max_categories)


@register.dataset("npz", check=columns_apart)
def npz(
    seed: int,
    *,
    path: Text,
    features: Names | None = None,
    categorical: Names | None = None,
    max_categories: Categories | None = None,
    missing: Missing = "refuse",
    na_values: NaValues | None = None,
    test_path: Text | None = None,
) -> Data:
    """Your own rows: an npz file of arrays X and y, and maybe names.

    X [rows, features] holds numbers, y [rows] integers or texts, names [features] texts.

    Args:
        seed: not used.
        path: of the file, relative to the working directory; ~ is the home.
        features: names of the columns to learn from, x1, x2, ... where the file has no names; null
            takes all.
        categorical: names of columns that stand for categories, as for `csv`.
        max_categories: how many columns are made of one column of categories, as for `csv`.
        missing: what is done about missing values (NaN), as for `csv`.
        na_values: numbers and texts that stand for a missing value, as for `csv`.
        test_path: another file with the same columns, as for `csv`.

    Raises:
        DataError: naming file, row and column of up to 10 faults.
    """
    from exp.data.column_file import read_npz

    reading = reading_of(missing, categorical, na_values=na_values)
    return data_of(read_npz, path, test_path, "y", features, reading, max_categories)


def reading_of(
    missing: Missing,
    categorical: Sequence[str] | None,
    dates: bool | Sequence[str] | Mapping[str, str] = False,
    decimal: str = ".",
    thousands: str | None = None,
    na_values: Sequence[str | float] | None = None,
) -> Reading:
    """How the fields are read, from the parameters of a data set."""
    columns: Mapping[str, str | None] | bool
    if isinstance(dates, bool):
        columns = dates
    else:
        columns = dict(dates) if isinstance(dates, Mapping) else dict.fromkeys(dates)
    return Reading(
        missing=missing,
        categorical=tuple(categorical or ()),
        dates=columns,
        decimal=decimal,
        thousands=thousands,
        na_values=None if na_values is None else tuple(na_values),
    )


def data_of(
    read: Read,
    path: str,
    test_path: str | None,
    target: str,
    features: Sequence[str] | None,
    reading: Reading,
    max_categories: int | None,
) -> Data:
    """The rows of one file, or of two.

    Args:
        read: makes a table of a file.
        reading: how its fields are read.
    """
    tables = [read(path, features=features, reading=reading)]
    paths = [path]
    first = tables[0]
    known = replace(reading, kinds=dict(zip(first.features, first.kinds, strict=True)))
    if test_path is not None:
        tables.append(read(test_path, features=first.features, reading=known))
        paths.append(test_path)
    labels, codes = classes(paths, tables, target)
    X, categories = merged(tables)
    rows, test = len(first.X), None
    notes = [note for each in zip(paths, tables, strict=True) for note in notes_of(*each)]
    if features is None:
        notes += counters(path, first)
    if test_path is not None:
        test = np.arange(rows, len(X), dtype=np.int64)
        notes.append(f"the test rows are those of {test_path}; split.test is not used")
    return Data(
        precise(X),
        codes,
        labels,
        first.features,
        (None,) * X.shape[1],
        categories if any(each is not None for each in categories) else (),
        reading.missing == "impute",
        test,
        tuple(notes),
        max_categories,
        known,
    )


def notes_of(path: str, table: Table) -> Iterator[str]:
    """What a user should hear of how a file was read."""
    if table.dropped:
        yield f"{counted(table.dropped)} of {path} left out: a value is missing"
    named = [shown(name, 40) for name in table.index if name]
    unnamed = len(table.index) - len(named)
    if unnamed:
        what = "the first column has" if unnamed == 1 else f"the first {unnamed} columns have"
        yield f"{path}: {what} no name and is no feature, as the index of a pandas table"
    if named:
        yield (
            f"{path}: {', '.join(named)} is the index of a pandas table and no feature "
            "(dataset.features can name it)"
        )
    yield from (f"{path}, {note}" for note in table.notes)


def counters(path: str, table: Table) -> Iterator[str]:
    """Columns that only count the rows, of which an index is the likeliest."""
    for at, kind in enumerate(table.kinds):
        column = table.X[:, at]
        rows = len(column) + table.dropped
        if kind != "number" or rows <= SURE or column[0] not in (0.0, 1.0):
            continue
        steps = np.diff(column)
        if (steps >= 1).all() and (steps % 1 == 0).all() and column[-1] - column[0] < rows:
            yield (
                f"{path}, column {shown(table.features[at], 40)} counts the rows: if it is no "
                "feature, name those that are in dataset.features"
            )


def classes(
    paths: Sequence[str], tables: Sequence[Table], target: str
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the classes, and the label of each row of all tables.

    Raises:
        DataError: labels that cannot be classes, or that only the test rows have.
    """
    first = tables[0]
    met = used(first)
    if reason := not_classes(met, len(first.codes)):
        raise DataError(f"{paths[0]}, column {shown(target)} (the target): {reason}")
    names = tuple(met[at] for at in in_order(met))
    place = {known_by(name): n for n, name in enumerate(names)}
    for path, table in zip(paths[1:], tables[1:], strict=True):
        strange = [label for label in used(table) if known_by(label) not in place]
        if strange:
            listed = ", ".join(shown(label, 40) for label in strange[:10])
            known = ", ".join(shown(name, 40) for name in names[:20])
            raise DataError(
                f"{path}, column {shown(target)} (the target): no row of {paths[0]} has the label "
                f"{listed}; its labels are {known}"
            )
    codes = [
        np.array([place.get(known_by(label), -1) for label in table.labels], np.int64)[table.codes]
        for table in tables
    ]
    return names, np.concatenate(codes)


def used(table: Table) -> list[str]:
    """The labels of its rows; a row that was left out may have had another."""
    return [table.labels[code] for code in np.unique(table.codes).tolist()]


def merged(
    tables: list[Table],
) -> tuple[NDArray[np.float64], tuple[tuple[str, ...] | None, ...]]:
    """X of all tables, and for each column its categories, sorted."""
    X = tables[0].X if len(tables) == 1 else np.concatenate([table.X for table in tables])
    ends = np.cumsum([len(table.X) for table in tables]).tolist()
    found: list[tuple[str, ...] | None] = []
    for column, categories in enumerate(tables[0].categories):
        if categories is None:
            found.append(None)
            continue
        every = [table.categories[column] or () for table in tables]
        met: dict[str, str] = {}
        for text in (text for texts in every for text in texts):
            met.setdefault(known_by(text), text)
        texts = list(met.values())
        names = tuple(texts[at] for at in in_order(texts))
        place = {known_by(name): n for n, name in enumerate(names)}
        for start, end, own in zip([0, *ends[:-1]], ends, every, strict=True):
            ranks = np.array([place[known_by(text)] for text in own] or [0], np.float64)
            codes = X[start:end, column]
            there = ~np.isnan(codes)
            codes[there] = ranks[codes[there].astype(np.int64)]
        found.append(names)
    return X, tuple(found)

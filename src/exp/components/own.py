"""A user's own rows: csv, Parquet and npz files, with a file of test rows where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from exp.csvfile import delimiter_of
from exp.data import Data
from exp.datafaults import counted, repeated
from exp.errors import DataError, shown
from exp.labels import in_order, not_classes
from exp.registry import register
from exp.table import Table

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], Field(min_length=1)]
Missing = Literal["refuse", "drop", "impute"]
Delimiter = Annotated[Literal[",", ";", "\t", "|", " "], BeforeValidator(delimiter_of)]
Read = Callable[..., Table]


def columns_apart(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    target, features = values.get("target"), values["features"]
    for key in ("features", "categorical"):
        for name, count in repeated(values[key] or []).items():
            yield key, f"names {shown(name)} {count} times"
        if target is not None and target in (values[key] or []):
            yield key, f"names {shown(target)}, which is the target"
    for name in values["categorical"] or []:
        if features is not None and name not in features:
            yield "categorical", f"names {shown(name)}, which is not among the features"


@register.dataset("csv", check=columns_apart)
def csv(
    seed: int,
    *,
    path: Text,
    target: Text,
    features: Names | None = None,
    categorical: Names | None = None,
    missing: Missing = "refuse",
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
            target.
        categorical: names of columns of numbers that stand for categories. Columns of text are
            categories anyway. Each category met in the training rows becomes a column of 0 and 1.
        missing: what is done about missing values, which are empty, NA, N/A, NaN, null, none or ?:
            refuse them, drop their rows, or impute the median (of categories the most frequent) of
            the training rows. Rows without a label are refused, or dropped.
        test_path: another file with the same columns, whose rows are the test rows; `split.test`
            is then not used.
        delimiter: what stands between two fields: , ; | tab or space.

    Returns:
        X [rows, features] in the order of the file, test rows last; as many classes as there are
        labels.

    Raises:
        DataError: naming file, line and column of up to 10 faults.
    """
    from exp.csvfile import read_table

    read = partial(read_table, target=target, delimiter=delimiter)
    return data_of(read, path, test_path, target, features, categorical, missing)


@register.dataset("parquet", check=columns_apart)
def parquet(
    seed: int,
    *,
    path: Text,
    target: Text,
    features: Names | None = None,
    categorical: Names | None = None,
    missing: Missing = "refuse",
    test_path: Text | None = None,
) -> Data:
    """Your own rows: a Parquet file of numbers, texts and a column of labels (`exp[parquet]`).

    Args:
        seed: not used.
        path: of the file, relative to the working directory; ~ is the home.
        target: name of the column of labels, as for `csv`.
        features: names of the columns to learn from; null takes all but the target.
        categorical: names of columns of numbers that stand for categories, as for `csv`.
        missing: what is done about missing values (null and NaN), as for `csv`.
        test_path: another file with the same columns, as for `csv`.

    Raises:
        DataError: naming file, row and column of up to 10 faults.
        ExpError: pyarrow is not installed.
    """
    from exp.columnfile import read_parquet

    read = partial(read_parquet, target=target)
    return data_of(read, path, test_path, target, features, categorical, missing)


@register.dataset("npz", check=columns_apart)
def npz(
    seed: int,
    *,
    path: Text,
    features: Names | None = None,
    categorical: Names | None = None,
    missing: Missing = "refuse",
    test_path: Text | None = None,
) -> Data:
    """Your own rows: an npz file of arrays X and y, and maybe names, without pickles.

    X [rows, features] holds numbers, y [rows] integers or texts, names [features] texts.

    Args:
        seed: not used.
        path: of the file, relative to the working directory; ~ is the home.
        features: names of the columns to learn from, x1, x2, ... where the file has no names; null
            takes all.
        categorical: names of columns that stand for categories, as for `csv`.
        missing: what is done about missing values (NaN), as for `csv`.
        test_path: another file with the same columns, as for `csv`.

    Raises:
        DataError: naming file, row and column of up to 10 faults.
    """
    from exp.columnfile import read_npz

    return data_of(read_npz, path, test_path, "y", features, categorical, missing)


def data_of(
    read: Read,
    path: str,
    test_path: str | None,
    target: str,
    features: Sequence[str] | None,
    categorical: Sequence[str] | None,
    missing: Missing,
) -> Data:
    """The rows of one file, or of two.

    Args:
        read: makes a table of a file.
    """
    tables = [read(path, features=features, missing=missing, categorical=categorical or ())]
    paths = [path]
    if test_path is not None:
        first = tables[0]
        kinds = zip(first.features, first.categories, strict=True)
        texts = [name for name, categories in kinds if categories is not None]
        tables.append(
            read(
                test_path, features=first.features, missing=missing, categorical=texts, looked=False
            )
        )
        paths.append(test_path)
    labels, codes = classes(paths, tables, target)
    X, categories = merged(tables)
    gaps = missing == "impute"
    rows, test = len(tables[0].X), None
    notes = [
        f"{counted(table.dropped)} of {each} left out: a value is missing"
        for each, table in zip(paths, tables, strict=True)
        if table.dropped
    ]
    if test_path is not None:
        test = np.arange(rows, len(X), dtype=np.int64)
        notes.append(f"the test rows are those of {test_path}; split.test is not used")
    return Data(
        X,
        codes,
        labels,
        tables[0].features,
        (None,) * X.shape[1],
        categories if any(each is not None for each in categories) else (),
        gaps,
        test,
        tuple(notes),
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
    place = {name: n for n, name in enumerate(names)}
    for path, table in zip(paths[1:], tables[1:], strict=True):
        strange = [label for label in used(table) if label not in place]
        if strange:
            listed = ", ".join(shown(label, 40) for label in strange[:10])
            known = ", ".join(shown(name, 40) for name in names[:20])
            raise DataError(
                f"{path}, column {shown(target)} (the target): no row of {paths[0]} has the label "
                f"{listed}; its labels are {known}"
            )
    codes = [
        np.array([place.get(label, -1) for label in table.labels], np.int64)[table.codes]
        for table in tables
    ]
    return names, np.concatenate(codes)


def used(table: Table) -> list[str]:
    """The labels of its rows; a row that was left out may have had another."""
    return [table.labels[code] for code in np.unique(table.codes).tolist()]


def merged(
    tables: Sequence[Table],
) -> tuple[NDArray[np.float32], tuple[tuple[str, ...] | None, ...]]:
    """X of all tables, and for each column its categories, sorted."""
    parts = [table.X.copy() for table in tables]
    found: list[tuple[str, ...] | None] = []
    for column, categories in enumerate(tables[0].categories):
        if categories is None:
            found.append(None)
            continue
        every = [table.categories[column] or () for table in tables]
        met = list(dict.fromkeys(text for texts in every for text in texts))
        names = tuple(met[at] for at in in_order(met))
        place = {name: n for n, name in enumerate(names)}
        for X, texts in zip(parts, every, strict=True):
            ranks = np.array([place[text] for text in texts] or [0], np.float32)
            there = ~np.isnan(X[:, column])
            X[there, column] = ranks[X[there, column].astype(np.int64)]
        found.append(names)
    return np.concatenate(parts), tuple(found)

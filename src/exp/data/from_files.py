"""From one file of rows, or two, to `Data`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.dataset import Data, Floats, coarse
from exp.data.labels import MANY, SURE, in_order, integers, is_numeric, key, not_classes
from exp.data.read_table import Table, read_table
from exp.data.reading_settings import FILLING, Reading, Task, is_number, naming
from exp.data.split_columns import columns_of_split
from exp.data.text_parsing import clue, fitting_notations
from exp.util.errors import DataError, shown
from exp.util.memory import give_back


def data_of(
    kind: str,
    path: str,
    test_path: str | None,
    reading: Reading,
    max_categories: int | None,
    *,
    fine: bool = False,
) -> Data:
    """The rows of one file, or of two.

    Args:
        kind: csv, parquet or npz.
        path: of the file.
        test_path: of a file of test rows, which is read as the first one shows its columns.
        reading: how the files are read.
        max_categories: as for `Data`.
        fine: whether some column needs float64. Large files are read as if none did, and again if
            one does.

    Raises:
        DataError: up to 10 errors, each with file, line and column.
        ExpError: pyarrow is not installed.
    """
    alone = test_path is None  # else whether a column needs float64 depends on both files
    tables = [read_table(path, kind, reading, narrow=alone and not fine)]
    first = tables[0]
    notes = [*first.notes, *([] if reading.features else counters(first))]
    features = tuple(first.kinds)
    task: Task = "classes" if is_labels(first) else "number"
    known = replace(reading, task=task, kinds=first.kinds, aside=(), weights=None, exclude=())
    test = None
    if test_path is not None:
        settings = replace(known, features=features, weights=reading.weights)
        tables.append(read_table(test_path, kind, settings))
        rows = [table.rows for table in tables]
        test = np.arange(rows[0], sum(rows), dtype=np.int64)
        notes += tables[1].notes
        notes.append(f"the test rows are those of {test_path}; split.test is not used")
    classes, y = labelled(tables, reading)
    if reading.task == "auto":
        notes += taken_as(first, str(reading.target), classes, y)
    found = [numbers_of(tables, name) for name in features]
    if first.narrow and any(column.dtype == np.float64 for column, _ in found):
        del found
        return data_of(kind, path, test_path, reading, max_categories, fine=True)
    categories = [texts for _, texts in found]
    columns = [column for column, _ in found]
    del found
    # The split divides the rows of the first file only.
    aside = columns_of_split({name: first.aside[name] for name in first.aside}, first.rows)
    aside = {name: np.resize(column, len(y)) for name, column in aside.items()}
    if first.narrow:
        give_back()
    X = matrix(columns)
    if first.narrow:
        give_back()
    return Data(
        X,
        y,
        classes,
        features,
        (None,) * len(features),
        tuple(categories) if any(texts is not None for texts in categories) else (),
        reading.missing in FILLING,
        test,
        tuple(notes),
        max_categories,
        known,
        columns=aside,
        weights=weights_of(tables),
    )


def numbers_of(tables: list[Table], name: str) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """A column of all tables, which lose it, as numbers [rows]; and its categories, if there are
    some."""
    parts = [table.columns.pop(name) for table in tables]
    values = pd.concat(parts) if len(parts) > 1 else parts[0]
    texts = None
    if tables[0].kinds[name] == "category":
        codes, texts = numbered(values)
        values = np.where(codes < 0, np.nan, codes).astype(np.float32)
    return np.asarray(values), texts


def matrix(columns: list[NDArray[Any]]) -> Floats:
    """Columns as rows [rows, columns], float64 if one of them needs it; the list is emptied."""
    fine = any(column.dtype != np.float32 and coarse(column) for column in columns)
    X = np.empty((len(columns[0]), len(columns)), np.float64 if fine else np.float32)
    columns.reverse()
    for at in range(X.shape[1]):
        X[:, at] = columns.pop()
    return X


def weights_of(tables: list[Table]) -> NDArray[np.float32] | None:
    """The weight of each row of all tables; None: all rows count the same."""
    found = [table.weights for table in tables if table.weights is not None]
    return pd.concat(found).to_numpy(np.float32) if found else None


def is_labels(table: Table) -> bool:
    """Whether the target of a table is a class and not a number."""
    return table.labels is not None and table.labels.dtype.kind != "f"


def labelled(tables: list[Table], reading: Reading) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Names of the classes, and the label of each row of all tables, int64; or no classes, and
    the number of each row, float32.

    Raises:
        DataError: labels that cannot be classes, or that only the test rows have; numbers that
            float32 cannot distinguish.
    """
    target = str(reading.target)
    place = f"{tables[0].path}, column {shown(target)} (the target)"
    if not is_labels(tables[0]):
        values = np.concatenate([np.asarray(table.labels, np.float64) for table in tables])
        if coarse(values):
            raise DataError(
                f"{place}: the numbers differ too little for float32, in which models compute: "
                "subtract their mean, or use another unit"
            )
        return (), values.astype(np.float32)
    first, *others = (table.labels.astype(object) for table in tables if table.labels is not None)
    if reading.task == "auto":
        counts = first.value_counts()
        texts = [str(text) for text in counts.index]
        ways = fitting_notations(texts, counts.to_numpy())
        if settings := [str(way) for way in ways if is_numeric(texts, counts.to_numpy(), way)]:
            raise DataError(
                f"{place}: most values, such as {shown(texts[0], 40)}, are numbers in another "
                f"notation: set {' or '.join(settings)}, or dataset.task=classes"
            )
    if reason := not_classes(list(first.unique()), len(first), chosen=reading.task == "classes"):
        text = str(first.iloc[0])
        looks = None if is_number(text) else clue(text)
        raise DataError(f"{place}: {reason}{f' ({looks})' if looks else ''}")
    y, names = numbered(pd.concat([first, *others]))
    _, known = numbered(first)
    if strange := [name for name in names if name not in known]:
        listed = ", ".join(shown(name, 40) for name in strange[:10])
        there = ", ".join(shown(name, 40) for name in known[:20])
        raise DataError(
            f"{tables[1].path}, column {shown(target)} (the target): no row of {tables[0].path} "
            f"has the label {listed}; its labels are {there}"
        )
    return names, y


def taken_as(table: Table, target: str, classes: tuple[str, ...], y: NDArray[Any]) -> Iterator[str]:
    """What the target was taken for, where it might be something else."""
    place = f"{table.path}, column {shown(target, 40)} (the target)"
    if not classes:
        found = f"{len(np.unique(y))} different values, such as {y[0]:g}"
        yield f"{place} is taken for a number ({found}): dataset.task=classes takes it for classes"
    elif len(classes) > MANY and integers(classes):
        found = f"{len(classes)} different integers, such as {shown(classes[0], 40)}"
        yield f"{place} is taken for classes ({found}): dataset.task=number takes it for a number"


def numbered(values: pd.Series) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Texts [rows] as numbers in their order, -1 where they are missing, and what the numbers stand
    for. Of texts that are the same category (1 and 1.0) the first one counts."""
    codes, texts = pd.factorize(values.astype(object))
    places, _ = pd.factorize(np.array([key(text) for text in texts], object))
    _, first = np.unique(places, return_index=True)
    names = [texts[at] for at in first]
    order = in_order(names)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return np.append(rank[places], -1)[codes], tuple(names[at] for at in order)


def counters(table: Table) -> Iterator[str]:
    """A sentence for each column that only counts the rows: most likely it is an index."""
    rows = table.rows + table.dropped
    for name, kind in table.kinds.items():
        column = table.columns[name].to_numpy()
        if kind != "number" or rows <= SURE or column[0] not in (0.0, 1.0):
            continue
        steps = np.diff(column)
        if (steps >= 1).all() and (steps % 1 == 0).all() and column[-1] - column[0] < rows:
            yield (
                f"{table.path}, column {shown(name, 40)} only numbers the rows: if it is "
                f"not a feature, {naming('exclude', name)}"
            )

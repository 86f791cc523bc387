"""A file's rows as numbers, dates, categories and labels: read whole, or refused with all that is
wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from exp.data.dataset import coarse
from exp.data.faults import MOST, rows_text
from exp.data.file_faults import FileFaults, Gap, judge
from exp.data.labels import is_numeric
from exp.data.readers import read
from exp.data.reading_settings import FILLING, Kind, Reading
from exp.data.source import Source
from exp.data.table_columns import Column, Texts, gaps_of, no_date
from exp.data.text_parsing import days, iso
from exp.util.errors import DataError

AT_ONCE = 64 << 20
"""Bytes of numbers that may be in memory beside the rows they become."""
CLASSES = "if the target consists of classes, set dataset.task=classes"


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file.

    Attributes:
        path: of the file.
        columns: the features by name, [rows] each: float64 (or float32, if the file has it so) for
            numbers and days since 1970-01-01, or categories as texts; NaN where a value is missing
            and that is allowed.
        rows: how many there are.
        kinds: what each column holds.
        labels: [rows] the target: texts, or float64 if it is a number; None without a target.
        aside: [rows] texts of each column of `Reading.aside`.
        weights: [rows] float64, at least 0; None: all rows count the same.
        dropped: rows that were left out since a value is missing.
        notes: what a user should know of how the file was read.
        narrow: whether numbers are float32, but in columns that need float64.
    """

    path: str
    columns: dict[str, pd.Series]
    rows: int
    kinds: dict[str, Kind]
    labels: pd.Series | None
    aside: pd.DataFrame
    weights: pd.Series | None
    dropped: int
    notes: tuple[str, ...]
    narrow: bool = False

    @property
    def frame(self) -> pd.DataFrame:
        """The features, [rows, features]."""
        return pd.DataFrame(self.columns)


def read_table(path: str, kind: str, reading: Reading, *, narrow: bool = False) -> Table:
    """The rows of a csv, Parquet or npz file.

    Args:
        narrow: whether numbers of a large file become float32 at once, but in columns that need
            float64.

    Raises:
        DataError: naming line (or row) and column of up to 10 faults.
        ExpError: pyarrow is not installed.
    """
    file = read(path, kind, reading)
    faults, rows = file.faults, len(file.index)
    narrow = narrow and 8 * rows * len(file.columns) > AT_ONCE
    columns: dict[str, pd.Series] = {}
    kinds: dict[str, Kind] = {}
    gaps: list[Gap] = []
    for name in list(file.columns):
        given = file.columns.pop(name)
        column = Column(name, given, file.typed, reading, faults)
        kinds[name], values = column.read()
        if narrow and kinds[name] != "category" and values.dtype == np.float64:
            exact = coarse(values.to_numpy())
            values = values if exact else values.astype(np.float32)
        columns[name] = values
        del given, values
        gaps += column.gaps()
    labels, aside = None, {}
    needed = dict.fromkeys(reading.aside, "a value that the split needs is missing")
    if file.labels is not None:
        labels, missing = read_target(file, file.labels, reading)
        gaps += missing
        if reading.missing not in FILLING:
            needed[str(reading.target)] = "the label is missing"
    weights = None
    if reading.weights is not None:
        weights, without = weights_of(reading.weights, file, reading)
        gaps += without
        needed[reading.weights] = "the weight is missing"
    for name in reading.aside:
        texts = Texts(file.aside[name], reading.na)
        aside[name] = texts.values
        if name in reading.dated:
            aside[name] = dates_of(name, texts, reading, faults)
        gaps += gaps_of(name, texts.values, texts.codes < 0, texts.words)
    judge(gaps, faults, rows, needed, reading.missing)
    faults.raise_any()
    if not rows:
        raise DataError(f"{path} has {'' if file.typed else 'a header and '}no rows")
    kept = np.ones(rows, bool) if labels is None else labels.notna().to_numpy()
    if reading.missing == "drop":
        others = (*aside.values(), *([] if weights is None else [weights]))
        for values in (*columns.values(), *others):
            kept = kept & values.notna().to_numpy()
    if not kept.any():
        raise DataError(f"{path}: a value is missing in each of its {rows_text(rows)}")
    columns_aside = pd.DataFrame(aside, file.index)[kept]
    notes, dropped = list(file.notes), int((~kept).sum())
    if dropped:
        for name in columns:
            columns[name] = columns[name][kept]
        labels = None if labels is None else labels[kept]
        weights = None if weights is None else weights[kept]
        what = "the label" if reading.missing in FILLING else "a value"
        notes.insert(0, f"{rows_text(dropped)} of {path} left out: {what} is missing")
    notes += [f"{path}, {note}" for gap in gaps for note in gap.notes()]
    return Table(
        path,
        columns,
        int(kept.sum()),
        kinds,
        labels,
        columns_aside,
        weights,
        dropped,
        tuple(notes),
        narrow,
    )


def read_target(file: Source, given: pd.Series, reading: Reading) -> tuple[pd.Series, list[Gap]]:
    """The target [rows]: texts, or float64 if it is a number (or a date); and its gaps.

    Args:
        given: the column as the file has it.
    """
    name, task = str(reading.target), reading.task
    kind: Kind = "date" if reading.kind(name) == "date" else "number"
    if task == "auto" and has_fractions(given, reading):
        task = "number"
    if task != "number" and kind == "number":
        texts = Texts(given, reading.na)
        found = [] if task == "classes" or reading.dates is not True else texts.texts
        if found and not np.isnan(days(found)).any():
            kind = "date"
        elif task == "classes" or not is_numeric(texts.texts, texts.counts, reading.notation):
            labels = texts.values
            return labels, [*gaps_of(name, labels, texts.codes < 0, texts.words)]
    column = Column(name, given, file.typed, replace(reading, kinds={name: kind}), file.faults)
    column.advice = CLASSES
    _, numbers = column.read()
    return numbers, [*column.gaps()]


def has_fractions(given: pd.Series, reading: Reading) -> bool:
    """Whether most rows of a target hold numbers as Python writes them, and some have a fraction.
    Saves a look at each text of a million numbers; False: that look decides."""
    if not (given.dtype.kind == "f" or pd.api.types.is_string_dtype(given)):
        return False
    if not reading.notation.plain:
        return False
    numbers = reading.notation.numbers(given)
    numbers = numbers[~(np.isnan(numbers) | np.isin(numbers, reading.na.numbers))]
    return 2 * len(numbers) >= len(given) and bool((numbers != np.floor(numbers)).any())


def weights_of(name: str, file: Source, reading: Reading) -> tuple[pd.Series, Iterator[Gap]]:
    """The weights of the rows, and where one is missing. Adds a fault for each that is none."""
    as_numbers = replace(reading, kinds={name: "number"})
    column = Column(name, file.aside[name], file.typed, as_numbers, file.faults)
    _, values = column.read()
    for row in np.flatnonzero(values.to_numpy() < 0)[: MOST + 1].tolist():
        what = f"the weight {values.iloc[row]:g} is negative: expected a number of at least 0"
        file.faults.add(int(values.index[row]), name, what)
    return values, column.gaps()


def dates_of(name: str, texts: Texts, reading: Reading, faults: FileFaults) -> pd.Series:
    """The dates of a column that the split needs, as texts [rows] in ISO 8601, None where missing.
    Adds a fault for each text that is no date."""
    form = reading.date_format(name)
    found = days(texts.texts, form)
    for code in np.flatnonzero(np.isnan(found))[: MOST + 1].tolist():
        faults.add(texts.line(code), name, no_date(texts.texts[code], form))
    known = np.array([*iso(np.nan_to_num(found)), None], object)
    return pd.Series(known[texts.codes], texts.index)

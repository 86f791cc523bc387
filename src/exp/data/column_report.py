"""What a table's columns are taken for, and how to change that."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exp.data.labels import MANY, integers
from exp.data.read_table import Table, read_table
from exp.data.reading_settings import naming
from exp.data.table_settings import EMPTY, Settings, reading_of, settings_of
from exp.util.errors import DataError, shown
from exp.util.serialize import csv_text
from exp.util.terminal import one_line
from exp.util.text_tables import aligned, count

LISTED = 3
"""Categories and classes that are listed by name."""
CODES = 10
"""So many different whole numbers may as well be codes of categories."""
LONGEST = 32
"""Characters of a name in the report."""
VALUE = 20
"""Characters of a value."""


@dataclass(frozen=True)
class ColumnReport:
    """A column of a table.

    Attributes:
        name: of it.
        taken_as: target, number, category, date, groups, weights, time, part, or left out.
        details: its values in short, or why it is left out.
        missing: how many values are missing.
        filled_in: what the model is given in their place; "" if no value is missing.
        change: options of `exp fit` that change this; "": no other way makes sense.
    """

    name: str
    taken_as: str
    details: str = ""
    missing: int = 0
    filled_in: str = ""
    change: str = ""


@dataclass(frozen=True, eq=False)
class TableReport:
    """A table as `exp fit` takes it.

    Attributes:
        path: of the file.
        rows: how many there are.
        columns: the target first, then those of the file in its order.
        settings: of the data set: keys and values.
        notes: what a user should know of the file as a whole.
        table: its rows as they are read.
    """

    path: str
    rows: int
    columns: tuple[ColumnReport, ...]
    settings: Mapping[str, Any]
    notes: tuple[str, ...]
    table: Table

    def text(self) -> str:
        """The report as a table of text."""
        lines = [f"{one_line(self.path)}: {count(self.rows, 'row')}, {len(self.columns)} columns"]
        lines += [f"  {one_line(note)}" for note in self.notes]
        cells = [["column", "taken as", "details", "missing", "to change it"]]
        for each in self.columns:
            gaps = f"{each.missing:,} ({each.filled_in})" if each.filled_in else str(each.missing)
            cells.append([short(each.name), each.taken_as, each.details, gaps, each.change])
        used = [at for at in range(5) if any(line[at] not in ("", "0") for line in cells[1:])]
        return "\n".join([*lines, "", *aligned([[line[at] for at in used] for line in cells])])

    def csv(self) -> str:
        """The report as the content of columns.csv."""
        header = ["column", "taken_as", "details", "missing", "filled_in", "to_change_it"]
        lines = (
            [c.name, c.taken_as, c.details, str(c.missing), c.filled_in, c.change]
            for c in self.columns
        )
        return csv_text(header, lines)


def column_report(
    path: str,
    kind: str,
    target: str,
    given: Mapping[str, Any],
    aside: Mapping[str, str],
    keep: Sequence[str] = (),
) -> TableReport:
    """What each column of a file is taken for.

    Args:
        path: of the file.
        kind: csv or parquet.
        target: name of the column that is predicted.
        given: settings of the data set that are decided already.
        aside: name of a column that is no feature -> what it is for (groups, time, part).
        keep: columns that are not left out whatever they look like.

    Raises:
        DataError: the file cannot be read, lacks a column, or has a column that can be read in
            several ways.
    """
    settings = settings_of(path, kind, target, given, tuple(aside), keep)
    if len(settings.left_out) == len(settings.names):
        raise DataError(f"{path}: {no_features(settings.left_out)}")
    table = read_table(path, kind, reading_of(settings.values, aside))
    found = {
        name: left_out(name, why)
        if (why := settings.left_out.get(name))
        else feature(name, table, settings)
        for name in settings.names
    }
    for name, role in aside.items():
        different = count(table.aside[name].nunique(), "different value")
        found[name] = ColumnReport(name, role, f"{different}; not a feature")
    if table.weights is not None:
        name, ends = str(settings.values["weights"]), described(table.weights, "number")
        found[name] = ColumnReport(name, "weights", f"{ends}; not a feature")
    rows = table.rows + table.dropped
    return TableReport(
        path,
        rows,
        (of_target(target, table), *found.values()),
        settings.values,
        tuple(dict.fromkeys([*settings.notes, *table.notes])),
        table,
    )


def left_out(name: str, why: str) -> ColumnReport:
    change = "" if why == EMPTY else f"--keep {shlex.quote(name)}"
    return ColumnReport(name, "left out", why, change=change)


def no_features(left_out: Mapping[str, str]) -> str:
    """Why there is nothing to learn from."""
    listed = "; ".join(f"{shown(name)}: {why}" for name, why in list(left_out.items())[:5])
    return f"no column is left to learn from ({listed}). --keep COLUMN keeps one"


def feature(name: str, table: Table, settings: Settings) -> ColumnReport:
    """A column that the model learns from."""
    values, kind = table.columns[name], table.kinds[name]
    there = values.dropna()
    missing = len(values) - len(there)
    filled = ""
    if missing:
        own = settings.values["missing"] == "indicate"
        category = "a category of its own" if own else "the most frequent value"
        filled = category if kind == "category" else "the median"
    details, change = described(there, kind), ""
    if reason := settings.how.get(name):
        details, change = f"{details} ({reason})", f"--exclude {shlex.quote(name)}"
    elif kind == "number" and 2 < there.nunique() <= CODES and (there % 1 == 0).all():
        change = f"--config '{naming('categorical', name)}'"
    return ColumnReport(name, kind, details, missing, filled, change)


def described(values: pd.Series, kind: str) -> str:
    """Values in short: from where to where they are, or which categories there are."""
    if kind == "category":
        return listed(values, "category", "categories")
    low, high = float(values.min()), float(values.max())
    if kind == "date":
        first, last = (pd.Timestamp(0) + pd.Timedelta(days=day) for day in (low, high))
        return f"{first.date()} to {last.date()}"
    different = values.nunique()
    ends = f"{low:.6g} to {high:.6g}"
    return f"{ends} ({different} different values)" if different <= CODES else ends


def listed(values: pd.Series, one: str, many: str) -> str:
    """How many different texts there are, and the most frequent ones."""
    counts = values.value_counts()
    counts = counts[counts > 0]
    names = ", ".join(short(str(name), VALUE) for name in counts.index[:LISTED])
    more = ", ..." if len(counts) > LISTED else ""
    return f"{len(counts):,} {one if len(counts) == 1 else many}: {names}{more}"


def of_target(name: str, table: Table) -> ColumnReport:
    """The column that is predicted."""
    labels = table.labels
    assert labels is not None
    if labels.dtype.kind == "f":
        details = f"number, {described(labels, 'number')}"
        return ColumnReport(name, "target", details, change="--config dataset.task=classes")
    many = labels.nunique() > MANY and integers([str(label) for label in labels.unique()])
    change = "--config dataset.task=number" if many else ""
    return ColumnReport(name, "target", listed(labels, "class", "classes"), change=change)


def short(text: str, most: int = LONGEST) -> str:
    """A text of the file, printable, of at most so many characters."""
    text = one_line(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"

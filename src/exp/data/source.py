"""What a file of rows says, and which of its columns are features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from exp.data.faults import repeated
from exp.data.file_faults import FileFaults
from exp.data.reading_settings import DELIMITERS, Reading, is_number
from exp.util.errors import nearest, shown

LARGEST = 4 << 30
"""Bytes of an array or a file, unpacked: more is taken for a mistake."""


@dataclass
class Source:
    """What a file says.

    Attributes:
        path: of the file.
        columns: a column for each feature, by name. Of a csv file float64 with NaN for missing
            values, where there is nothing but numbers, else texts, "" where nothing stands.
        index: counts the rows as messages do: lines of a csv file, rows of others.
        labels: the target, or None.
        aside: the columns of `Reading.besides`, by name.
        typed: whether the file says which columns hold numbers.
        faults: what is wrong in the file so far.
        notes: what a user should know of how it was read.
    """

    path: str
    columns: dict[str, pd.Series]
    index: pd.Index
    labels: pd.Series | None
    aside: pd.DataFrame
    typed: bool
    faults: FileFaults
    notes: list[str]


def source(
    path: str,
    columns: dict[str, pd.Series],
    rows: pd.Index,
    features: Sequence[str],
    reading: Reading,
    faults: FileFaults,
    index: Sequence[str],
    *,
    typed: bool,
) -> Source:
    labels = None if reading.target is None else columns[reading.target]
    listed = ", ".join(shown(name, 40) for name in index)
    note = (
        f"{listed} is the index of a pandas table and not a feature (dataset.features can add it)"
    )
    notes = [f"{path}: {note}"] if index else []
    aside = pd.DataFrame({name: columns[name] for name in reading.besides}, rows)
    kept = {name: columns[name] for name in features}
    return Source(path, kept, rows, labels, aside, typed, faults, notes)


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
    weights = () if reading.weights is None else (reading.weights,)
    for name in dict.fromkeys((*target, *weights, *reading.exclude, *reading.named)):
        if not name or name not in names:
            faults.add(line, None, no_column(name, names, reading.delimiter))
    for name in reading.exclude:
        if name in reading.aside:
            what = "the split uses this column: remove it from dataset.exclude; it is no feature"
            faults.add(line, name, what)
    for name in reading.aside:
        if name not in names:
            what = f"needed by the split: {no_column(name, names, reading.delimiter)}"
            faults.add(line, None, what)
        elif name in target:
            faults.add(
                line,
                name,
                ("the split uses this column, but it is the target: choose another column"),
            )
    for name in reading.dated:
        if reading.features is not None and name not in (*reading.features, *reading.aside):
            faults.add(line, name, "`dates` names this column, which is not among the features")
    if reading.features is not None or faults.found:
        return list(reading.features or ())
    for place, name in enumerate(names):
        if not name:
            faults.add(line, None, no_name(place, "list the features in `features`"))
    left_out = {*target, *reading.besides, *reading.exclude}
    left_out |= {name for name in index if name not in reading.named}
    features = [name for name in names if name not in left_out]
    if not features:
        but = " and the index" if index else ""
        but += " and the columns of the split" if reading.aside else ""
        but += " and the weights" if reading.weights else ""
        but += " and the columns of dataset.exclude" if reading.exclude else ""
        faults.add(
            line,
            None,
            f"there is no column besides {shown(*target)}{but}, so there are no features",
        )
    return features


def no_name(place: int, remedy: str) -> str:
    return f"column {place + 1} has no name; if it is not a feature, {remedy}"


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

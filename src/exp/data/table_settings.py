"""How a table is to be read, by what is in it: `exp fit` starts from a file and a target alone.

Only what is certain is decided here: a column that could be read in two ways is left to the reader,
which reports it and names the settings.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from exp.data.file_faults import FileFaults
from exp.data.labels import SURE
from exp.data.readers import parquet_columns, read, records
from exp.data.reading_settings import DELIMITERS, SIGNS, Notation, Reading
from exp.data.table_columns import DATES, NUMBERS, Texts, numbers_of
from exp.data.text_parsing import MOST_LOOKED_AT, days, fitting_formats, hint, notations
from exp.util.errors import DataError, unknown
from exp.util.text_file import content, place_of
from exp.util.text_tables import count

LOOKED_AT = 200
"""Rows of a csv file that show its delimiter."""
FEW = 10
"""A column with fewer values, in a table of ten times as many rows, is almost empty."""
MIXED = 0.1
"""Share of texts in a column of numbers above which they are no typing errors."""
CODE = re.compile(r"0\d+")
IDENTIFIER = re.compile(r"(?i:(?:.*[_\- .])?(?:id|uuid|guid|nr|key))|.*[a-z](?:I[dD]|N[rR])")
"""Names of columns that number things."""
EMPTY = "no values"
ISO = "ISO8601"
"""The name of that format for pandas."""


@dataclass
class Settings:
    """How a table is read.

    Attributes:
        values: keys of the data set and their values, those that were given included.
        notes: what a user should know of the file as a whole.
        left_out: column -> why it is no feature.
        how: column -> why it is read as it is, if that is not obvious.
        names: of the columns that are or might be features, in the order of the file.
    """

    values: dict[str, Any]
    names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)


def kind_of(path: str) -> str:
    """csv or parquet, by the content of a file.

    Raises:
        DataError: it cannot be read, or is a spreadsheet, an archive or an npz file.
    """
    place = place_of(path, "a csv or Parquet file")
    try:
        with place.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    if start == b"PAR1":
        return "parquet"
    if start[:2] == b"PK" or start == b"\xd0\xcf\x11\xe0":
        what = {".npz": "an npz file", ".zip": "an archive"}.get(place.suffix, "a spreadsheet")
        raise DataError(f"{path} is {what}, expected csv or Parquet: save the table as csv")
    if start[:2] == b"\x1f\x8b":
        raise DataError(f"{path} is compressed, expected csv or Parquet: unpack it first")
    return "csv"


def delimiter_of(path: str) -> str:
    """The delimiter of a csv file: the one that gives most rows as many fields as the header has,
    at least two. A comma if there is none."""
    raw = content(path)
    found: dict[str, tuple[float, int]] = {}
    for sign in DELIMITERS:
        rows = [fields for _, fields in records_of(raw, sign)]
        width = len(rows[0]) if rows else 0
        fitting = sum(len(fields) == width for fields in rows)
        # A space also stands within texts and dates: it counts only if nothing else fits.
        if width > 1 and 2 * fitting > len(rows) and not (sign == " " and found):
            found[sign] = (fitting / len(rows), width)
    return max(found, key=lambda sign: found[sign], default=",")


def records_of(raw: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="")
    return itertools.islice(records(text, delimiter, FileFaults("", "line")), LOOKED_AT)


def columns_of(path: str) -> list[str]:
    """The names of all columns of a csv or Parquet file, in its order.

    Raises:
        DataError: it cannot be read.
    """
    if kind_of(path) == "parquet":
        return parquet_columns(path)
    rows = [fields for _, fields in records_of(content(path), delimiter_of(path))]
    return [name.strip() for name in rows[0]] if rows else []


def settings_of(
    path: str,
    kind: str,
    target: str,
    given: Mapping[str, Any],
    aside: Iterable[str] = (),
    keep: Sequence[str] = (),
) -> Settings:
    """The settings of a data set for a table.

    Args:
        path: of the file.
        kind: csv or parquet.
        target: name of the column that is predicted.
        given: settings of the data set that are decided already.
        aside: names of columns that are no features (groups, weights, time).
        keep: columns that are not left out whatever they look like.

    Raises:
        DataError: the file cannot be read, or lacks a column.
    """
    found = Settings({"name": kind, "path": path, "target": target, "missing": "indicate", **given})
    values = found.values
    if kind == "csv" and "delimiter" not in values:
        values["delimiter"] = delimiter_of(path)
        if values["delimiter"] != ",":
            sign = {sign: name for name, sign in SIGNS.items()}[values["delimiter"]]
            found.notes.append(f"the delimiter is a {sign} (dataset.delimiter={sign})")
    reading = reading_of(values, aside)
    source = read(path, kind, reading)
    source.faults.raise_any()
    if not len(source.index):
        raise DataError(f"{path} has no rows")
    found.notes += source.notes
    columns = {
        name: Texts(source.columns[name], reading.na)
        for name in source.columns
        if not source.typed or stored_as(source.columns[name]) not in (*NUMBERS, *DATES)
    }
    if not source.typed and not {"decimal", "thousands"} & set(given):
        labels = [] if source.labels is None else [Texts(source.labels, reading.na)]
        notation = notation_of([*columns.values(), *labels])
        if not notation.plain:
            values |= {"decimal": notation.decimal, "thousands": notation.thousands}
            found.notes.append(f"numbers are in another notation ({notation})")
            reading = reading_of(values, aside)
    check_names(keep, list(source.columns), "keep")
    decided = {
        name: of_texts(name, columns[name], source.typed, reading, name in keep)
        if name in columns
        else of_values(name, source.columns[name], name in keep)
        for name in source.columns
    }
    decided |= {name: Decided("named in exclude") for name in reading.exclude}
    found.names = list(decided)
    found.left_out = {name: each.why for name, each in decided.items() if each.why}
    kept = {name: each for name, each in decided.items() if not each.why}
    found.how = {name: each.how for name, each in kept.items() if each.how}
    if "categorical" not in given:
        values["categorical"] = [name for name, each in kept.items() if each.category] or None
    if "dates" not in given:
        dates = {name: each.date for name, each in kept.items() if each.date}
        for name in reading.aside:
            if form := date_format(Texts(source.aside[name], reading.na)):
                dates |= {} if form == ISO else {name: form}  # that needs no setting
        plain = set(dates.values()) <= {ISO}
        values["dates"] = (list(dates) if plain else dates) or False
    if found.left_out:
        values["exclude"] = list(found.left_out)
    return found


def reading_of(values: Mapping[str, Any], aside: Iterable[str]) -> Reading:
    """How a table with these settings is read."""
    keys = (
        "features",
        "delimiter",
        "dates",
        "decimal",
        "thousands",
        "na_values",
        "weights",
        "task",
    )
    return Reading(
        texts_only=True,
        target=values["target"],
        missing=values["missing"],
        categorical=values.get("categorical") or (),
        exclude=values.get("exclude") or (),
        aside=tuple(dict.fromkeys(aside)),
        **{key: values[key] for key in keys if values.get(key) is not None},
    )


def stored_as(values: pd.Series) -> str:
    return str(pd.api.types.infer_dtype(values, skipna=True))


@dataclass(frozen=True)
class Decided:
    """What is decided about a column.

    Attributes:
        why: it is left out; "": it is not.
        date: the format of its dates.
        category: its numbers stand for categories.
        how: why it is read like this.
    """

    why: str = ""
    date: str = ""
    category: bool = False
    how: str = ""


def of_values(name: str, values: pd.Series, keep: bool) -> Decided:
    """What to do with a column of numbers or dates of a Parquet file."""
    there = values.dropna()
    why = few_values(len(there), there.nunique(), len(values))
    if stored_as(values) in DATES:
        return Decided("" if keep else why, date=ISO)
    return Decided("" if keep else why or numbered(name, numbers_of(there), len(values)))


def of_texts(name: str, texts: Texts, typed: bool, reading: Reading, keep: bool) -> Decided:
    """What to do with a column of texts, which may stand for numbers or dates."""
    rows, known = len(texts.codes), int((texts.codes >= 0).sum())
    different, counts = len(texts.texts), texts.counts
    if why := few_values(known, different, rows):
        return Decided("" if keep and known else why)
    if reading.kind(name) is not None:
        return Decided()
    identifies = ""
    if different > SURE and 2 * different > rows and not keep:
        identifies = f"{different:,} different texts in {count(rows, 'row')}"
    numbers = reading.notation.numbers(texts.texts)
    plain = ~np.isnan(numbers)
    if plain.all() and any(map(CODE.fullmatch, texts.texts)):
        return Decided(identifies, category=True, how="codes that begin with 0")
    if typed:
        plain[:] = False  # the file says that these are texts
    if plain.all():
        values = numbers[texts.codes[texts.codes >= 0]]
        return Decided("" if keep else numbered(name, values, rows))
    if form := date_format(texts):
        return Decided(date=form)
    others = np.flatnonzero(~plain)
    words = [texts.texts[at] for at in others]
    if plain.any():
        many = counts[others].sum() >= MIXED * known and len(others) > SURE
        if not many or hint(words, counts[others], name, plain=False):
            return Decided()  # most likely typing errors: the reader reports them
        return Decided(identifies, category=True, how="texts and numbers")
    if different > SURE and 2 * different > rows:
        sure = not hint(words, counts, name, plain=typed)
        return Decided(identifies, category=keep) if sure else Decided()
    return Decided()


def few_values(known: int, different: int, rows: int) -> str:
    """Why a column has too few values to learn from; "": it has enough."""
    if not known:
        return EMPTY
    if known < FEW and known * 10 < rows:
        return f"almost empty: {count(known, 'value')} in {count(rows, 'row')}"
    return "the same value in each row" if different == 1 and rows > 1 else ""


def numbered(name: str, numbers: Any, rows: int) -> str:
    """Why numbers only number the rows; "": they do not.

    Args:
        numbers: those that are not missing.
        rows: of the table.
    """
    if rows <= SURE or len(numbers) < rows or not (numbers % 1 == 0).all():
        return ""
    steps = np.diff(numbers)
    if numbers[0] in (0.0, 1.0) and (steps >= 1).all() and numbers[-1] - numbers[0] < rows:
        return "numbers the rows"
    if IDENTIFIER.fullmatch(name.strip()) and len(np.unique(numbers)) == rows:
        return "another number in each row, and the name of an identifier"
    return ""


def notation_of(columns: Sequence[Texts]) -> Notation:
    """How the numbers of a csv file are written: the notation with the fewest settings in which
    most columns are numbers, if there is one such, and if it loses no column that is numbers as
    Python writes them; otherwise that of Python."""
    usual = Notation()
    texts = [column.texts for column in columns if column.texts]
    already = [each for each in texts if all_numbers(usual, each)]
    others = [each for each in texts if each not in already]
    for some in notations():
        votes = {
            notation: sum(all_numbers(notation, each) for each in others)
            for notation in some
            if all(all_numbers(notation, each) for each in already)
        }
        most = max(votes.values(), default=0)
        every = sum(
            any(all_numbers(n, each) for both in notations() for n in both) for each in others
        )
        best = [notation for notation, number in votes.items() if number == most]
        if most and most == every and len(best) == 1:
            return best[0]
    return usual


def all_numbers(notation: Notation, texts: list[str]) -> bool:
    """Whether all texts are numbers in a notation; a few are looked at first."""
    return all(not np.isnan(notation.numbers(some)).any() for some in (texts[:20], texts) if some)


def date_format(texts: Texts) -> str:
    """The format in which all texts are dates, if there is only one; else ""."""
    if not texts.texts or not np.isnan(days(texts.texts)).any():
        return ISO if texts.texts else ""
    some = texts.texts[:MOST_LOOKED_AT]
    forms = fitting_formats(some, np.ones(len(some)))
    read_as = [days(texts.texts, form) for form in forms]
    same = all(np.array_equal(each, read_as[0]) for each in read_as)
    return forms[0] if forms and same and not np.isnan(read_as[0]).any() else ""


def check_names(names: Iterable[str], known: Sequence[str], option: str) -> None:
    """
    Raises:
        DataError: there is no column of such a name.
    """
    for name in names:
        if name not in known:
            raise DataError(f"{option}: {unknown('column', name, known, 'The columns are')}")

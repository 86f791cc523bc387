"""A measured table as cells of text, for every way of showing it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from exp.cli.reproduce.published import Number, Row, Table, verdict

DIGITS = 6
"""Decimals of a measured number, at most."""


@dataclass(frozen=True)
class Grid:
    """Rows of a table that have the same columns.

    Attributes:
        header: the heads of all columns.
        lines: the cells of each row.
        rows: the numbers of each line.
        first: how many columns stand before the numbers.
    """

    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    first: int


def grids(table: Table) -> Iterator[Grid]:
    """Published / measured, row by row."""
    start = ("run", "epoch") if any(part.label for part in table.parts) else ("epoch",)
    for columns, parts in groupby(table.parts, key=lambda part: part.columns):
        labelled = [(part.label, row) for part in parts for row in part.rows]
        lines = [
            (*(label, epoch_of(row))[-len(start) :], *map(cell, row), within(row), verdict(row))
            for label, row in labelled
        ]
        header = (*start, *columns, "within", "verdict")
        yield Grid(header, tuple(lines), tuple(row for _, row in labelled), len(start))


def epoch_of(row: Row) -> str:
    epoch = next(number.epoch for number in row if number is not None)
    return "end" if epoch is None else str(epoch)


def cell(number: Number | None) -> str:
    """`published / measured`; with a mark if it differs, in brackets if it is not compared."""
    if number is None:
        return "-"
    bound = f"{number.bound} " if number.bound else ""
    text = f"{bound}{number.value:.10g} / {measured(number)}"
    marks = {"differs": f"{text} !", "shown": f"({text})"}
    return marks.get(number.verdict, text)


def measured(number: Number) -> str:
    """With the digits that the tolerance and the published number have."""
    if number.measured is None:
        return "none"
    if number.tolerance == 0 or not math.isfinite(number.measured):
        return f"{number.measured:.6g}"
    _, _, printed = f"{number.value:.10g}".partition(".")
    needed = max(len(printed), math.floor(-math.log10(number.tolerance)) + 1)
    return f"{number.measured:.{min(DIGITS, max(1, needed))}f}"


def within(row: Row) -> str:
    """The tolerances of a row, in the order of its columns; one where all are the same."""
    compared = [number for number in row if number is not None and number.compared]
    texts = ["bound" if number.bound else f"{number.tolerance:g}" for number in compared]
    return ", ".join(texts[:1] if len(set(texts)) == 1 else texts)

"""A judged table as cells of text, for every way of showing it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from exp.cli.reproduce.verdict import Judged, Number, Row

DIGITS = 6
"""Decimals of a measured number, at most."""


@dataclass(frozen=True)
class Grid:
    """Rows of a table that have the same columns.

    Attributes:
        header: the heads of all columns.
        lines: the cells of each row.
        rows: what each line tells of.
        first: how many columns stand before the numbers.
    """

    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    first: int


def grids(judged: Judged) -> Iterator[Grid]:
    """Published / measured, row by row."""
    labels = any(part.label for part in judged.table.parts)
    for columns, group in groupby(judged.rows, key=lambda row: row.part.columns):
        rows = tuple(group)
        start = ("run", "epoch") if labels else ("epoch",)
        lines = []
        for row in rows:
            epoch = "end" if row.line.epoch is None else str(row.line.epoch)
            names = (row.part.label, epoch) if labels else (epoch,)
            cells = map(cell, row.numbers)
            lines.append((*names, *cells, within(row), row.verdict))
        yield Grid((*start, *columns, "within", "verdict"), tuple(lines), rows, len(start))


def cell(number: Number | None) -> str:
    """`published / measured`; with a mark if it differs, in brackets if it is not compared."""
    if number is None:
        return "-"
    bound = f"{number.cell.bound} " if number.cell.bound else ""
    text = f"{bound}{number.cell.value:.10g} / {measured(number)}"
    marks = {"differs": f"{text} !", "shown": f"({text})"}
    return marks.get(number.verdict, text)


def measured(number: Number) -> str:
    """With the digits that the tolerance and the published number have."""
    if number.measured is None:
        return "none"
    if number.tolerance == 0 or not math.isfinite(number.measured):
        return f"{number.measured:.6g}"
    _, _, printed = f"{number.cell.value:.10g}".partition(".")
    needed = max(len(printed), math.floor(-math.log10(number.tolerance)) + 1)
    digits = min(DIGITS, max(1, needed))
    return f"{number.measured:.{digits}f}"


def within(row: Row) -> str:
    """The tolerances of a row, in the order of its columns; one where all are the same."""
    compared = [n for n in row.numbers if n is not None and n.cell.compared]
    texts = ["bound" if n.cell.bound else f"{n.tolerance:g}" for n in compared]
    return ", ".join(texts[:1] if len(set(texts)) == 1 else texts)

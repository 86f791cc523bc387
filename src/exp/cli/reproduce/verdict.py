"""Published against measured: each number, and the table as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from exp.cli.reproduce.published import Cell, Line, Part, Table

Values = Callable[[Table, Part, str, int | None], float | None]
"""What was measured for a column of a part at an epoch."""
ROUNDING = 1e-9
"""Half a unit of a printed digit is within its tolerance, though no float is exactly that."""


@dataclass(frozen=True)
class Number:
    """One number of a table.

    Attributes:
        column: what it is.
        cell: as it was published.
        measured: None where no run has got there.
        tolerance: how far it may be away.
    """

    column: str
    cell: Cell
    measured: float | None
    tolerance: float

    @property
    def verdict(self) -> str:
        """reproduced, differs, or shown: not compared."""
        if not self.cell.compared:
            return "shown"
        return "reproduced" if self.reproduced else "differs"

    @property
    def reproduced(self) -> bool:
        if self.measured is None or not math.isfinite(self.measured):
            return False
        room = self.tolerance + ROUNDING
        if self.cell.bound == ">=":
            return self.measured >= self.cell.value - room
        if self.cell.bound == "<=":
            return self.measured <= self.cell.value + room
        return abs(self.measured - self.cell.value) <= room


@dataclass(frozen=True)
class Row:
    """A row of a table: its numbers, None where nothing was published."""

    part: Part
    line: Line
    numbers: tuple[Number | None, ...]

    @property
    def verdict(self) -> str:
        verdicts = {number.verdict for number in self.numbers if number is not None}
        if "differs" in verdicts:
            return "differs"
        return "reproduced" if "reproduced" in verdicts else "shown"


@dataclass(frozen=True)
class Judged:
    """A table with its rows judged."""

    table: Table
    rows: tuple[Row, ...]

    @property
    def numbers(self) -> list[Number]:
        """Those that are compared."""
        every = [number for row in self.rows for number in row.numbers if number is not None]
        return [number for number in every if number.cell.compared]

    @property
    def reproduced(self) -> int:
        return sum(number.reproduced for number in self.numbers)

    @property
    def verdict(self) -> str:
        return "reproduced" if self.reproduced == len(self.numbers) else "differs"

    @property
    def summary(self) -> str:
        """Such as `reproduced: 40 of 40 numbers`."""
        shown = sum(len([n for n in row.numbers if n is not None]) for row in self.rows)
        more = shown - len(self.numbers)
        text = f"{self.verdict}: {self.reproduced} of {len(self.numbers)} numbers"
        return f"{text}, {more} shown and not compared" if more else text


def judged(table: Table, values: Values) -> Judged:
    """A table beside what was measured."""
    rows = []
    for part in table.parts:
        for line in part.lines:
            numbers = tuple(
                None
                if cell is None
                else Number(column, cell, values(table, part, column, line.epoch), tolerance)
                for column, cell, tolerance in zip(
                    part.columns, line.cells, part.tolerances, strict=True
                )
            )
            rows.append(Row(part, line, numbers))
    return Judged(table, tuple(rows))

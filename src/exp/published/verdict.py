"""What was published beside what was measured, and whether the two are the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from exp.published.measure import Measured
from exp.published.tables import Claim, Part, Table

SLACK = 1e-9
"""Of a difference of two decimal numbers, which neither of them is exactly."""


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        published: None where nothing was.
        measured: None where the run has no such number.
        within: how far one may be from the other.
    """

    published: Claim | None
    measured: float | None
    within: float

    @property
    def met(self) -> bool:
        """Whether what was measured is what was published; nothing published is met by anything."""
        if self.published is None:
            return True
        if self.measured is None:
            return False
        if isinstance(self.published, str):
            bound = float(self.published[1:])
            return self.measured > bound if self.published[0] == ">" else self.measured < bound
        return abs(self.measured - self.published) <= self.within + SLACK


@dataclass(frozen=True)
class Verdict:
    """A table and its runs.

    Attributes:
        table: what was published.
        runs: overrides -> what came out.
    """

    table: Table
    runs: dict[tuple[str, ...], Measured]

    def cells(self, part: Part) -> list[tuple[str, list[Cell]]]:
        """The rows of a part."""
        run = self.runs[part.overrides]
        return [
            (
                at,
                [
                    Cell(*each)
                    for each in zip(row, run.at(at, part.columns), part.within, strict=True)
                ],
            )
            for at, row in part.rows
        ]

    @cached_property
    def counts(self) -> tuple[int, int]:
        """How many numbers were published, and how many of them came out."""
        every = [cell for part in self.table.parts for _, row in self.cells(part) for cell in row]
        compared = [cell for cell in every if cell.published is not None]
        return len(compared), sum(cell.met for cell in compared)

    @property
    def reproduced(self) -> bool:
        total, met = self.counts
        return total == met

    @property
    def sentence(self) -> str:
        """`reproduced: 40 of 40 numbers`"""
        total, met = self.counts
        numbers = "number" if total == 1 else "numbers"
        failed = [run.failure for run in self.runs.values() if run.failure]
        why = f" ({failed[0]})" if failed else ""
        return f"{'reproduced' if self.reproduced else 'differs'}: {met} of {total} {numbers}{why}"

"""Published tables: where each stands, which runs make it, and its numbers beside measured ones."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import yaml

Words = tuple[str, ...]
"""Overrides, as on a command line."""
BOUND = re.compile(r"(>=|<=) ?(-?[0-9.]+)")
ROUNDING = 1e-9
"""Half a unit of a printed digit is within its tolerance, though no float is exactly that."""


@dataclass(frozen=True)
class Number:
    """One number of a table.

    Attributes:
        value: as it was published.
        column: of metrics.csv, or one of `exp.cli.reproduce.measure.SPECIAL`.
        epoch: from 0; None: after the training.
        tolerance: how far a measured number may be from it.
        bound: "" where it is to be reproduced within the tolerance; >= or <= where it is a bound.
        compared: whether it counts; a number that cannot be reproduced, for the reason in the
            note of the table, is shown and not compared.
        measured: None where no run got there, or none was trained yet.
    """

    value: float
    column: str
    epoch: int | None
    tolerance: float
    bound: str = ""
    compared: bool = True
    measured: float | None = None

    @property
    def reproduced(self) -> bool:
        if self.measured is None or not math.isfinite(self.measured):
            return False
        apart, room = self.measured - self.value, self.tolerance + ROUNDING
        return (self.bound == "<=" or apart >= -room) and (self.bound == ">=" or apart <= room)

    @property
    def verdict(self) -> str:
        """reproduced, differs, or shown: not compared."""
        if not self.compared:
            return "shown"
        return "reproduced" if self.reproduced else "differs"


Row = tuple[Number | None, ...]
"""The numbers of one epoch, one for each column; None where nothing was published."""


@dataclass(frozen=True)
class Part:
    """What one run, or one over several seeds, has to show.

    Attributes:
        label: what distinguishes it from the other parts; "" where there is one.
        words: overrides besides the preset.
        seeds: how many runs, `seed` from 0 on; None: one, with the seed of the preset.
        over: what is taken of their values: median or mean.
        columns: the names of the columns.
        rows: in their order.
    """

    label: str
    words: Words
    seeds: int | None
    over: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


Values = Callable[["Table", Part, Number], float | None]
"""What was measured for a number of a part."""


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        name: of the preset that makes it.
        title: a line.
        source: who published it and where.
        url: of the source, or None.
        note: what the tolerances are for.
        parts: in their order.
    """

    name: str
    title: str
    source: str
    url: str | None
    note: str
    parts: tuple[Part, ...]

    def runs(self, part: Part) -> Iterator[Words]:
        """The overrides of each run of a part."""
        words = (f"experiment={self.name}", *part.words)
        if part.seeds is None:
            yield words
        else:
            yield from ((*words, f"seed={seed}") for seed in range(part.seeds))

    def measured(self, values: Values) -> Table:
        """The same table with what was measured beside each number."""

        def filled(part: Part, number: Number | None) -> Number | None:
            return number and replace(number, measured=values(self, part, number))

        parts = [
            replace(part, rows=tuple(tuple(filled(part, n) for n in row) for row in part.rows))
            for part in self.parts
        ]
        return replace(self, parts=tuple(parts))

    @property
    def numbers(self) -> list[Number]:
        return [n for part in self.parts for row in part.rows for n in row if n is not None]

    @property
    def verdict(self) -> str:
        return "differs" if verdict(self.numbers) == "differs" else "reproduced"

    @property
    def summary(self) -> str:
        """Such as `reproduced: 40 of 40 numbers`."""
        verdicts = [number.verdict for number in self.numbers]
        shown = verdicts.count("shown")
        good = verdicts.count("reproduced")
        text = f"{self.verdict}: {good} of {len(verdicts) - shown} numbers"
        return f"{text}, {shown} shown and not compared" if shown else text


def verdict(numbers: Sequence[Number | None]) -> str:
    """Of several numbers: differs where one does; shown where none is compared."""
    verdicts = {number.verdict for number in numbers if number is not None}
    return next((each for each in ("differs", "reproduced") if each in verdicts), "shown")


def names() -> list[str]:
    """The presets that have a published table, by name."""
    folder = files(__package__) / "tables"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir())


def load(name: str) -> Table:
    """The table of a preset.

    Args:
        name: one of `names()`.
    """
    text = (files(__package__) / "tables" / f"{name}.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    return Table(**{**found, "name": name, "parts": tuple(map(part_of, found["parts"]))})


def part_of(written: dict[str, Any]) -> Part:
    columns = tuple(written["columns"][1:])
    rows = []
    for at, *cells in written["rows"]:
        epoch = None if at == "end" else int(at)
        every = zip(cells, columns, written["tolerance"], strict=True)
        rows.append(tuple(number_of(cell, name, epoch, room) for cell, name, room in every))
    return Part(
        label=written.get("label", ""),
        words=tuple(written.get("set", ())),
        seeds=written.get("seeds"),
        over=written.get("over", "median"),
        columns=columns,
        rows=tuple(rows),
    )


def number_of(cell: Any, column: str, epoch: int | None, tolerance: Any) -> Number | None:
    """A cell as a file has it: a number, ">= 0.9", {shown: 0.9}; null where there is none."""
    if cell is None:
        return None
    shown = isinstance(cell, dict)
    value = str(cell["shown"] if shown else cell)
    bound = BOUND.fullmatch(value)
    return Number(
        value=float(bound[2] if bound else value),
        column=column,
        epoch=epoch,
        tolerance=float(tolerance),
        bound=bound[1] if bound else "",
        compared=not shown,
    )

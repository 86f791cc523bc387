"""A published table: where it stands, which runs make it, and its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

Words = tuple[str, ...]
"""Overrides, as on a command line."""
BOUND = re.compile(r"(>=|<=) ?(-?[0-9.]+)")


@dataclass(frozen=True)
class Cell:
    """One published number.

    Attributes:
        value: the number.
        bound: "" where it is to be reproduced within a tolerance; >= or <= where it is a bound.
        compared: whether it counts; a number that cannot be reproduced, for the reason in the
            note of the table, is shown and not compared.
    """

    value: float
    bound: str = ""
    compared: bool = True

    @classmethod
    def of(cls, written: Any) -> Cell | None:
        """A cell as a file has it: a number, ">= 0.9", {shown: 0.9}; null where there is none."""
        if written is None:
            return None
        if isinstance(written, dict):
            return cls(float(written["shown"]), compared=False)
        if isinstance(written, str):
            found = BOUND.fullmatch(written)
            if found is None:
                raise ValueError(f"no number and no bound: {written!r}")
            return cls(float(found[2]), bound=found[1])
        return cls(float(written))


@dataclass(frozen=True)
class Line:
    """A row of a table: the epoch, from 0, or None for after the training; a cell a column."""

    epoch: int | None
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Part:
    """What one run, or one over several seeds, has to show.

    Attributes:
        label: what tells it from the other parts; "" where there is one.
        words: overrides besides the preset.
        seeds: how many runs, `seed` from 0 on; None: one, with the preset's own.
        over: what becomes of their values: median or mean.
        columns: of metrics.csv, or one of `exp.cli.reproduce.measure.SPECIAL`.
        tolerances: for each column, how far a number may be from the published one.
        lines: the rows.
    """

    label: str
    words: Words
    seeds: int | None
    over: str
    columns: tuple[str, ...]
    tolerances: tuple[float, ...]
    lines: tuple[Line, ...]


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
    return Table(
        name=name,
        title=found["title"],
        source=found["source"],
        url=found["url"],
        note=found["note"],
        parts=tuple(part(each) for each in found["parts"]),
    )


def part(written: dict[str, Any]) -> Part:
    columns = tuple(written["columns"][1:])
    tolerances = tuple(float(number) for number in written["tolerance"])
    if len(columns) != len(tolerances):
        raise ValueError(f"{len(columns)} columns and {len(tolerances)} tolerances")
    lines = []
    for at, *cells in written["rows"]:
        if len(cells) != len(columns):
            raise ValueError(f"{len(columns)} columns and {len(cells)} cells")
        lines.append(Line(None if at == "end" else int(at), tuple(map(Cell.of, cells))))
    return Part(
        label=written.get("label", ""),
        words=tuple(written.get("set", ())),
        seeds=written.get("seeds"),
        over=written.get("over", "median"),
        columns=columns,
        tolerances=tolerances,
        lines=tuple(lines),
    )

"""Tables that others have published, as they stand in `published/tables/`.

A file names its source, says how near is near enough, and lists runs by their overrides, with the
numbers that were published of each: by epoch, of the `last` epoch, or of the trained model at the
`end`. A number is met within the tolerance of its column; a text such as ">0.96" is a claim.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from exp.errors import ExpError, unknown

Claim = float | str
Row = tuple[str, tuple[Claim | None, ...]]
"""An epoch, `last` or `end`, and a number for each column; None where none was published."""


@dataclass(frozen=True)
class Part:
    """What was published of one run.

    Attributes:
        overrides: of the run.
        columns: metrics, as metrics.csv and summary.json name them.
        within: how far each may be from what was published.
        rows: the numbers.
    """

    overrides: tuple[str, ...]
    columns: tuple[str, ...]
    within: tuple[float, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        name: of the table, and of the preset that its runs begin with.
        title: in a few words.
        source: who published it, and where.
        url: of the page, if there is one.
        tolerance: in words.
        parts: by run.
    """

    name: str
    title: str
    source: str
    url: str | None
    tolerance: str
    parts: tuple[Part, ...]

    @property
    def runs(self) -> list[tuple[str, ...]]:
        """The overrides of every run, each once."""
        return list(dict.fromkeys(part.overrides for part in self.parts))


@cache
def names() -> tuple[str, ...]:
    """All tables there are."""
    found = (entry.name for entry in files("exp.published").joinpath("tables").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


@cache
def table(name: str) -> Table:
    """The table of this name.

    Raises:
        ExpError: there is none.
    """
    if name not in names():
        raise ExpError(f"exp reproduce: {unknown('table', name, names())}")
    text = files("exp.published").joinpath("tables", f"{name}.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return Table(
        name=name,
        title=found["title"],
        source=found["source"],
        url=found.get("url"),
        tolerance=found["tolerance"],
        parts=tuple(map(part, found["runs"])),
    )


def part(found: dict[str, Any]) -> Part:
    rows = ((str(at), tuple(values)) for at, values in found["rows"].items())
    columns, within = tuple(found["columns"]), tuple(float(each) for each in found["within"])
    return Part(tuple(found["run"]), columns, within, tuple(rows))


def said(claim: Claim | None) -> str:
    """A published number as one writes it."""
    return "" if claim is None else claim if isinstance(claim, str) else json.dumps(claim)

"""Published against measured, as text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exp.published.tables import Part, said
from exp.published.verdict import Cell, Verdict
from exp.report.layout import aligned

PLACES = {"last": "last epoch", "end": "trained"}
"""What the rows that are no epochs are called."""
LEGEND = (
    "Every cell: published | measured. A row is of an epoch, of the last one, or of the trained "
    "model."
)


def text(verdict: Verdict) -> str:
    """One table for a terminal."""
    table = verdict.table
    lines = [f"{table.name}: {table.title}", f"  {table.source}"]
    lines += [f"  {table.url}"] if table.url else []
    lines += [f"  Tolerance: {table.tolerance}"]
    for heading, rows in grids(verdict):
        lines += ["", *([f"  {heading}"] if heading else []), *(f"  {r}" for r in aligned(rows))]
    return "\n".join([*lines, "", f"  {verdict.sentence}"])


def grids(verdict: Verdict) -> list[tuple[str, list[list[str]]]]:
    """The rows of every part under the overrides that it has besides its preset, a header first."""
    found: list[tuple[str, list[list[str]]]] = []
    for part in verdict.table.parts:
        heading = " ".join(part.overrides[1:])
        header = ["epoch", *part.columns, ""]
        body = [
            [
                PLACES.get(at, at),
                *map(both, cells),
                "ok" if all(c.met for c in cells) else "DIFFERS",
            ]
            for at, cells in verdict.cells(part)
        ]
        if found and found[-1][0] == heading and found[-1][1][0] == header:
            found[-1][1].extend(body)
        else:
            found.append((heading, [header, *body]))
    return found


def both(cell: Cell) -> str:
    """`0.6688 | 0.66877`, one digit more than was published."""
    if cell.published is None:
        return "-"
    return f"{said(cell.published)} | {'missing' if cell.measured is None else shown(cell)}"


def shown(cell: Cell) -> str:
    assert cell.measured is not None
    decimals = len(said(cell.published).partition(".")[2])
    return f"{cell.measured:.{min(decimals + 1, 6)}f}"


def summary(verdicts: Sequence[Verdict]) -> str:
    """A line for each table."""
    lines = [[v.table.name, v.table.title, v.sentence] for v in verdicts]
    return "\n".join(aligned(lines))


def markdown(verdicts: Sequence[Verdict], command: str) -> str:
    """All tables as one page."""
    pieces = [
        "# Published tables, reproduced",
        (
            f"Made by `{command}`. {LEGEND.replace('|', 'then')} To repeat one table: "
            "`exp reproduce` with its name; to train it and look at it: `experiment=` "
            "with its name."
        ),
        grid([["table", "what", "verdict"]] + [row(verdict) for verdict in verdicts]),
    ]
    for verdict in verdicts:
        table = verdict.table
        source = f"[{table.source}]({table.url})" if table.url else table.source
        pieces += [f"## {table.name}", f"{table.title}. Source: {source}."]
        pieces.append(f"Tolerance: {table.tolerance}.")
        for heading, rows in grids(verdict):
            pieces += [f"`{heading}`"] if heading else []
            pieces.append(grid([[cell.replace(" | ", " → ") for cell in line] for line in rows]))
        pieces.append(f"**{verdict.sentence}**")
    return "\n\n".join(pieces) + "\n"


def row(verdict: Verdict) -> list[str]:
    name = verdict.table.name
    return [f"[{name}](#{name})", verdict.table.title, verdict.sentence]


def grid(lines: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; the first line is its header."""
    header, *rest = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([header, "|" + "---|" * len(lines[0]), *rest])


def first_picture(verdict: Verdict, part: Part) -> Path | None:
    """The boundary of a part's run, where it was drawn."""
    place = verdict.runs[part.overrides].path / "figures" / "boundary.png"
    return place if place.is_file() else None

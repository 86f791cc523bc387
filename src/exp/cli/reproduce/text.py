"""Measured tables as text for a terminal, and as a page in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from exp.cli.reproduce.published import Table
from exp.cli.reproduce.table_cells import grids
from exp.util.text_tables import aligned

WIDTH = 100


def terminal(table: Table) -> str:
    """A table with its source, its rows and its verdict."""
    lines = [f"{table.name}: {table.title}", *wrapped(table.source)]
    if table.url is not None:
        lines.append(f"  {table.url}")
    for grid in grids(table):
        lines.append("")
        rows = [grid.header, *grid.lines]
        right = range(grid.first - 1, len(grid.header) - 2)
        lines += [f"  {line}" for line in aligned(rows, right)]
    return "\n".join([*lines, "", *wrapped(table.note), f"  {table.summary}"])


def wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def overview(every: Sequence[Table]) -> str:
    """A line for each table, and one for all."""
    lines = [(table.name, table.title, table.summary) for table in every]
    good = sum(table.verdict == "reproduced" for table in every)
    return "\n".join([*aligned(lines), f"{good} of {len(every)} tables reproduced"])


def markdown(every: Sequence[Table]) -> str:
    """A page of all tables."""
    good = sum(table.verdict == "reproduced" for table in every)
    lines = [
        "# Reproduced",
        "",
        ("Published tables beside the results of exp. `exp reproduce --all` repeats them."),
        "A cell is *published / measured*; numbers in brackets are not compared. Epochs count",
        f"from 0. {good} of {len(every)} tables are reproduced.",
        "",
        "| preset | what it is | verdict |",
        "|---|---|---|",
    ]
    for table in every:
        name = table.name
        lines.append(f"| [{name}](#{name}) | {table.title} | {table.summary} |")
    for table in every:
        lines += ["", *section(table)]
    return "\n".join([*lines, ""])


def section(table: Table) -> list[str]:
    source = table.source if table.url is None else f"{table.source} <{table.url}>"
    lines = [f"## {table.name}", "", f"{table.title}. {source}", "", table.note]
    for grid in grids(table):
        rule = ["---"] * grid.first + ["--:"] * (len(grid.header) - grid.first - 1) + ["---"]
        cells = [grid.header, rule, *grid.lines]
        lines += ["", *("| " + " | ".join(row) + " |" for row in cells)]
    return [*lines, "", f"**{table.summary}**"]

"""Judged tables as text for a terminal, and as a page in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from exp.cli.reproduce.layout import grids
from exp.cli.reproduce.verdict import Judged
from exp.util.text_tables import aligned

WIDTH = 100


def terminal(judged: Judged) -> str:
    """A table with its source, its rows and its verdict."""
    table = judged.table
    lines = [f"{table.name}: {table.title}", *wrapped(table.source)]
    if table.url is not None:
        lines.append(f"  {table.url}")
    for grid in grids(judged):
        lines.append("")
        rows = [grid.header, *grid.lines]
        right = range(grid.first - 1, len(grid.header) - 2)
        lines += [f"  {line}" for line in aligned(rows, right)]
    return "\n".join([*lines, "", *wrapped(table.note), f"  {judged.summary}"])


def wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def overview(every: Sequence[Judged]) -> str:
    """A line for each table, and one for all."""
    lines = [(judged.table.name, judged.table.title, judged.summary) for judged in every]
    good = sum(judged.verdict == "reproduced" for judged in every)
    return "\n".join([*aligned(lines), f"{good} of {len(every)} tables reproduced"])


def markdown(every: Sequence[Judged]) -> str:
    """A page of all tables."""
    good = sum(judged.verdict == "reproduced" for judged in every)
    lines = [
        "# Reproduced",
        "",
        "Published tables, and what exp measures for them: `exp reproduce --all` does them again.",
        "A cell is *published / measured*; numbers in brackets are not compared. Epochs count",
        f"from 0. {good} of {len(every)} tables are reproduced.",
        "",
        "| preset | what it is | verdict |",
        "|---|---|---|",
    ]
    for judged in every:
        name = judged.table.name
        lines.append(f"| [{name}](#{name}) | {judged.table.title} | {judged.summary} |")
    for judged in every:
        lines += ["", *section(judged)]
    return "\n".join([*lines, ""])


def section(judged: Judged) -> list[str]:
    table = judged.table
    source = table.source if table.url is None else f"{table.source} <{table.url}>"
    lines = [f"## {table.name}", "", f"{table.title}. {source}", "", table.note]
    for grid in grids(judged):
        rule = ["---"] * grid.first + ["--:"] * (len(grid.header) - grid.first - 1) + ["---"]
        cells = [grid.header, rule, *grid.lines]
        lines += ["", *("| " + " | ".join(row) + " |" for row in cells)]
    return [*lines, "", f"**{judged.summary}**"]

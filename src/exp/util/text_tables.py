"""Tables of text for terminals and files: the one place that lays out columns."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exp.util.terminal import one_line


def aligned(lines: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Cells in columns, two spaces between them, each row on one line of any length.

    Args:
        lines: rows of equally many cells; the first may be a header.
        right: columns that are aligned to the right.
    """
    if not lines:
        return []
    table = Table.grid(padding=(0, 2), pad_edge=False)
    for column in range(len(lines[0])):
        table.add_column(justify="right" if column in right else "left", no_wrap=True)
    for line in lines:
        table.add_row(*(Text(one_line(text)) for text in line))
    # The same text on a terminal, in a pipe and in a notebook: no colours, and never wrapped.
    console = Console(
        file=io.StringIO(), width=1 << 20, color_system=None, legacy_windows=False,
        force_jupyter=False,
    )  # fmt: skip
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def number(value: float | None) -> str:
    """A score, a loss, seconds: four decimals, or four digits where these would show little."""
    if value is None:
        return "-"
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 1000 else f"{value:.4g}"


def cell(value: object) -> str:
    """A value of a config in one cell, on one line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if text.isprintable() else repr(text)[1:-1]


def count(number: int, noun: str) -> str:
    """`1 run`, `2,000 runs`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

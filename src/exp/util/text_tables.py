"""Tables of text."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from exp.util.terminal import one_line


def aligned(lines: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Cells in columns, two blanks between them, each on one line.

    Args:
        lines: rows of as many cells each; the first may be a header.
        right: columns that end at one place; the others begin at one.
    """
    lines = [[one_line(text) for text in line] for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))] if lines else []
    return [
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def number(value: float | None) -> str:
    """A score, a loss, seconds: four decimals where they say something."""
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

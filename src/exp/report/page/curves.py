"""Learning curves from metrics.csv, thinned before anything of it is parsed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from exp.bounds import read
from exp.measures import HEADLINES

SIZE = 256 << 20
"""Bytes of a metrics.csv that is read; a million epochs fit."""
MOST = 12
"""Columns; three splits have two each."""
SHOWN = ("loss", *HEADLINES)
"""The scores that have a panel."""

Curves = dict[str, list[Any]]


def curves(path: Path, points: int) -> tuple[Curves | None, bool]:
    """The columns of a metrics.csv at `points` of its rows, the first and the last among them.

    A sweep has thousands of these files with thousands of rows each: only the rows that are kept
    are parsed.

    Args:
        points: at least 2.

    Returns:
        `epoch` and the columns of splits by name, or None where there is no such table; what is no
        finite number is None. And whether rows were left out.
    """
    try:
        lines = read(path, SIZE).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):
        return None, False
    if len(lines) < 2:
        return None, False
    names, rows = lines[0].split(","), lines[1:]
    if names[0] != "epoch":
        return None, False
    table = [rows[at].split(",") for at in kept(len(rows), points)]
    found: Curves = {"epoch": [number(row[0]) for row in table]}
    drawn = [at for at, name in enumerate(names) if name.rpartition("/")[2] in SHOWN][:MOST]
    for column in drawn:
        found[names[column]] = [number(row[column]) if column < len(row) else None for row in table]
    return found, len(rows) > points


def kept(rows: int, points: int) -> list[int]:
    """Which rows are kept, evenly spread."""
    if rows <= points:
        return list(range(rows))
    return [round(i * (rows - 1) / (points - 1)) for i in range(points)]


def number(text: str) -> float | int | None:
    """Three digits are more than a curve on a screen shows; integers stay what they are."""
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.3g}")

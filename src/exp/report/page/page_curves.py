"""Learning curves from metrics.csv, thinned before anything of it is parsed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError
from exp.util.metric_names import HEADLINES

MOST = 12
"""Columns; three splits have two each."""
SHOWN = ("loss", *HEADLINES)
"""The scores that have a panel."""

Curves = dict[str, list[Any]]


def curves(path: Path, points: int) -> tuple[Curves | None, bool]:
    """The columns of a run's metrics.csv at `points` of its rows, the first and the last included.

    A sweep has thousands of these files with thousands of rows each: only the rows that are kept
    are parsed.

    Args:
        points: at least 2.

    Returns:
        `epoch` and the columns of splits by name, or None where there is no such table; what is no
        finite number is None. And whether rows were left out.
    """
    try:
        table = RunRecord(path).history(most=points + 1)
    except RunDirectoryError:
        return None, False
    rows = len(table["epoch"])
    if not rows:
        return None, False
    if thinned := rows > points:
        table = RunRecord(path).history(most=points)
    drawn = [name for name in table if name.rpartition("/")[2] in SHOWN][:MOST]
    found: Curves = {
        name: [number(value) for value in table[name].astype(float).tolist()]
        for name in ("epoch", *drawn)
    }
    return found, thinned


def number(value: float) -> float | int | None:
    """Three digits are more than a curve on a screen shows; integers stay what they are."""
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.3g}")

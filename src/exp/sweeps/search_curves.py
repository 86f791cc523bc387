"""How a run's score went over its epochs, at the steps where it may be pruned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError

PARTS = 10
"""Looks at each tenth of the epochs."""


def steps(epochs: int) -> list[int]:
    """Numbers of trained epochs after which a run of so many may be pruned."""
    return sorted({-(-epochs * part // PARTS) for part in range(1, PARTS)} - {epochs})


def curve(run: Path, metric: str, epochs: int) -> dict[int, float]:
    """The score of a run at each step that it has come to: that of the first evaluation from there
    on, which is where `trainer.prune` looks.

    Args:
        run: its directory.
        metric: a column of metrics.csv; another one has no curve.
        epochs: those of its config.
    """
    found: dict[int, float] = {}
    left = steps(epochs)
    for trained, value in rows(run, metric):
        while left and left[0] <= trained:
            found[left.pop(0)] = value
    return {step: value for step, value in found.items() if math.isfinite(value)}


def rows(run: Path, metric: str) -> Iterator[tuple[int, float]]:
    """Trained epochs and value, for each row of metrics.csv; nothing where that cannot be read."""
    try:
        found = RunRecord(run).history([metric])
    except RunDirectoryError:
        return
    if metric in found:
        yield from zip((found["epoch"] + 1).tolist(), found[metric].tolist(), strict=True)

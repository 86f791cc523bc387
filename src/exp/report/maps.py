"""Decision maps of runs, from their frames.npz, and of several runs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exp.plotting.field import Dots, Field, common
from exp.plotting.picture import TEST, TRAIN
from exp.runs.collection import Row
from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError

GRID = 96
"""Points of a common grid along each side."""
LEAST = 1 / 510
"""No probability is smaller: a byte cannot say how much smaller."""


@dataclass(frozen=True, eq=False)
class Map:
    """What a run's model decides, the one that its scores are of.

    Attributes:
        field: the probabilities.
        classes, axes, note: as in `Frames`.
        split: whose rows are known: test, or train where there are no test rows; empty: none are.
        dots: those rows.
    """

    field: Field
    classes: tuple[str, ...]
    axes: tuple[str, str]
    note: str
    split: str = ""
    dots: Dots | None = None


def last_map(path: Path) -> Map | None:
    """The map of a run's result; None where there is none that can be read."""
    try:
        frames = RunRecord(path).frames_of_result()
    except RunDirectoryError:
        return None
    if not len(frames) or min(len(frames.xs), len(frames.ys)) < 2:
        return None
    p = np.clip(frames.map(-1), LEAST, 1 - LEAST).astype(np.float32)
    field = Field(xs=frames.xs, ys=frames.ys, probabilities=p)
    split = TEST if (frames.split == TEST).any() else TRAIN
    kept = frames.split == split
    if not kept.any():
        return Map(field, frames.classes, frames.axes, frames.note)
    labels = frames.labels[kept]
    dots = Dots(frames.points[kept], labels, labels != frames.predicted[kept])
    name = "test" if split == TEST else "train"
    return Map(field, frames.classes, frames.axes, frames.note, name, dots)


def one_plane(maps: Sequence[Map]) -> bool:
    """Whether maps are of the same plane of the same space, so that points of it can be compared.

    With a note the plane was made from the training rows: the same rows give the same window.
    """
    first = maps[0]
    alike = all(
        (each.classes, each.axes, each.note) == (first.classes, first.axes, first.note)
        for each in maps
    )
    return alike and (
        not first.note or all(each.field.window == first.field.window for each in maps)
    )


def resampled(maps: Sequence[Map]) -> list[Field] | None:
    """The maps on one grid over the window that all of them have; None where there is none."""
    window = common([each.field.window for each in maps])
    if window is None:
        return None
    xs, ys = np.linspace(*window[:2], GRID), np.linspace(*window[2:], GRID)
    return [Field(xs=xs, ys=ys, probabilities=each.field.on(xs, ys)) for each in maps]


class Maps:
    """The decision maps of runs, each read once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._read: dict[int, Map | None] = {}

    def __getitem__(self, place: int) -> Map | None:
        if place not in self._read:
            self._read[place] = last_map(self._rows[place].path)
        return self._read[place]

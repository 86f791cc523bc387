"""The last decision map of a run as a small picture without colours: the page has those of its
theme."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exp.plotting.frames import Frames

SIDE = 64
"""Pixels."""
STEPS = 32
"""Colours of all classes together, as far as their number allows."""
DOTS = 120
"""Rows that are drawn, of all splits."""


@dataclass(frozen=True)
class Thumbnail:
    """
    Attributes:
        pixels: `SIDE` x `SIDE` bytes, the highest row first. `thumbnails.js` knows their colours:
            `max(STEPS // classes, 3)` for each class, from uncertain to
            certain; then one for the rows of each class.
        classes: how many.
    """

    pixels: bytes
    classes: int

    @cached_property
    def size(self) -> int:
        """Bytes that it takes on the page, about."""
        return len(zlib.compress(self.pixels))


def thumbnail(frames: Frames) -> Thumbnail:
    """The last map of a run, on the scale of the figures."""
    chances = np.stack([scaled(layer) for layer in frames.map(-1)])
    count = len(chances)
    steps = max(STEPS // count, 3)
    winner = chances.argmax(axis=0)
    strength = np.clip((chances.max(axis=0) - 1 / count) / (1 - 1 / count), 0.0, 1.0)
    index = np.rint(strength * (steps - 1)).astype(np.int64) + winner * steps
    if count * (steps + 1) <= 256:  # else there is no colour left for a row
        dots(index, frames, count * steps)
    return Thumbnail((index[::-1] % 256).astype(np.uint8).tobytes(), count)


def dots(index: NDArray[np.int64], frames: Frames, first: int) -> None:
    """Some rows, each two pixels wide, in the colour of its true class.

    Args:
        index: `[SIDE, SIDE]` colours, the lowest row first; they are changed.
        first: the colour of class 0.
    """
    rows = np.arange(len(frames.points))
    if len(rows) > DOTS:
        rows = np.linspace(0, len(rows) - 1, DOTS).astype(np.intp)
    low = np.array([frames.xs[0], frames.ys[0]])
    size = np.array([frames.xs[-1], frames.ys[-1]]) - low
    places = (frames.points[rows] - low) / size * (SIDE - 1)
    across, up = np.clip(np.rint(places), 0, SIDE - 2).astype(np.intp).T
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        index[up + dy, across + dx] = first + frames.labels[rows]


def scaled(layer: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[SIDE, SIDE]`, interpolated between the points of the grid."""
    rows, columns = layer.shape
    image = Image.fromarray(layer).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR, box=(0.5, 0.5, columns - 0.5, rows - 0.5)
    )
    return np.asarray(image, dtype=np.float32)

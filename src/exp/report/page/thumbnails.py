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


@dataclass(frozen=True)
class Thumbnail:
    """
    Attributes:
        pixels: `SIDE` x `SIDE` bytes, the highest row first. `thumbnails.js` knows their colours:
            `max(STEPS // classes, 3)` for each class, from uncertain to certain.
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
    return Thumbnail((index[::-1] % 256).astype(np.uint8).tobytes(), count)


def scaled(layer: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[SIDE, SIDE]`, interpolated between the points of the grid."""
    rows, columns = layer.shape
    image = Image.fromarray(layer).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR, box=(0.5, 0.5, columns - 0.5, rows - 0.5)
    )
    return np.asarray(image, dtype=np.float32)

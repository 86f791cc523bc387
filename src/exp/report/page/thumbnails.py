"""The last decision map of a run as a picture of a kilobyte."""

from __future__ import annotations

import base64
import io

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from exp.plotting.frames import Frames
from exp.plotting.style import THEMES, palette

SIDE = 64
"""Pixels."""
MOST = 32
"""Colours, as far as the number of classes allows."""
DOTS = 120
"""Rows that are drawn, of all splits."""


def thumbnail(frames: Frames) -> str:
    """Base64 of a PNG of `SIDE` x `SIDE` pixels, the palette and scale of the figures."""
    chances = np.stack([scaled(layer) for layer in frames.map(-1)])
    count = len(chances)
    steps = max(MOST // count, 3)
    winner = chances.argmax(axis=0)
    strength = np.clip((chances.max(axis=0) - 1 / count) / (1 - 1 / count), 0.0, 1.0)
    index = np.rint(strength * (steps - 1)).astype(np.int64) + winner * steps
    if count * (steps + 1) <= 256:  # else there is no colour left for a row
        dots(index, frames, count * steps)
    image = Image.fromarray((index[::-1] % 256).astype(np.uint8), "P")
    image.putpalette(colours(min(count, 256 // steps), steps))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


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


def colours(count: int, steps: int) -> list[int]:
    """The palette of the PNG: for each class from undecided to certain; then the rows of each."""
    theme = THEMES["light"]
    page = np.array(to_rgb(theme.page))
    amounts = np.linspace(0.0, theme.tint, steps)[:, None]
    ramps = [page + (colour - page) * amounts for colour in palette(count, theme)]
    shades = np.concatenate([*ramps, palette(count, theme)])[:256]
    flat: list[int] = np.rint(shades * 255).astype(int).ravel().tolist()
    return flat

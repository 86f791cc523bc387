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


def thumbnail(frames: Frames) -> str:
    """Base64 of a PNG of `SIDE` x `SIDE` pixels, the palette and scale of the figures."""
    chances = np.stack([scaled(layer) for layer in frames.map(-1)])
    count = len(chances)
    steps = max(MOST // count, 3)
    winner = chances.argmax(axis=0)
    strength = np.clip((chances.max(axis=0) - 1 / count) / (1 - 1 / count), 0.0, 1.0)
    index = np.rint(strength * (steps - 1)).astype(np.int64) + winner * steps
    image = Image.fromarray((index[::-1] % 256).astype(np.uint8), "P")
    image.putpalette(colours(min(count, 256 // steps), steps))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def scaled(layer: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[SIDE, SIDE]`, interpolated between the points of the grid."""
    rows, columns = layer.shape
    image = Image.fromarray(layer).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR, box=(0.5, 0.5, columns - 0.5, rows - 0.5)
    )
    return np.asarray(image, dtype=np.float32)


def colours(count: int, steps: int) -> list[int]:
    """The palette of the PNG: for each class from undecided to certain."""
    theme = THEMES["light"]
    page = np.array(to_rgb(theme.page))
    amounts = np.linspace(0.0, theme.tint, steps)[:, None]
    ramps = [page + (colour - page) * amounts for colour in palette(count, theme)]
    flat: list[int] = np.rint(np.concatenate(ramps) * 255).astype(int).ravel().tolist()
    return flat

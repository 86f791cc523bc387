"""A line of text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

from exp.plotting.marks import pen
from exp.plotting.style import Colour
from exp.plotting.text import FAMILY, written

Align = Literal["left", "center", "right"]

_SHIFT = {"left": 0.0, "center": 0.5, "right": 1.0}


@dataclass(frozen=True, kw_only=True)
class Words:
    """One line of text, placed in inches by its baseline.

    On a pixel canvas it is laid out beforehand and copied, and costs next to nothing when the
    same line was drawn before. SVG and PDF get real text.

    Attributes:
        x, y: inches from the lower left of the figure.
        text: safe to draw.
        size: in points.
        align: which part of the line stands at x (upright: at y).
        upright: turned to be read from below.
    """

    x: float
    y: float
    text: str
    size: float
    colour: str | Colour
    bold: bool = False
    align: Align = "left"
    upright: bool = False

    def draw(self, renderer: RendererBase, per_inch: float) -> None:
        """Put the line on the renderer's canvas."""
        if isinstance(renderer, RendererAgg):
            self._copy(renderer, per_inch)
        else:
            self._write(renderer, per_inch)

    def _copy(self, renderer: RendererAgg, per_inch: float) -> None:
        ink, descent = _inked(self.text, self.size, per_inch, self.bold, self.colour, self.upright)
        x, y = self.x * per_inch, self.y * per_inch
        height, width = ink.shape[:2]
        if self.upright:
            left, low = x + descent - width, y - _SHIFT[self.align] * height
        else:
            left, low = x - _SHIFT[self.align] * width, y - descent
        renderer.draw_image(_plain(), round(left), round(low), ink)

    def _write(self, renderer: RendererBase, per_inch: float) -> None:
        weight = "bold" if self.bold else "normal"
        font = FontProperties(family=FAMILY, size=self.size, weight=weight)
        width = renderer.get_text_width_height_descent(self.text, font, ismath=False)[0]
        x, y = self.x * per_inch, self.y * per_inch
        if self.upright:
            y -= _SHIFT[self.align] * width
        else:
            x -= _SHIFT[self.align] * width
        if renderer.flipy():
            y = renderer.get_canvas_width_height()[1] - y
        context = pen(renderer, self.colour, width=1.0)
        renderer.draw_text(context, x, y, self.text, font, 90 if self.upright else 0, ismath=False)
        context.restore()


@cache
def _plain() -> GraphicsContextBase:
    """A drawing state that all lines share, as none of them changes it."""
    return GraphicsContextBase()


@lru_cache(2048)
def _inked(
    text: str, size: float, dpi: float, bold: bool, colour: str | Colour, upright: bool
) -> tuple[NDArray[np.uint8], float]:
    """RGBA `[height, width, 4]`, the lowest row first, and how far it reaches below its baseline
    (upright: to the right of it)."""
    line = written(text, size, dpi, bold)
    ink = np.empty((*line.coverage.shape, 4), dtype=np.uint8)
    ink[..., :3] = np.array(to_rgb(colour)) * 255.0 + 0.5
    ink[..., 3] = line.coverage
    if upright:
        ink = np.rot90(ink)
    return np.ascontiguousarray(ink[::-1]), line.descent

"""Text and images that cost little: laid out beforehand, they are copied onto the canvas."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image

from exp.figures.style import Colour
from exp.figures.text import written

Align = Literal["left", "center", "right"]

_SHIFT = {"left": 0.0, "center": 0.5, "right": 1.0}


class Line(Text):
    """One line of text, placed in inches by its baseline.

    A `Text` takes a millisecond, more than all else on a sheet; on a pixel canvas this one takes a
    third, and next to nothing when the same line was drawn before. SVG and PDF get real text.

    Args:
        x, y: inches from the lower left of the figure.
        align: which part of the line stands at x (upright: at y): left, center or right.
        upright: turned to be read from below.
    """

    def __init__(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        colour: str | Colour,
        bold: bool = False,
        align: Align = "left",
        upright: bool = False,
    ) -> None:
        super().__init__(
            x,
            y,
            text,
            color=colour,
            fontsize=size,
            fontweight="bold" if bold else "normal",
            horizontalalignment=align,
            verticalalignment="baseline",
            rotation=90 if upright else 0,
            rotation_mode="anchor",
            zorder=9,
        )
        self._bold, self._align, self._upright = bold, align, upright

    def draw(self, renderer: RendererBase) -> None:
        """Put the line on the renderer's canvas."""
        if not isinstance(renderer, RendererAgg):
            super().draw(renderer)
            return
        line = written(self.get_text(), self.get_fontsize(), renderer.dpi, self._bold)
        ink = np.empty((*line.coverage.shape, 4), dtype=np.uint8)
        ink[..., :3] = np.array(to_rgb(self.get_color())) * 255.0 + 0.5
        ink[..., 3] = line.coverage
        x, y = self.get_transform().transform(self.get_unitless_position())
        back = _SHIFT[self._align] * line.coverage.shape[1]
        if self._upright:
            ink = np.rot90(ink)
            left, low = x + line.descent - ink.shape[1], y - back
        else:
            left, low = x - back, y - line.descent
        context = renderer.new_gc()
        renderer.draw_image(context, round(left), round(low), np.ascontiguousarray(ink[::-1]))
        context.restore()


class Raster(Artist):
    """An image that fills a box, scaled once to the canvas's own pixels.

    Args:
        pixels: `[rows, columns, 3]` uint8, the lowest row first.
        box: in the coordinates of the artist's transform.
        nodes: the outermost pixels' centres, not their edges, lie on the box's edges, and colours
            between centres are interpolated; else every pixel is a plain cell.
    """

    def __init__(self, pixels: NDArray[np.uint8], box: Bbox, *, nodes: bool = False) -> None:
        super().__init__()
        self._pixels, self._box, self._nodes = pixels, box, nodes

    def draw(self, renderer: RendererBase) -> None:
        """Put the image on the renderer's canvas."""
        box = self._box.transformed(self.get_transform())
        # 1 for pixels; SVG and PDF count in points and take a finer image.
        finer = renderer.get_image_magnification()
        left, low, right, high = (round(edge * finer) for edge in box.extents)
        size = (max(right - left, 1), max(high - low, 1))
        rows, columns = self._pixels.shape[:2]
        scaled = Image.fromarray(self._pixels).resize(
            size,
            Image.Resampling.BILINEAR if self._nodes else Image.Resampling.NEAREST,
            box=(0.5, 0.5, columns - 0.5, rows - 0.5) if self._nodes else None,
        )
        image = np.full((size[1], size[0], 4), 255, dtype=np.uint8)
        image[..., :3] = np.asarray(scaled)
        context = renderer.new_gc()
        renderer.draw_image(context, left / finer, low / finer, image)
        context.restore()

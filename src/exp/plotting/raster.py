"""Images that fill a box."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.transforms import Bbox, Transform
from numpy.typing import NDArray
from PIL import Image


class Pixels:
    """An image that is scaled to a canvas's own pixels, once for each size in a row.

    Args:
        colours: `[rows, columns, 3]` RGB 0..1, the lowest row first.
        nodes: the outermost pixels' centres, not their edges, lie on the image's edges, and
            colours between centres are interpolated; else every pixel is a plain cell.
    """

    def __init__(self, colours: NDArray[np.floating], *, nodes: bool = False) -> None:
        # Four bytes each, the last one a full alpha: the form in which a canvas takes them.
        self._pixels = np.full((*colours.shape[:2], 4), 255, dtype=np.uint8)
        self._pixels[..., :3] = colours * 255.0 + 0.5
        self._nodes = nodes
        self._scaled: NDArray[np.uint8] | None = None

    def scaled(self, width: int, height: int) -> NDArray[np.uint8]:
        """RGBA `[height, width, 4]`, the lowest row first."""
        if self._scaled is None or self._scaled.shape[:2] != (height, width):
            rows, columns = self._pixels.shape[:2]
            # RGBX, as Pillow would first multiply the colours of RGBA by their alpha.
            image = Image.frombuffer(
                "RGBX", (columns, rows), self._pixels, "raw", "RGBX", 0, 1
            ).resize(
                (width, height),
                Image.Resampling.BILINEAR if self._nodes else Image.Resampling.NEAREST,
                box=(0.5, 0.5, columns - 0.5, rows - 0.5) if self._nodes else None,
            )
            self._scaled = np.asarray(image)
        return self._scaled


class Raster:
    """Pixels that fill a box, which is in the coordinates of `place`."""

    def __init__(self, pixels: Pixels, place: Transform, box: Bbox) -> None:
        self._pixels, self._place, self._box = pixels, place, box

    def draw(self, renderer: RendererBase, per_inch: float) -> None:
        """Put the image on the renderer's canvas."""
        box = self._box.transformed(self._place)
        # 1 for pixels; SVG and PDF count in points and take a finer image.
        finer = renderer.get_image_magnification()
        left, low, right, high = (round(edge * finer) for edge in box.extents)
        image = self._pixels.scaled(max(right - left, 1), max(high - low, 1))
        if isinstance(renderer, RendererAgg):
            # There is nothing to blend: nothing shows through, and the box lies on the canvas.
            untyped: Any = renderer
            canvas = np.asarray(untyped.buffer_rgba())[::-1]
            canvas[low : low + len(image), left : left + image.shape[1]] = image
            return
        context = renderer.new_gc()
        renderer.draw_image(context, left / finer, low / finer, image)
        context.restore()

"""Markers of one look."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import BboxBase, Transform
from numpy.typing import ArrayLike

from exp.plotting.marks import pen, rgba
from exp.plotting.style import Colour

_shape = cache(MarkerStyle)


class Markers:
    """The same marker at every point.

    Args:
        points: `[n, 2]`, in the coordinates of `place`.
        place: from these coordinates to the canvas.
        shape: one of matplotlib's markers.
        size: the diameter in points.
        fill, edge: colours.
        thickness: of the edge, in points.
        clip: nothing is drawn beyond it.
    """

    def __init__(
        self,
        points: ArrayLike,
        place: Transform,
        *,
        shape: str,
        size: float,
        fill: str | Colour,
        edge: str | Colour,
        thickness: float,
        clip: BboxBase | None = None,
    ) -> None:
        self._points = Path(np.asarray(points, dtype=np.float64))
        self._place, self._clip = place, clip
        self._shape, self._size = _shape(shape), size
        self._fill, self._edge, self._thickness = rgba(fill), edge, thickness

    def draw(self, renderer: RendererBase, per_inch: float) -> None:
        """Put the markers on the renderer's canvas."""
        shape = self._shape
        transform: Any = shape.get_transform()  # an Affine2D
        size = renderer.points_to_pixels(self._size)
        context = pen(renderer, self._edge, width=self._thickness, clip=self._clip)
        context.set_joinstyle(shape.get_joinstyle())
        context.set_capstyle(shape.get_capstyle())
        least: Any = shape.get_snap_threshold()
        # Large markers stand on whole pixels; small ones would seem to jump.
        context.set_snap(least if least is None else size >= least)
        renderer.draw_markers(
            context,
            shape.get_path(),
            transform.scale(size),
            self._points,
            self._place,
            self._fill,
        )
        context.restore()

"""Lines of one look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.path import Path
from matplotlib.transforms import BboxBase, Transform
from numpy.typing import ArrayLike, NDArray

from exp.plotting.marks import pen
from exp.plotting.style import Colour


class Strokes:
    """Polylines that share colour, width and dashes.

    Args:
        lines: `[points, 2]` each, in the coordinates of `place`; broken where not a number.
        place: from these coordinates to the canvas.
        colour, width: the width in points.
        alpha: 0 cannot be seen, 1 covers.
        dashes: lengths on and off, as multiples of the width; none: a solid line.
        cap, join: how ends and corners are drawn.
        simplify: whether points that change nothing may be left out, for lines of very many.
        clip: nothing is drawn beyond it.
    """

    def __init__(
        self,
        lines: Sequence[ArrayLike],
        place: Transform,
        *,
        colour: str | Colour,
        width: float,
        alpha: float = 1.0,
        dashes: Sequence[float] = (),
        cap: Literal["butt", "projecting", "round"] = "butt",
        join: Literal["miter", "round"] = "round",
        simplify: bool = False,
        clip: BboxBase | None = None,
    ) -> None:
        self._path = _joined([np.asarray(line, dtype=np.float64) for line in lines])
        if not simplify:
            self._path.should_simplify = False
        self._place, self._clip = place, clip
        self._colour, self._width, self._alpha = colour, width, alpha
        self._dashes = [length * width for length in dashes]
        self._cap, self._join = cap, join

    def draw(self, renderer: RendererBase, per_inch: float) -> None:
        """Put the lines on the renderer's canvas."""
        context = pen(renderer, self._colour, width=self._width, alpha=self._alpha, clip=self._clip)
        context.set_capstyle(self._cap)
        context.set_joinstyle(self._join)
        if self._dashes:
            context.set_dashes(0.0, self._dashes)
        renderer.draw_path(context, self._path, self._place)
        context.restore()


def _joined(lines: Sequence[NDArray[np.float64]]) -> Path:
    """One path with a gap after each line: every path costs time of its own."""
    lengths = np.array([len(line) for line in lines])
    codes = np.full(lengths.sum(), Path.LINETO, dtype=np.uint8)
    codes[lengths.cumsum() - lengths] = Path.MOVETO
    return Path(np.concatenate(lines), codes)


class Fill:
    """An area without an outline.

    Args:
        corners: `[n, 2]`, one after the other; of two, those of a rectangle that are opposite.
        place, colour, alpha, clip: as for `Strokes`.
    """

    def __init__(
        self,
        corners: ArrayLike,
        place: Transform,
        *,
        colour: str | Colour,
        alpha: float,
        clip: BboxBase | None = None,
    ) -> None:
        outline = np.asarray(corners, dtype=np.float64)
        if len(outline) == 2:
            (x0, y0), (x1, y1) = outline
            outline = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        self._path = Path(np.concatenate([outline, outline[:1]]), closed=True)
        self._place, self._clip = place, clip
        self._colour, self._alpha = colour, alpha

    def draw(self, renderer: RendererBase, per_inch: float) -> None:
        """Put the rectangle on the renderer's canvas."""
        context = pen(renderer, self._colour, width=0.0, alpha=self._alpha, clip=self._clip)
        renderer.draw_path(context, self._path, self._place, context.get_rgb())
        context.restore()

"""A decision map: what a model predicts everywhere in a plane, as colours and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from exp.plotting.theme import Theme
from exp.plotting.theme import colours as colours

CERTAIN = 0.9  # the probability of the `certain` lines
_LEVEL = float(np.log(CERTAIN / (1 - CERTAIN)))
_STEEPEST = 16.0  # log-odds beyond this are "certain": float32 cannot say how certain
_TINY = np.float32(1e-30)

Lines = list[NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Map:
    """`probabilities [K, G, G]` over `xs [G]` and `ys [G]`."""

    xs: NDArray[Any]
    ys: NDArray[Any]
    probabilities: NDArray[Any]


class Mapped(Protocol):
    """What has a map: a `Map` or a `Picture`."""

    @property
    def xs(self) -> NDArray[Any]: ...
    @property
    def ys(self) -> NDArray[Any]: ...
    @property
    def probabilities(self) -> NDArray[Any]: ...


class DecisionMap:
    """A map as it is drawn.

    Attributes:
        image: RGB `[G, G, 3]`, each class's colour, the stronger the more certain the model is.
        boundary: lines on which two classes are equally likely.
        certain: lines on which a class has the probability `CERTAIN`.
    """

    def __init__(self, given: Mapped, theme: Theme) -> None:
        self._given, self._theme = given, theme
        p, count = given.probabilities, len(given.probabilities)
        self._finite = np.isfinite(p).all(axis=0)
        p = np.where(self._finite, p, np.float32(1 / count))
        winner = p.argmax(axis=0)
        # The scale is the same in every run: 1/K is undecided, 1 is certain.
        strength = np.clip((p.max(axis=0) - 1 / count) / (1 - 1 / count), 0.0, 1.0)
        self.image = colours(strength, winner, count, theme)
        if not self._finite.all():
            stripes = striped(winner.shape, theme)
            self.image = np.where(self._finite[..., None], self.image, stripes)
        # Lines are sought in logarithms of probabilities: these run nearly straight where the
        # probabilities are steps, so that a line between grid points is smooth.
        logs = np.log(np.maximum(p, _TINY))
        self.boundary: Lines = []
        self.certain: Lines = []
        if count == 2:
            self.boundary, *certain = self._contours(logs[1] - logs[0], 0.0, _LEVEL, -_LEVEL)
            self.certain = [line for lines in certain for line in lines]
            return
        second, first = np.partition(logs, count - 2, axis=0)[-2:]
        total = p.sum(axis=0)
        for label in np.unique(winner[self._finite]).tolist():
            other = np.where(winner == label, second, first)
            self.boundary += next(self._contours(logs[label] - other, 0.0))
            rest = np.log(np.maximum(total - p[label], np.exp(other)))
            self.certain += next(self._contours(logs[label] - rest, _LEVEL))

    def _contours(self, field: NDArray[Any], *levels: float) -> Iterator[Lines]:
        """The lines `[points, 2]` of each level."""
        z = np.ma.masked_array(np.clip(field, -_STEEPEST, _STEEPEST), ~self._finite)
        seeker: Any = contour_generator(x=self._given.xs, y=self._given.ys, z=z)
        return iter([seeker.lines(level) for level in levels])

    def shade(self, axes: Axes) -> None:
        """Fill a panel with the map's colours."""
        fill(axes, self._given, self.image)

    def outline(
        self, axes: Axes, *, width: float = 1.5, certain: bool = False, **style: Any
    ) -> None:
        """Draw the boundary, and the dashed lines of certainty if wanted."""
        if certain:
            dashed = {"linewidths": 0.8, "alpha": 0.5, "linestyles": [(0, (4, 3))]}
            lines(axes, self.certain, colors=[self._theme.ink], **dashed)
        look: dict[str, Any] = {"colors": [self._theme.ink], "linewidths": width} | style
        lines(axes, self.boundary, **look)


def fill(axes: Axes, given: Mapped, image: NDArray[Any]) -> None:
    """Fill a panel with an image `[G, G, 3]` whose pixels' centres are the points of a grid."""
    # matplotlib's fastest way to an image: four channels of float32.
    opaque = np.ones((*image.shape[:2], 4), np.float32)
    opaque[..., :3] = image
    x, y = given.xs, given.ys
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    edges = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    axes.imshow(opaque, extent=edges, interpolation="bilinear", zorder=0.5)


def lines(axes: Axes, found: Lines, **style: Any) -> None:
    """Draw lines of one look, below the rows."""
    look = {"zorder": 2, "capstyle": "round", **style}
    axes.add_collection(LineCollection(found, **look), autolim=False)


def striped(shape: Sequence[int], theme: Theme) -> NDArray[np.float64]:
    """Grey that cannot be taken for a class's colour."""
    y, x = np.indices(tuple(shape))
    stripe = np.where((x + y) % 8 < 2, 0.55, 0.25)[..., None]
    grey: NDArray[np.float64] = np.array(to_rgb(theme.page)) * (1 - stripe)
    grey += np.array(to_rgb(theme.muted)) * stripe
    return grey

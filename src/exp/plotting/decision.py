"""What a model decides everywhere in the plane: a map in colours, and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from contourpy import contour_generator
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from exp.plotting.raster import Pixels
from exp.plotting.style import Theme, palette

CERTAIN = 0.9  # the probability of the `certain` lines
_LEVEL = float(np.log(CERTAIN / (1 - CERTAIN)))
_STEEPEST = 16.0  # log-odds beyond this are "certain": float32 cannot say how certain
_TINY = np.float32(1e-30)

Field = NDArray[np.float32]
Lines = list[NDArray[np.float64]]


class Mapped(Protocol):
    """What has a map: `probabilities [K, G, G]` over `xs [G]` and `ys [G]`, as in a `Picture`."""

    @property
    def xs(self) -> NDArray[Any]: ...
    @property
    def ys(self) -> NDArray[Any]: ...
    @property
    def probabilities(self) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Map:
    """A map by itself."""

    xs: NDArray[Any]
    ys: NDArray[Any]
    probabilities: NDArray[Any]


class Decision:
    """A map as it is drawn.

    Attributes:
        pixels: each class's colour, the stronger the more certain the model is.
        boundary: lines on which two classes are equally likely; every one of them once.
        certain: lines on which a class has the probability `CERTAIN`.
    """

    def __init__(self, picture: Mapped, theme: Theme) -> None:
        p = picture.probabilities
        self._picture, count = picture, len(p)
        self._finite = np.isfinite(p).all(axis=0)
        self._whole = bool(self._finite.all())
        if not self._whole:
            p = np.where(self._finite, p, np.float32(1 / count))
        winner = p.argmax(axis=0)
        # The scale is the same in every run: 1/K is undecided, 1 is certain.
        strength = np.clip((p.max(axis=0) - 1 / count) / (1 - 1 / count), 0.0, 1.0)
        image = colours(strength, winner, count, theme)
        if not self._whole:
            image = np.where(self._finite[..., None], image, striped(self._finite.shape, theme))
        self.pixels = Pixels(image, nodes=True)
        self.boundary: Lines = []
        self.certain: Lines = []
        # Lines are sought in logarithms of probabilities: these run nearly straight where the
        # probabilities are steps, so that a line between grid points is smooth.
        logs = np.log(np.maximum(p, _TINY))
        if count == 2:
            self.boundary, *certain = self._contours(logs[1] - logs[0], 0.0, _LEVEL, -_LEVEL)
            self.certain = [line for lines in certain for line in lines]
        else:
            self._seek(p, logs, winner)

    def _seek(self, p: Field, logs: Field, winner: NDArray[np.intp]) -> None:
        second, first = np.partition(logs, len(logs) - 2, axis=0)[-2:]
        total = p.sum(axis=0)
        for label in np.unique(winner[self._finite]).tolist():
            other = np.where(winner == label, second, first)
            (between,) = self._contours(logs[label] - other, 0.0)
            for line in between:
                self.boundary += _new(line, self._opponents(line, winner, label), label)
            rest = np.log(np.maximum(total - p[label], np.exp(other)))
            (certain,) = self._contours(logs[label] - rest, _LEVEL)
            self.certain += certain

    def _contours(self, field: Field, *levels: float) -> Iterator[Lines]:
        """The lines `[points, 2]` of each level."""
        field = np.clip(field, -_STEEPEST, _STEEPEST)
        low, high = field.min(), field.max()
        if not any(low < level < high for level in levels):
            return iter([[] for _ in levels])
        z = field if self._whole else np.ma.masked_array(field, ~self._finite)
        seeker: Any = contour_generator(x=self._picture.xs, y=self._picture.ys, z=z)
        return iter([seeker.lines(level) for level in levels])

    def _opponents(
        self, line: NDArray[np.float64], winner: NDArray[np.intp], label: int
    ) -> NDArray[np.intp]:
        """`[points]`: which class lies across the line. Its points are on edges of the grid."""
        xs, ys = self._picture.xs, self._picture.ys
        column = np.interp(line[:, 0], xs, np.arange(len(xs)))
        row = np.interp(line[:, 1], ys, np.arange(len(ys)))
        slack = 1e-6
        one = winner[
            np.floor(row + slack).astype(np.intp), np.floor(column + slack).astype(np.intp)
        ]
        two = winner[np.ceil(row - slack).astype(np.intp), np.ceil(column - slack).astype(np.intp)]
        return np.where(one == label, two, one)


def _new(line: NDArray[np.float64], opponents: NDArray[np.intp], label: int) -> Lines:
    """The parts of a class's boundary that no class before it has drawn as its own."""
    earlier = opponents < label
    if not earlier.any():
        return [line]
    kept = ~(earlier[1:] & earlier[:-1])  # segments
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
    return [line[start : stop + 1] for start, stop in edges.reshape(-1, 2).tolist()]


def colours(
    strength: NDArray[np.floating], label: NDArray[np.integer], count: int, theme: Theme
) -> NDArray[np.float32]:
    """The map's RGB `[..., 3]`: the page's colour at strength 0, a tint of the class's at 1."""
    page = np.array(to_rgb(theme.page))
    tints = ((palette(count, theme) - page) * theme.tint).astype(np.float32)
    mixed: NDArray[np.float32] = tints[label] * strength[..., None].astype(np.float32)
    mixed += page.astype(np.float32)
    return mixed


def striped(shape: Sequence[int], theme: Theme) -> NDArray[np.float64]:
    """Grey that cannot be taken for a class's colour."""
    y, x = np.indices(tuple(shape))
    stripe = np.where((x + y) % 8 < 2, 0.55, 0.25)[..., None]
    grey: NDArray[np.float64] = np.array(to_rgb(theme.page)) * (1 - stripe)
    grey += np.array(to_rgb(theme.muted)) * stripe
    return grey

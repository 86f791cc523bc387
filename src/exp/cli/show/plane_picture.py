"""What a terminal shows of a plane: rows, and a decision map below them where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
MARKS = "ox+*#@%&=~"
"""Characters of the rows, a class each; beyond ten classes they repeat."""
REGIONS = ".:-',`;\"^_"
"""Likewise of the region in which the model predicts a class."""
WRONG = "!"
MARGIN = 0.08  # of the range of the rows, on every side, as in the figures


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanePicture:
    """
    Attributes:
        points: `[rows, 2]`, finite.
        labels: `[rows]` in 0..K-1.
        classes: the K names.
        axes: the two axis labels.
        wrong: `[rows]`, which of them are misclassified.
        xs, ys: `[G]` each, increasing; empty where there is no map.
        probabilities: `[K, G, G]` at `(xs[column], ys[row])`.
    """

    points: NDArray[Any]
    labels: Labels
    classes: tuple[str, ...]
    axes: tuple[str, str]
    wrong: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    xs: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    ys: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    probabilities: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0)))

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """`(x0, x1, y0, y1)`: the edges of the map, or what holds all rows."""
        if self.mapped:
            return float(self.xs[0]), float(self.xs[-1]), float(self.ys[0]), float(self.ys[-1])
        if not len(self.points):
            return 0.0, 1.0, 0.0, 1.0
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        margin = np.where(high > low, (high - low) * MARGIN, 1.0)
        (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
        return x0, x1, y0, y1

    def cells(self, width: int, height: int) -> tuple[Labels, NDArray[np.bool_]]:
        """Which class most rows of each cell have, the top line first, `[height, width]`, -1 where
        there is no row; and whether some of them are misclassified."""
        x0, x1, y0, y1 = self.limits
        counts = np.zeros((len(self.classes), height, width), np.int64)
        wrong = np.zeros((height, width), bool)
        x, y = np.asarray(self.points, np.float64).reshape(-1, 2).T
        across = np.clip(((x - x0) / (x1 - x0) * width).astype(int), 0, width - 1)
        down = np.clip(((y1 - y) / (y1 - y0) * height).astype(int), 0, height - 1)
        np.add.at(counts, (self.labels, down, across), 1)
        if len(self.wrong):
            wrong[down[self.wrong], across[self.wrong]] = True
        found = counts.argmax(axis=0)
        found[counts.sum(axis=0) == 0] = -1
        return found, wrong

    def map(self, width: int, height: int) -> NDArray[Any]:
        """The probabilities in the middle of each cell, `[K, height, width]`, the top line first;
        linear between the points of the grid."""
        if not self.mapped:
            return np.zeros((len(self.classes), 0, 0))
        x0, x1, y0, y1 = self.limits
        x = x0 + (np.arange(width) + 0.5) * (x1 - x0) / width
        y = y1 - (np.arange(height) + 0.5) * (y1 - y0) / height
        rows = between(self.ys, y, np.moveaxis(self.probabilities, 1, 0))
        found = between(self.xs, x, np.moveaxis(rows, 2, 0))
        return np.moveaxis(found, 0, 2).swapaxes(0, 1)

    def text(self, width: int = 60, height: int = 20) -> list[str]:
        """The picture in plain characters, with the ends of both axes."""
        rows, wrong = self.cells(width, height)
        regions = self.map(width, height)
        under = np.full((height, width), " ")
        if regions.size:
            under = np.array(list(REGIONS))[regions.argmax(axis=0) % len(REGIONS)]
        over = np.array(list(MARKS))[rows % len(MARKS)]
        shown = np.where(wrong, WRONG, np.where(rows >= 0, over, under))
        return [*self.framed(["".join(line) for line in shown.tolist()], width), *self.key()]

    def framed(self, lines: list[str], width: int) -> Iterator[str]:
        """Lines of so many characters with both axes."""
        x0, x1, y0, y1 = (f"{value:.3g}" for value in self.limits)
        edge = max(len(y0), len(y1), 2)
        for at, line in enumerate(lines):
            label = {0: y1, len(lines) - 1: y0}.get(at, "")
            yield f"{label:>{edge}} |{line}".rstrip()
        yield f"{'':>{edge}} +{'-' * width}"
        middle = f"{self.axes[0]} (up: {self.axes[1]})"
        gap = max(1, width - len(x0) - len(x1) - len(middle))
        yield f"{'':>{edge}}  {x0}{'':<{gap // 2}}{middle}{'':<{gap - gap // 2}}{x1}"

    def key(self) -> list[str]:
        """What the characters mean."""
        named = list(zip(MARKS, REGIONS, self.classes, strict=False))
        more = len(self.classes) - len(named)
        others = [f"and {more} more"] if more > 0 else []
        rows = [f"{mark} {name}" for mark, _, name in named] + others
        rows += [f"{WRONG} misclassified"] if self.wrong.any() else []
        regions = [f"{region} {name}" for _, region, name in named] + others
        shown = [f"rows: {', '.join(rows)}"] if len(self.points) else []
        return ["; ".join([*shown, *([f"predicted: {', '.join(regions)}"] if self.mapped else [])])]

    @property
    def mapped(self) -> bool:
        """Whether there is a map."""
        return len(self.xs) > 1 and len(self.ys) > 1


def between(grid: NDArray[Any], at: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Values over the points of a grid (their first axis), linear between these."""
    right = np.clip(np.searchsorted(grid, at), 1, len(grid) - 1)
    share = np.clip((at - grid[right - 1]) / (grid[right] - grid[right - 1]), 0.0, 1.0)
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    found: NDArray[Any] = values[right - 1] * (1 - share) + values[right] * share
    return found

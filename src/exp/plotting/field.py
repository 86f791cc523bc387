"""A decision map by itself, and several of them on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp.plotting.decision_map import Map

Window = tuple[float, float, float, float]


class Field(Map):
    """What a model predicts in a window of the plane, which others can be laid beside."""

    @property
    def window(self) -> Window:
        """`(x0, x1, y0, y1)`."""
        return float(self.xs[0]), float(self.xs[-1]), float(self.ys[0]), float(self.ys[-1])

    def on(self, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.float32]:
        """The probabilities `[K, rows, columns]` on another grid within the window, bilinear."""
        columns, across = _steps(self.xs, xs)
        rows, up = _steps(self.ys, ys)
        p = self.probabilities
        along = p[:, :, columns] * (1 - across) + p[:, :, columns + 1] * across
        up = up[:, None]
        return np.asarray(along[:, rows] * (1 - up) + along[:, rows + 1] * up, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Dots:
    """Rows of a run.

    Attributes:
        points: `[rows, 2]`, where they lie in the plane.
        labels: `[rows]`, their true classes.
        wrong: `[rows]`, whether they are misclassified.
    """

    points: NDArray[np.floating]
    labels: NDArray[np.integer]
    wrong: NDArray[np.bool_]


def _steps(
    grid: NDArray[np.float64], places: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each place the grid point below it, and how far it lies on the way to the next."""
    at = np.clip(np.interp(places, grid, np.arange(len(grid))), 0.0, len(grid) - 1.0)
    below = np.minimum(at.astype(np.intp), len(grid) - 2)
    return below, (at - below).astype(np.float32)


def union(windows: Sequence[Window]) -> Window:
    """The smallest window that holds all."""
    x0, x1, y0, y1 = np.array(windows).T
    return float(x0.min()), float(x1.max()), float(y0.min()), float(y1.max())


def common(windows: Sequence[Window]) -> Window | None:
    """The largest window that lies in all; None where they share no area."""
    x0, x1, y0, y1 = np.array(windows).T
    shared = float(x0.max()), float(x1.min()), float(y0.max()), float(y1.min())
    return shared if shared[0] < shared[1] and shared[2] < shared[3] else None

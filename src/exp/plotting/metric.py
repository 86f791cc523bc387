"""A metric: how its values are written, and the marks along its axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp.plotting.numbers import number, percent
from exp.plotting.ticks import Ticks, linear


@dataclass(frozen=True)
class Metric:
    """One number that a run is judged by.

    Attributes:
        name: as in summary.json, such as test/accuracy.
        share: whether it is a share between 0 and 1, written in percent.
    """

    name: str
    share: bool

    @property
    def title(self) -> str:
        """The name as people say it."""
        return self.name.replace("/", " ").replace("_", " ")

    def text(self, value: float) -> str:
        """A value in three digits."""
        if not np.isfinite(value):
            return "not finite"
        return percent(value) if self.share and 0 <= value <= 1 else number(value, places=True)

    def limits(self, values: NDArray[np.float64]) -> tuple[float, float]:
        """Ends of an axis that shows these values, with a margin."""
        finite = values[np.isfinite(values)]
        if not len(finite):
            return 0.0, 1.0
        low, high = float(finite.min()), float(finite.max())
        margin = (high - low) * 0.06 or max(abs(high) * 0.05, 1e-3)
        return low - margin, high + margin

    def ticks(self, low: float, high: float) -> Ticks:
        """Round values along an axis."""
        if not self.share:
            return linear(low, high)
        marks, labels = linear(max(low, 0.0) * 100, min(high, 1.0) * 100)
        return [mark / 100 for mark in marks], [f"{label} %" for label in labels]

"""A metric: how its values are written, and how its axis looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from exp.plotting.numbers import number, percent


@dataclass(frozen=True)
class Metric:
    """A score of runs.

    Attributes:
        name: as in summary.json, such as test/accuracy.
        share: whether it is a share between 0 and 1, shown in percent.
    """

    name: str
    share: bool

    @property
    def title(self) -> str:
        """The name in words."""
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

    def scale(self, axes: Axes, limits: tuple[float, float]) -> None:
        """Set the vertical axis of a panel."""
        axes.set_ylim(*limits)
        if self.share:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))

"""The values of one swept parameter, along an axis or a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from exp.plotting.style import wrapped

_MOST = 8  # numbers that all have a tick
_NAMES = 24  # names that all have a tick


@dataclass(frozen=True, eq=False, kw_only=True)
class Levels:
    """All values of a parameter, in order, and which of them each run has.

    Attributes:
        name: of the parameter.
        labels: the C values as text.
        numbers: `[C]`, increasing, where all values are numbers; else None.
        codes: `[runs]` in 0..C-1.
    """

    name: str
    labels: tuple[str, ...]
    numbers: NDArray[np.float64] | None
    codes: NDArray[np.intp]

    @property
    def log(self) -> bool:
        """Whether the numbers are spread more evenly as logarithms."""
        x = self.numbers
        if x is None or len(x) < 2 or x[0] <= 0 or x[-1] < 4 * x[0]:
            return False
        if len(x) == 2:
            return bool(x[1] >= 8 * x[0])
        return _unevenness(np.log(x)) < _unevenness(x)

    @property
    def places(self) -> NDArray[np.float64]:
        """`[C]`: where the values are on an axis; exponents of ten where it is logarithmic."""
        if self.numbers is None:
            return np.arange(len(self.labels), dtype=np.float64)
        return np.log10(self.numbers) if self.log else self.numbers

    def scale(self, axes: Axes) -> None:
        """Set the horizontal axis of a panel: the limits, and a label at each value where there is
        room for all."""
        places = self.places
        low, high = (float(places[0]), float(places[-1])) if len(places) else (0.0, 0.0)
        margin = 0.5 if self.numbers is None else (high - low) * 0.08 or max(abs(high) * 0.1, 0.5)
        axes.set_xlim(low - margin, high + margin)
        room = 60 // max(len(self.labels), 1)
        if self.numbers is not None and (
            len(places) > _MOST or max(map(len, self.labels), default=0) > room
        ):
            if self.log:
                axes.xaxis.set_major_formatter(lambda place, _: f"{10**place:.3g}")
            return
        step = -(-len(places) // _NAMES)
        labels = [wrapped(label, 20) for label in self.labels[::step]]
        upright = max((len(line) for each in labels for line in each.split("\n")), default=0) > room
        axes.set_xticks(places[::step], labels, rotation=90 if upright else 0)


def _unevenness(x: NDArray[np.float64]) -> float:
    """The standard deviation of the steps between numbers, relative to their mean."""
    steps = np.diff(x)
    return float(steps.std() / steps.mean())

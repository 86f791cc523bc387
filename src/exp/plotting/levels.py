"""The values of one swept parameter, along an axis or a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp.plotting.text import SMALL, plain, width
from exp.plotting.ticks import Ticks, linear, logarithmic, thinned

_APART = 0.14  # inches that two labels keep between them


@dataclass(frozen=True, eq=False, kw_only=True)
class Levels:
    """Every value that a parameter takes, in order, and which of them each run has.

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
        """Whether the numbers are spread by powers: more evenly as logarithms."""
        x = self.numbers
        if x is None or len(x) < 2 or x[0] <= 0 or x[-1] < 4 * x[0]:
            return False
        if len(x) == 2:
            return bool(x[1] >= 8 * x[0])
        return _uneven(np.log(x)) < _uneven(x)

    @property
    def places(self) -> NDArray[np.float64]:
        """`[C]`: where the values stand on an axis; exponents of ten where it is logarithmic."""
        if self.numbers is None:
            return np.arange(len(self.labels), dtype=np.float64)
        return np.log10(self.numbers) if self.log else self.numbers

    @property
    def limits(self) -> tuple[float, float]:
        """Ends of an axis that holds all values."""
        places = self.places
        if self.numbers is None:
            return -0.5, max(len(places), 1) - 0.5
        low, high = (float(places[0]), float(places[-1])) if len(places) else (0.0, 0.0)
        margin = (high - low) * 0.08 or max(abs(high) * 0.1, 0.5)
        return low - margin, high + margin

    def ticks(self, room: float) -> tuple[Ticks, bool]:
        """Labels for an axis of so many inches, and whether they have to be turned.

        Every value has its label where there is room; else names are thinned out, and numbers
        become round ones.
        """
        places, (low, high) = self.places.tolist(), self.limits
        wide = [width(plain(label), SMALL) / 72 + _APART for label in self.labels]
        at = [(place - low) / (high - low) * room for place in places]
        fit = all(at[i + 1] - at[i] >= (wide[i] + wide[i + 1]) / 2 for i in range(len(wide) - 1))
        if fit and (self.numbers is None or len(places) <= 8):
            return (places, list(self.labels)), False
        if self.numbers is not None:
            if self.log:
                return logarithmic(low, high, most=5), False
            return linear(low, high, room=room), False
        kept = thinned(len(places), max(1, int(room / 0.16)))
        return ([places[index] for index in kept], [self.labels[index] for index in kept]), True


def _uneven(x: NDArray[np.float64]) -> float:
    """How much the steps between numbers differ, relative to their mean."""
    steps = np.diff(x)
    return float(steps.std() / steps.mean())

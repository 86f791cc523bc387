"""Round numbers along an axis, with labels that never need an offset or mathematics."""

from __future__ import annotations

import math

import numpy as np

from exp.plotting.numbers import power, raised
from exp.plotting.text import SMALL, width

Ticks = tuple[list[float], list[str]]


SHARES: Ticks = ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "0.2", "0.4", "0.6", "0.8", "1"])


def unlabelled(ticks: Ticks) -> Ticks:
    """The same places, for a panel whose neighbour has the labels."""
    return ticks[0], [""] * len(ticks[0])


def linear(low: float, high: float, *, most: int = 6, room: float | None = None) -> Ticks:
    """Multiples of 1, 2 or 5 times a power of ten within [low, high].

    Args:
        low, high: of the axis.
        most: how many there may be.
        room: inches for the labels side by side; fewer numbers are chosen until they fit.
    """
    ticks = _linear(low, high, most)
    while room is not None and most > 2 and _crowded(ticks[1], room):
        most -= 1
        ticks = _linear(low, high, most)
    return ticks


def _crowded(labels: list[str], room: float) -> bool:
    return sum(width(label, SMALL) + 12.0 for label in labels) > room * 72


def _linear(low: float, high: float, most: int) -> Ticks:
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [], []
    digit = 10.0 ** (math.floor(math.log10(span / most)) - 1)
    for step in (digit * multiple for multiple in (1, 2, 5, 10, 20, 50, 100)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    else:  # below what floating point can tell apart
        return [], []
    places = [index * step for index in range(first, last + 1)]
    largest = max(abs(low), abs(high))
    if largest >= 1e6 or step < 1e-4:
        digits = max(0, math.floor(math.log10(largest)) - math.floor(math.log10(step)))
        if digits > 9:  # too many to read
            return [], []
        labels = [raised(f"{place:.{digits}e}") if place else "0" for place in places]
    else:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        labels = [raised(f"{place:,.{decimals}f}") for place in places]
    return places, labels


def logarithmic(low: float, high: float, most: int = 6) -> Ticks:
    """Powers of ten between 10^low and 10^high; where there are few, 2 and 5 times them as well.

    Returns:
        The places as exponents, such as -1.0 for the label "0.1".
    """
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last - first >= 2:
        stride = math.ceil((last - first + 1) / most)
        places = [float(exponent) for exponent in range(first, last + 1, stride)]
    else:
        fine = [whole + math.log10(m) for whole in range(first - 1, last + 1) for m in (1, 2, 5)]
        places = [place for place in fine if low <= place <= high]
    return places, [power(place) for place in places]


def thinned(count: int, most: int) -> list[int]:
    """Indices 0..count-1, every n-th of them, so that at most `most` stand along an axis."""
    return list(range(0, count, max(1, int(np.ceil(count / most)))))

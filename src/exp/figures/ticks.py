"""Round numbers along an axis, with labels that never need an offset or mathematics."""

from __future__ import annotations

import math

import numpy as np

from exp.figures.text import number

Ticks = tuple[list[float], list[str]]


def linear(low: float, high: float, count: int = 5) -> Ticks:
    """At most `count + 1` multiples of 1, 2 or 5 times a power of ten within [low, high]."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [], []
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next((m * power for m in (1, 2, 5, 10) if span / (m * power) <= count), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > count:  # the numbers are too large to tell apart at this step
        return [], []
    places = [index * step for index in range(first, last + 1)]
    largest = max(abs(low), abs(high))
    if largest >= 1e6 or step < 1e-4:
        digits = max(0, math.floor(math.log10(largest)) - math.floor(math.log10(step)))
        labels = [f"{place:.{min(digits, 9)}e}" if place else "0" for place in places]
    else:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        labels = [f"{place:,.{decimals}f}" for place in places]
    return places, [label.replace("-", "\N{MINUS SIGN}") for label in labels]


def logarithmic(low: float, high: float, count: int = 6) -> Ticks:
    """Powers of ten between 10^low and 10^high; where there are few, 2 and 5 times them as well.

    Returns:
        The places as exponents, such as -1.0 for the label "0.1".
    """
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last - first >= 2:
        stride = math.ceil((last - first + 1) / count)
        places = [float(power) for power in range(first, last + 1, stride)]
    else:
        fine = [power + math.log10(m) for power in range(first - 1, last + 1) for m in (1, 2, 5)]
        places = [place for place in fine if low <= place <= high]
    return places, [number(10.0 ** min(place, 308.0)) for place in places]


def thinned(count: int, most: int) -> list[int]:
    """Indices 0..count-1, every n-th of them, so that at most `most` stand along an axis."""
    return list(range(0, count, max(1, int(np.ceil(count / most)))))

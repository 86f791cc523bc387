"""Means with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

ALPHA = 0.05


@dataclass(frozen=True)
class Mean:
    """A mean of `n` numbers.

    Attributes:
        sd: standard deviation, with n - 1; None for a single number.
        low, high: the 95 % confidence interval by Student's t; None for a single number.
    """

    n: int
    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """
        Raises:
            ValueError: there are no values.
        """
        if not values:
            raise ValueError("expected at least one number")
        n, first = len(values), values[0]
        if n == 1:
            return cls(1, first)
        if min(values) == max(values):  # a sum would leave a trace of rounding
            return cls(n, first, 0.0, first, first)
        mean = math.fsum(values) / n
        sd = float(np.std(values, ddof=1))
        if sd == 0.0:  # the squares of such small differences underflow
            return cls(n, mean, 0.0, mean, mean)
        low, high = scipy.stats.t.interval(1 - ALPHA, n - 1, mean, sd / math.sqrt(n))
        return cls(n, mean, sd, float(low), float(high))

"""Means with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

ALPHA = 0.05

Bounds = tuple[float, float]
ANY: Bounds = (-math.inf, math.inf)


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
    def of(cls, values: Sequence[float], *, overlap: float = 0.0, bounds: Bounds = ANY) -> Mean:
        """
        Args:
            overlap: test rows for each training row, where the numbers are from splits of one
                table; 0 where they are independent. See `standard_error`.
            bounds: between which a mean can lie at all. The interval is cut there, which keeps its
                coverage: no true mean is cut off.

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
        half = scipy.stats.t.ppf(1 - ALPHA / 2, n - 1) * standard_error(sd, n, overlap)
        low, high = max(mean - half, bounds[0]), min(mean + half, bounds[1])
        return cls(n, mean, sd, float(low), float(high))


def standard_error(sd: float, n: int, overlap: float = 0.0) -> float:
    """The standard error of a mean of `n` numbers.

    The test and training rows of random splits of one table overlap, so that scores and their
    differences are correlated by about test / (test + training rows): the variance of their mean
    is (1/n + test/training) * sd^2, where independent numbers have sd^2 / n (Nadeau and Bengio,
    "Inference for the generalization error", Machine Learning 52, 2003; for repeated folds
    Bouckaert and Frank, PAKDD 2004).

    Args:
        sd: of the numbers, with n - 1.
        overlap: test rows for each training row; 0 for independent numbers.
    """
    return sd * math.sqrt(1 / n + overlap)

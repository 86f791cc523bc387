"""Means with confidence intervals, paired tests, Holm's correction and sample sizes, by scipy.

docs/results.md has the formulas and what they assume. `scipy.stats` is loaded when it is first
used: it takes most of a second to import.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

ALPHA = 0.05
POWER = 0.8
FEW = 5
"""With fewer pairs than that, a real difference is seldom shown."""
MOST = 1000
"""Seeds; where more would be needed, no number is given."""
TESTS = {"t": "paired t-test", "wilcoxon": "Wilcoxon signed-rank test"}
_SAME = 1e-12
"""Relative to the scores: a smaller difference comes from rounding."""


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


@dataclass(frozen=True)
class Paired:
    """A paired test.

    Attributes:
        difference: of the pairs, `one - other`; None where there are no pairs.
        effect: Cohen's d_z, the mean difference divided by the standard deviation of the
            differences; None where they do not vary.
        p: two-sided, of the hypothesis that there is no difference; None for fewer than two pairs.
        smallest: the smallest p that this number of pairs can give.
    """

    difference: Mean | None
    effect: float | None = None
    p: float | None = None
    smallest: float | None = None

    @property
    def n(self) -> int:
        return self.difference.n if self.difference is not None else 0


def paired(one: Sequence[float], other: Sequence[float], test: str = "t") -> Paired:
    """Compares two samples whose numbers belong together in pairs.

    Differences that do not vary have no t statistic. If all are 0, p is 1, else p is that of
    flipping their signs, 2^(1 - n).

    Args:
        one, other: `[n]` each, finite.
        test: one of `TESTS`.

    Raises:
        ValueError: the samples differ in length.
    """
    pairs = np.array(list(zip(one, other, strict=True)), np.float64).reshape(-1, 2)
    if not len(pairs):
        return Paired(None)
    scale = np.abs(pairs).max()
    differences = pairs[:, 0] - pairs[:, 1]
    differences[np.abs(differences) <= _SAME * scale] = 0.0
    if np.ptp(differences) <= _SAME * scale:
        differences[:] = differences[0]
    found = Mean.of(differences.tolist())
    if found.n < 2:
        return Paired(found)
    flipped = 2.0 ** (1 - found.n)
    effect = found.mean / found.sd if found.sd else None
    if test == "wilcoxon":
        # Rounded: equal differences share a rank.
        nonzero = np.round(differences[differences != 0] / (scale * _SAME))
        p = float(scipy.stats.wilcoxon(nonzero).pvalue) if len(nonzero) else 1.0
        return Paired(found, effect, p, flipped)
    if effect is None:
        return Paired(found, None, flipped if found.mean else 1.0, flipped)
    return Paired(found, effect, float(scipy.stats.ttest_1samp(differences, 0.0).pvalue), 0.0)


def mcnemar(one: int, other: int) -> float:
    """The two-sided p of McNemar's exact test that two classifiers are right equally often.

    Args:
        one, other: rows that only the one predicts correctly, and that only the other does.
    """
    return float(scipy.stats.binomtest(one, one + other).pvalue) if one + other else 1.0


def holm(ps: Sequence[float], family: int | None = None) -> list[float]:
    """p values corrected for their number by Holm's method, in the order given; scipy has none.

    Args:
        family: the number of hypotheses in all, where these are not all of them; the others count
            as less significant, which is the cautious side.
    """
    order = np.argsort(ps, kind="stable")
    factors = (len(ps) if family is None else family) - np.arange(len(ps))
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * np.asarray(ps)[order]))
    found: list[float] = adjusted.tolist()
    return found


def pairs(groups: int) -> int:
    """The number of pairs of this number of groups."""
    return math.comb(groups, 2)


def needed(effect: float, alpha: float = ALPHA) -> int | None:
    """The number of pairs with which a two-sided paired t-test shows an effect with a power of
    80 %, at least `FEW`; None where that is more than `MOST`.

    Args:
        effect: Cohen's d_z.
    """

    def power(n: int) -> float:
        # By the noncentral t distribution, without the far tail on the wrong side.
        bound = scipy.special.stdtrit(n - 1, 1 - alpha / 2)
        centre = abs(effect) * math.sqrt(n)
        if centre > max(bound + 5, 1.5 * bound):  # nctdtr is inexact there; it is above 0.9
            return 1.0
        return float(1 - scipy.special.nctdtr(n - 1, centre, bound))

    found = bisect_left(range(FEW, MOST + 1), POWER, key=power) + FEW
    return found if found <= MOST else None

"""Means with intervals, paired tests, and Holm's correction: numbers in, numbers out.

docs/results.md has the formulas and what they assume. The t distribution is that of scipy.special:
scipy.stats, which calls the same functions, takes a second and a half to import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ALPHA = 0.05
POWER = 0.8
FEW = 5
"""Fewer pairs than that seldom tell anything: a difference they do not show may well be there."""
MOST = 1000
"""Seeds; where more would be needed, that is all that is said."""
TESTS = {"t": "paired t-test", "wilcoxon": "Wilcoxon signed-rank test"}
EXACT = 50
"""Differences whose signs are flipped in all ways."""
_SAME = 1e-12  # relative to the scores: what differs by less differs by rounding


@dataclass(frozen=True)
class Spread:
    """Numbers summed up.

    Attributes:
        n: how many there are.
        mean: of them.
        sd: their standard deviation, with n - 1; None for a single number.
        low, high: the 95 % interval of the mean by Student's t; None for a single number.
    """

    n: int
    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """
        Raises:
            ValueError: there are none.
        """
        if not values:
            raise ValueError("expected at least one number")
        n, first = len(values), values[0]
        if n == 1:
            return cls(1, first)
        if min(values) == max(values):  # a sum would leave a trace of rounding
            return cls(n, first, 0.0, first, first)
        mean = math.fsum(values) / n
        sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
        half = quantile(n - 1) * sd / math.sqrt(n)
        return cls(n, mean, sd, mean - half, mean + half)


@dataclass(frozen=True)
class Paired:
    """What the differences of pairs say.

    Attributes:
        difference: the mean of `one - other`, with its 95 % interval; it may have neither.
        effect: Cohen's d_z, the mean difference by the standard deviation of the differences; None
            where they do not vary.
        p: of the hypothesis that there is no difference, two-sided; None for fewer than two pairs.
        smallest: the p that so many pairs can reach at best.
    """

    difference: Spread | None
    effect: float | None = None
    p: float | None = None
    smallest: float | None = None

    @property
    def n(self) -> int:
        return self.difference.n if self.difference is not None else 0


def paired(one: Sequence[float], other: Sequence[float], test: str = "t") -> Paired:
    """Two samples whose numbers belong together in pairs.

    Differences that do not vary leave the t statistic without a meaning. If all are 0, p is 1; else
    p is that of flipping their signs, 2^(1 - n).

    Args:
        one, other: `[n]` each, finite.
        test: of `TESTS`.

    Raises:
        ValueError: the samples are not of one length.
    """
    both = list(zip(one, other, strict=True))
    if not both:
        return Paired(None)
    scale = max(max(abs(a), abs(b)) for a, b in both)
    differences = [a - b if abs(a - b) > _SAME * scale else 0.0 for a, b in both]
    if max(differences) - min(differences) <= _SAME * scale:
        differences = [differences[0]] * len(both)
    found = Spread.of(differences)
    if found.n < 2:
        return Paired(found)
    flipped = 2.0 ** (1 - found.n)
    effect = found.mean / found.sd if found.sd else None
    if test == "wilcoxon":
        return Paired(found, effect, signed_rank([d / scale for d in differences if d]), flipped)
    if not found.sd:
        return Paired(found, None, flipped if found.mean else 1.0, flipped)
    t = found.mean / (found.sd / math.sqrt(found.n))
    return Paired(found, effect, tails(found.n - 1, t), 0.0)


def signed_rank(differences: Sequence[float]) -> float:
    """The two-sided p of Wilcoxon's signed-rank test: over all ways to flip the signs of up to
    `EXACT` differences, ties included; beyond that by scipy's normal approximation.

    Args:
        differences: none of them 0; equal ones as far as `_SAME` share a rank.
    """
    count = len(differences)
    if not count:
        return 1.0
    rounded = [round(difference / _SAME) for difference in differences]
    if count > EXACT:
        from scipy.stats import wilcoxon

        return float(wilcoxon(rounded, method="asymptotic").pvalue)
    import numpy as np

    sizes = np.abs(np.array(rounded, np.float64))
    # Twice the rank: the mean of the places that equal sizes share, as a whole number.
    ranks = (sizes[:, None] > sizes).sum(axis=1) + (sizes[:, None] >= sizes).sum(axis=1) + 1
    total = int(ranks.sum())
    ways = np.zeros(total + 1, np.int64)
    ways[0] = 1
    for rank in ranks.tolist():
        ways[rank:] += ways[: total + 1 - rank].copy()
    positive = int(ranks[np.array(rounded) > 0].sum())
    as_far = int(ways[: min(positive, total - positive) + 1].sum())
    return min(1.0, float(as_far) * 2.0 ** (1 - count))


def mcnemar(one: int, other: int) -> float:
    """The two-sided p of McNemar's exact test that two classifiers err alike (Q. McNemar, "Note on
    the sampling error of the difference between correlated proportions", Psychometrika 12, 1947).

    Args:
        one, other: rows that only the one has right, and that only the other has.
    """
    if not one + other:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(one, one + other).pvalue)


def holm(ps: Sequence[float], family: int | None = None) -> list[float]:
    """p values corrected for their number by Holm's method (S. Holm, "A simple sequentially
    rejective multiple test procedure", Scand. J. Statist. 6, 1979), in the order given.

    Args:
        family: how many hypotheses there are in all, where these are not all of them. Any other
            counts as less likely to be rejected, which errs on the side of no difference.
    """
    family = len(ps) if family is None else family
    adjusted, largest = [0.0] * len(ps), 0.0
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (family - place) * ps[index]))
        adjusted[index] = largest
    return adjusted


def pairs(groups: int) -> int:
    """Of so many groups."""
    return groups * (groups - 1) // 2


def needed(effect: float, alpha: float = ALPHA) -> int | None:
    """How many pairs a two-sided paired t-test needs to show an effect with a power of 80 %.

    Args:
        effect: Cohen's d_z.

    Returns:
        The number, at least `FEW`; None where it is more than `MOST`.
    """
    if power(MOST, effect, alpha) < POWER:
        return None
    low, high = FEW - 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, effect, alpha) >= POWER else (middle, high)
    return high


def power(n: int, effect: float, alpha: float) -> float:
    """Of a two-sided paired t-test of at least `FEW` pairs, by the noncentral t distribution;
    without the far tail, in which the effect would be found the wrong way round."""
    from scipy.special import nctdtr

    bound, centre = quantile(n - 1, alpha), abs(effect) * math.sqrt(n)
    if centre > max(bound + 5, 1.5 * bound):  # nctdtr loses its digits there; it is above 0.9
        return 1.0
    return float(1 - nctdtr(n - 1, centre, bound))


def quantile(freedom: int, alpha: float = ALPHA) -> float:
    """Of Student's t: what its absolute value exceeds with a probability of alpha."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - alpha / 2))


def tails(freedom: int, t: float) -> float:
    """The probability that Student's t is as far from 0 as this, on either side."""
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(t)))

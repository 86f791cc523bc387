"""Methods compared over data sets by their ranks, as Demšar (2006) describes it.

- J. Demšar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine
  Learning Research 7, 2006.
- A. Benavoli, G. Corani, F. Mangili, "Should we really use post-hoc tests based on mean-ranks?",
  Journal of Machine Learning Research 17(5), 2016.
- R. L. Iman, J. M. Davenport, "Approximations of the critical region of the Friedman statistic",
  Communications in Statistics 9, 1980.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Values = NDArray[np.float64]

DIGITS = 1e-12
"""Scores of a data set that differ by less than this, relative to the largest, are equal: such a
difference comes from rounding."""
MOST_PERMUTED = 13
"""Differences of which scipy tries every choice of signs where ranks are shared."""


@dataclass(frozen=True)
class Friedman:
    """Whether all methods are alike.

    Attributes:
        chi2, p: Friedman's statistic, corrected for ties, and its p by the chi-squared
            distribution with `methods - 1` degrees of freedom.
        f, p_f: Iman and Davenport's F of it, which is less cautious, and its p; F is infinite
            where all data sets rank the methods alike.
    """

    chi2: float
    p: float
    f: float
    p_f: float


def without_rounding(scores: Values) -> Values:
    """`[data sets, methods]` scores as whole numbers, equal where they differ by rounding alone."""
    scale = np.abs(scores).max(axis=1, keepdims=True, initial=0.0)
    return np.round(scores / np.where(scale > 0, scale * DIGITS, 1.0))


def ranks(scores: Values, *, higher: bool = True) -> Values:
    """The rank of each method on each data set, 1 for the best; equal scores share the mean rank.

    Args:
        scores: `[data sets, methods]`, finite.
        higher: whether higher scores are better.

    Returns:
        `[data sets, methods]`.
    """
    rounded = without_rounding(scores)
    found: Values = scipy.stats.rankdata(-rounded if higher else rounded, axis=1)
    return found


def friedman(ranked: Values) -> Friedman | None:
    """Friedman's test, and Iman and Davenport's F.

    Args:
        ranked: `[data sets, methods]`, as `ranks` gives them.

    Returns:
        None for fewer than three methods or fewer than two data sets.
    """
    n, k = ranked.shape
    if k < 3 or n < 2:
        return None
    if (ranked == ranked[:, :1]).all():
        return Friedman(0.0, 1.0, 0.0, 1.0)
    chi2, p = (float(each) for each in scipy.stats.friedmanchisquare(*ranked.T))
    rest = n * (k - 1) - chi2
    if rest <= DIGITS * n * k:
        return Friedman(chi2, p, math.inf, 0.0)
    f = (n - 1) * chi2 / rest
    return Friedman(chi2, p, f, float(scipy.stats.f.sf(f, k - 1, (k - 1) * (n - 1))))


def critical_difference(methods: int, data_sets: int, alpha: float = 0.05) -> float:
    """The difference of two mean ranks from which Nemenyi's test calls methods different.

    Args:
        methods: their number, 2 or more.
    """
    q = scipy.stats.studentized_range.ppf(1 - alpha, methods, np.inf)
    return float(q * math.sqrt(methods * (methods + 1) / (12 * data_sets)))


def nemenyi(ranked: Values) -> Values:
    """`[methods, methods]` p values of Nemenyi's test for every pair; they are corrected already.

    Args:
        ranked: `[data sets, methods]`, as `ranks` gives them.
    """
    n, k = ranked.shape
    mean = ranked.mean(axis=0)
    first, second = np.triu_indices(k, 1)
    q = np.abs(mean[first] - mean[second]) / math.sqrt(k * (k + 1) / (12 * n))
    found = np.ones((k, k))
    if k > 1:
        # The same differences come often, and each takes a numerical integral.
        values, places = np.unique(q, return_inverse=True)
        found[first, second] = scipy.stats.studentized_range.sf(values, k, np.inf)[places]
    found[second, first] = found[first, second]
    return found


def signed_rank(differences: Values) -> tuple[float, float]:
    """Wilcoxon's signed-rank test that differences are symmetric around 0, two-sided.

    Differences of 0 are left out, equal ones share a rank. p is that of `scipy.stats.wilcoxon`, but
    that a permutation distribution (ranks that are shared by some of up to 13 differences) is
    counted here, in a hundredth of the time.

    Args:
        differences: `[n]`, as they are ranked (one scale for all of them).

    Returns:
        The sum of the ranks of positive differences less that of the negative ones, and p.
    """
    scale = np.abs(differences).max(initial=0.0)
    if scale == 0:
        return 0.0, 1.0
    # Rounded: equal differences share a rank.
    rounded = np.round(differences / (scale * DIGITS))
    nonzero = rounded[rounded != 0]
    shared = scipy.stats.rankdata(np.abs(nonzero))
    balance = float(np.sign(nonzero) @ shared)
    if len(nonzero) <= MOST_PERMUTED and len(set(shared)) < len(shared):
        return balance, permuted(shared, balance)
    return balance, float(scipy.stats.wilcoxon(nonzero).pvalue)


def permuted(ranked: Values, balance: float) -> float:
    """The share of all signs of these ranks that are as far out of balance.

    Args:
        ranked: `[n]`, multiples of a half.
    """
    doubled = np.round(2 * ranked).astype(int)
    # ways[s]: sets of ranks, those of positive differences, with a doubled sum of s.
    ways = np.zeros(doubled.sum() + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] = ways[rank:] + ways[:-rank]
    sums = np.arange(len(ways)) - doubled.sum() / 2
    return float(ways[np.abs(sums) >= abs(balance) - 0.25].sum() / ways.sum())


def signed_ranks(scores: Values, first: int | None = None) -> Values:
    """`[methods, methods]` p values of the signed-rank test over data sets, not corrected.

    Args:
        scores: `[data sets, methods]`.
        first: only the pairs with this method are tested; all others are NaN.
    """
    k = scores.shape[1]
    found = np.full((k, k), np.nan)
    np.fill_diagonal(found, 1.0)
    for a, b in itertools.combinations(range(k), 2):
        if first is None or first in (a, b):
            found[a, b] = found[b, a] = signed_rank(differences(scores, a, b))[1]
    return found


def differences(scores: Values, one: int, other: int) -> Values:
    """`[data sets]` differences of two methods, 0 where they differ by rounding alone."""
    pair = scores[:, [one, other]]
    found: Values = pair[:, 0] - pair[:, 1]
    found[np.abs(found) <= DIGITS * np.abs(pair).max(axis=1)] = 0.0
    return found


def wins(differences: Values, margin: float = 0.0) -> tuple[int, int, int]:
    """The numbers of positive, of equal, and of negative differences.

    Args:
        margin: differences up to it count as equal.
    """
    equal = np.abs(differences) <= margin
    above, below = (differences > 0) & ~equal, (differences < 0) & ~equal
    return int(above.sum()), int(equal.sum()), int(below.sum())


def cliques(mean_ranks: Values, p: Values, alpha: float = 0.05) -> list[tuple[int, int]]:
    """The longest rows of methods that follow one another by mean rank, no two of which differ.

    Args:
        mean_ranks: `[methods]`, increasing.
        p: `[methods, methods]`, in the same order.

    Returns:
        First and last method of each row of two or more.
    """
    k, found, reached = len(mean_ranks), list[tuple[int, int]](), -1
    for first in range(k):
        last = first
        while last + 1 < k and (p[first : last + 1, last + 1] > alpha).all():
            last += 1
        if last > first and last > reached:
            found.append((first, last))
            reached = last
    return found

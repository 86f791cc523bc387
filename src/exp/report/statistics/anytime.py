"""Comparisons that may be looked at after every seed, and a race of groups that stops when decided.

A test made for a fixed number of seeds is wrong far too often if one looks after each batch and
stops at the first p below 0.05. The intervals here hold at all numbers of seeds at once: they are
the confidence sequences of the anytime-valid t-test with a normal prior on the effect (T. L. Lai,
Annals of Statistics 4, 1976; H. Wang and A. Ramdas, "Anytime-valid t-tests and confidence sequences
for Gaussian means with unknown variance", Sequential Analysis 2025, arXiv:2310.03722), here for
differences that may be correlated as those of splits of one table are (C. Nadeau and Y. Bengio,
Machine Learning 52, 2003).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp.report.statistics.means import ALPHA
from exp.report.statistics.verdicts import BEST, EQUIVALENT, UNDECIDED, WORSE

PRIOR = 1.0
"""Variance of the prior on the effect, in variances of a difference around those of its table: the
interval is narrowest, for its level, where an effect of that size is just shown."""
FIRST = 8
"""Seeds before the first look."""
LIKELY = 2.0
"""Standard errors by which what is known now may still change."""

Scores = NDArray[np.float64]


def half_width(n: int, squares: float, alpha: float, ratio: float = 0.0) -> float:
    """Half of the interval of a mean that holds at every n at once, with probability 1 - alpha.

    Differences are mean + a + e_i, where a is the luck of the table that all splits share. With
    s2 the variance of e_i, that of a is ratio * s2 by Nadeau and Bengio, so that the mean of n
    differences has the variance s2 * (1/n + ratio), and more splits never bring it below
    s2 * ratio. The likelihood ratio of an effect with the variance `PRIOR` * s2 against none, of
    what is left of the data when their unit is taken away, is a martingale:

        sqrt(g1 / g0) * ((1 + g0 * x) / (1 + g1 * x)) ^ (n / 2),  x = n * mean^2 / squares,
        g0 = 1 / (1 + n * ratio),  g1 = 1 / (1 + n * (ratio + PRIOR)),

    which is 1 / alpha or more at any n with a probability of at most alpha (Ville's inequality).
    The interval holds the means for which it is less.

    Args:
        n: differences.
        squares: the sum of their squared deviations from their mean.
        ratio: rows that score a run / rows that train it where runs are splits of one table; 0
            where differences are independent.
    """
    if n < 2:
        return math.inf
    g0, g1 = 1 / (1 + n * ratio), 1 / (1 + n * (ratio + PRIOR))
    # No number of seeds is looked at where this overflows.
    grown = (g0 / g1 / alpha**2) ** (1 / n)
    rest = g0 - grown * g1
    return math.sqrt(squares / n * (grown - 1) / rest) if rest > 0 else math.inf


def least_half_width(sd: float, alpha: float, ratio: float) -> float:
    """What `half_width` comes to with ever more differences of this standard deviation."""
    if ratio == 0:
        return 0.0
    total = ratio + PRIOR
    return sd * math.sqrt(ratio * total / PRIOR * math.log(total / ratio / alpha**2))


@dataclass(frozen=True)
class Look:
    """Two groups after some seeds.

    Attributes:
        n: seeds that both have a score of.
        difference: mean of one - other; nan where n is 0.
        half: of the interval for all pairs and all looks together.
        inner: of the interval for two one-sided tests (`Race`).
        hopeless: more splits of the same table are not likely to decide.
    """

    n: int
    difference: float
    half: float
    inner: float
    hopeless: bool = False


def look(
    one: Scores, other: Scores, alpha: float, ratio: float = 0.0, margin: float | None = None
) -> Look:
    """Compares two groups seed by seed.

    Differences that are all the same have no t statistic. They count as shown where flipping their
    signs at random would rarely make them so, 2^(1 - n) <= alpha.

    Args:
        one, other: `[seeds]`, nan where there is no score; higher is better.
        alpha, ratio: as of `half_width`.
        margin: differences of at most that count as none.
    """
    differences = one - other
    both = ~np.isnan(differences)
    differences = differences[both]
    n = len(differences)
    if n < 2:
        return Look(n, float(differences[0]) if n else math.nan, math.inf, math.inf)
    mean = float(differences.sum()) / n
    rest = differences - mean
    tiny = 1e-12 * float(np.abs(one[both]).max())
    if float(rest.max() - rest.min()) <= tiny:
        half = 0.0 if 2.0 ** (1 - n) <= alpha else math.inf
        return Look(n, mean if abs(mean) > tiny else 0.0, half, half)
    squares = float(rest @ rest)
    half, inner = (half_width(n, squares, level, ratio) for level in (alpha, 2 * alpha))
    found = Look(n, mean, half, inner)
    if ratio and math.isfinite(half):
        sd = math.sqrt(squares / (n - 1))
        lowest = sd * max(0.0, 1 - LIKELY / math.sqrt(2 * (n - 1)))
        reach = LIKELY * sd / math.sqrt(n)
        worse = abs(mean) + reach > least_half_width(lowest, alpha, ratio)
        nearest = max(0.0, abs(mean) - reach)
        close = margin is not None and (
            nearest + least_half_width(lowest, 2 * alpha, ratio) < margin
        )
        found = Look(n, mean, half, inner, hopeless=not worse and not close)
    return found


@dataclass(frozen=True)
class Standing:
    """What is known of a group.

    Attributes:
        verdict: `best`, `worse`, `equivalent` or `undecided`.
        against: the group that it was compared with; None for the best.
        found: that group minus this one.
        reason: why it is undecided.
    """

    verdict: str
    against: int | None = None
    found: Look | None = None
    reason: str | None = None


class Race:
    """Groups that get seeds until it is decided which is best.

    After each batch of seeds every two groups that are still in the race are compared. They are
    equivalent where two one-sided tests, at `ALPHA` each, show that they differ by less than the
    margin. Else one that is worse than the other leaves the race. It ends when all that are left
    are equivalent to the best, or when no more seeds are to be had.

    The probability that anything said is wrong is at most `ALPHA`: that of each pair is at most
    `ALPHA` divided by the number of pairs, k (k - 1) / 2, as any group could come out best.

    Args:
        cells: of each group: groups are compared within their cell only.
        ratios: of each group: as of `half_width`.
        margin: differences of at most that count as none; None: nothing is equivalent.
    """

    def __init__(
        self, cells: Sequence[Hashable], ratios: Sequence[float], margin: float | None
    ) -> None:
        self.cells, self.ratios, self.margin = list(cells), list(ratios), margin
        pairs = sum(math.comb(size, 2) for size in Counter(self.cells).values())
        self.alpha = ALPHA / max(1, pairs)
        self.standings: list[Standing | None] = [None] * len(self.cells)
        self.settled: set[Hashable] = set()

    @property
    def going(self) -> list[int]:
        """The groups that are to get more seeds."""
        return [g for g, s in enumerate(self.standings) if s is None and not self.ended(g)]

    def ended(self, group: int) -> bool:
        return self.cells[group] in self.settled

    def look(self, scores: Scores) -> None:
        """Decides what can be decided.

        Args:
            scores: `[groups, seeds]`, higher is better; nan where a run gave none. Groups that
                left the race before have none of the last seeds.
        """
        seeds = scores.shape[1]
        for cell in dict.fromkeys(self.cells):
            if cell not in self.settled:
                self._look_at(cell, scores, seeds)

    def _members(self, cell: Hashable) -> list[int]:
        return [g for g, c in enumerate(self.cells) if c == cell and self.standings[g] is None]

    def _look_at(self, cell: Hashable, scores: Scores, seeds: int) -> None:
        for group in self._members(cell):
            if (bad := int(np.isnan(scores[group]).sum())) * 2 > seeds:
                why = f"{bad} of {seeds} runs have no score"
                self.standings[group] = Standing(UNDECIDED, reason=why)
        members = self._members(cell)
        for one, other in itertools.combinations(members, 2):
            found = self._compare(one, other, scores)
            if abs(found.difference) > found.half and not self.is_equivalent(found):
                worse, better = (other, one) if found.difference > 0 else (one, other)
                found = self._compare(better, worse, scores)
                before = self.standings[worse]
                # Compared with the one that beats it most clearly.
                if before is None or before.found is None or shown(found) > shown(before.found):
                    self.standings[worse] = Standing(WORSE, better, found)
        _, others = self.best(cell, scores)
        if all(self.is_equivalent(f) or f.hopeless for f in others.values()):
            self.settled.add(cell)

    def _compare(self, one: int, other: int, scores: Scores) -> Look:
        ratio = max(self.ratios[one], self.ratios[other])
        return look(scores[one], scores[other], self.alpha, ratio, self.margin)

    def is_equivalent(self, found: Look) -> bool:
        return self.margin is not None and abs(found.difference) + found.inner < self.margin

    def best(self, cell: Hashable, scores: Scores) -> tuple[int | None, dict[int, Look]]:
        """The best of the groups still in the race, and the others compared with it."""
        members = self._members(cell)
        if not members:
            return None, {}
        shared = np.isfinite(scores[members]).all(axis=0)
        seen = scores[members][:, shared] if shared.any() else scores[members]
        best = members[int(np.argmax(np.nanmean(seen, axis=1)))]
        return best, {g: self._compare(best, g, scores) for g in members if g != best}

    def result(self, scores: Scores, why: str) -> list[Standing]:
        """The verdict of every group.

        Args:
            why: the groups that are undecided are so, where no other reason is known.
        """
        found = list(self.standings)
        for cell in dict.fromkeys(self.cells):
            best, others = self.best(cell, scores)
            if best is not None:
                found[best] = Standing(BEST)
            for group, seen in others.items():
                word = EQUIVALENT if self.is_equivalent(seen) else UNDECIDED
                reason = None
                if word == UNDECIDED:
                    reason = "more splits of this table cannot tell" if seen.hopeless else why
                found[group] = Standing(word, best, seen, reason)
        return [each for each in found if each is not None]


def shown(found: Look) -> float:
    """How clearly a difference is shown."""
    return abs(found.difference) - found.half


def next_look(seeds: int, most: int) -> int:
    """The number of seeds at which to look next: `FIRST`, then a quarter more, at least 4."""
    return min(most, FIRST if seeds < FIRST else seeds + max(4, seeds // 4))

"""Methods compared over data sets: mean ranks, tests, the mean difference to the best method."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.report.cells import Block, Cells, cells
from exp.report.comparisons import corrected
from exp.report.statistics import ranks as by_rank
from exp.report.statistics.bootstrap import Estimate, stratified
from exp.report.statistics.corrections import holm, pairs
from exp.report.statistics.hierarchy import RandomEffects, moderated, random_effects
from exp.report.statistics.means import ALPHA, Mean
from exp.report.statistics.paired import Paired
from exp.report.statistics.profiles import Profile, profile
from exp.report.statistics.verdicts import BEST, UNDECIDED, Verdict, p_text, spread, verdict
from exp.runs.collection import Runs
from exp.runs.config_values import Scalar
from exp.util.errors import ExpError, unknown

Values = NDArray[np.float64]

TESTS = {
    "wilcoxon": "Wilcoxon signed-rank test",
    "nemenyi": "Nemenyi's test of mean ranks",
}
DEFAULT = "wilcoxon"
"""Nemenyi's verdict on two methods depends on which others are compared as well (Benavoli, Corani
and Mangili, Journal of Machine Learning Research 17(5), 2016)."""
EVERY_PAIR = 30
"""Methods of which every pair is tested; of more, each with the best only."""


@dataclass(frozen=True, eq=False)
class Method:
    """A method and its place among all.

    Attributes:
        values: of the keys that make a method.
        mean_rank: over the data sets, 1 for one that is the best on each.
        first: data sets on which no other method is better.
        wins, ties, losses: data sets on which it is better than the best method, equal (within the
            margin), and worse.
        effect: the mean difference to the best method, positive where that one is better.
        middle: likewise, the interquartile mean of the differences of all seeds and data sets.
        p: of the test against the best method, corrected for all pairs of methods.
        p_within: likewise, that the mean difference lies within the margin.
        verdict: what that says.
    """

    name: str
    values: tuple[Scalar, ...]
    mean_rank: float
    first: int
    wins: int
    ties: int
    losses: int
    effect: RandomEffects | None
    middle: Estimate | None
    p: float | None
    p_within: float | None
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Across:
    """
    Attributes:
        cells: the scores; its methods are in another order.
        test: one of `TESTS`.
        margin: differences up to it do not matter.
        methods: the best mean rank first.
        scores, ranks: `[data sets, methods]` in that order.
        friedman: whether all methods are alike; None for two.
        p: `[methods, methods]`, corrected for all pairs; NaN where a pair was not tested.
        critical: Nemenyi's critical difference.
        gaps: how far each method's scores lie behind the best mean of their data set, as a profile
            in which every data set counts the same.
    """

    cells: Cells
    test: str
    margin: float | None
    methods: tuple[Method, ...]
    scores: Values
    ranks: Values
    friedman: by_rank.Friedman | None
    p: Values
    critical: float
    gaps: tuple[Profile, ...]

    @property
    def bars(self) -> list[tuple[int, int]]:
        """Rows of methods that follow one another by mean rank, no two of which differ."""
        mean_ranks = np.array([each.mean_rank for each in self.methods])
        return [] if np.isnan(self.p).any() else by_rank.cliques(mean_ranks, self.p, ALPHA)


def across(
    runs: Runs,
    metric: str,
    keys: Sequence[str],
    *,
    by: Sequence[str] | None = None,
    test: str | None = None,
    margin: float | None = None,
) -> Across:
    """Compares methods over data sets.

    Args:
        metric: by its full name.
        keys: that tell data sets apart, such as `dataset`.
        by: keys that make a method; None: all others that vary but the seeds.
        test: one of `TESTS`.
        margin: differences up to it do not matter.

    Raises:
        ExpError: an unknown key or test; fewer than two methods or data sets that can be compared.
    """
    test = DEFAULT if test is None else test
    if test not in TESTS:
        raise ExpError(f"--test with --across: {unknown('test', test, list(TESTS))}")
    made = cells(runs, metric, keys, by)
    return compared(made, test, margin)


def compared(made: Cells, test: str = DEFAULT, margin: float | None = None) -> Across:
    """The comparison of methods whose scores are known."""
    sign = 1.0 if made.higher else -1.0
    scores = np.array([block.scores.mean(axis=0) for block in made.blocks])
    ranked = by_rank.ranks(scores, higher=made.higher)
    order = np.argsort(ranked.mean(axis=0), kind="stable")
    scores, ranked = scores[:, order], ranked[:, order]
    blocks = [sign * block.scores[:, order] for block in made.blocks]
    k = len(order)
    if test == "nemenyi":
        p = by_rank.nemenyi(ranked)
    else:
        p = holm_of_pairs(by_rank.signed_ranks(scores, None if k <= EVERY_PAIR else 0))
    effects = [effect(made.blocks, blocks, at) for at in range(1, k)]
    within = [None if margin is None else each.within(margin) for each in effects]
    withins = [None, *corrected(within, pairs(k))]
    methods = []
    for at, place in enumerate(order.tolist()):
        behind = sign * by_rank.differences(scores, 0, at)
        losses, ties, wins = by_rank.wins(behind, margin or 0.0)
        found = effects[at - 1] if at else None
        said = Verdict(BEST, BEST)
        if found is not None:
            balance = sign * direction(scores, ranked, test, at)
            said = said_of(
                found,
                behind,
                balance,
                float(p[0, at]),
                withins[at],
                test=test,
                methods=k,
                margin=margin,
                unit=made.noun,
            )
        methods.append(
            Method(
                name=made.names[place],
                values=made.methods[place],
                mean_rank=float(ranked[:, at].mean()),
                first=int((ranked[:, at] == ranked.min(axis=1)).sum()),
                wins=wins, ties=ties, losses=losses,
                effect=found,
                middle=stratified([each[:, 0] - each[:, at] for each in blocks]) if at else None,
                p=float(p[0, at]) if at else None,
                p_within=withins[at],
                verdict=said,
            )
        )  # fmt: skip
    return Across(
        made, test, margin, tuple(methods), scores, ranked, by_rank.friedman(ranked), p,
        by_rank.critical_difference(k, len(scores)), tuple(gaps(blocks, at) for at in range(k)),
    )  # fmt: skip


def holm_of_pairs(p: Values) -> Values:
    """A symmetric matrix of p values after Holm's correction for all its pairs; NaN stays."""
    one, other = np.triu_indices(len(p), 1)
    known = ~np.isnan(p[one, other])
    one, other = one[known], other[known]
    found = p.copy()
    adjusted = holm(p[one, other].tolist(), pairs(len(p)))
    found[one, other] = found[other, one] = adjusted
    return found


def effect(made: Sequence[Block], scores: Sequence[Values], other: int) -> RandomEffects:
    """The mean difference of the first method and another over the data sets.

    Args:
        scores: `[units, methods]` of each data set, higher is better.
    """
    differences = [each[:, 0] - each[:, other] for each in scores]
    sizes = [len(each) for each in differences]
    variances = [float(np.var(each, ddof=1)) if len(each) > 1 else None for each in differences]
    smooth = moderated(variances, [size - 1 for size in sizes])
    # Nadeau and Bengio: splits of one table share rows.
    factors = [1 / size + block.design.overlap for size, block in zip(sizes, made, strict=True)]
    means = [float(each.mean()) for each in differences]
    return random_effects(means, np.sqrt(smooth * factors))


def direction(scores: Values, ranked: Values, test: str, other: int) -> float:
    """More than 0 where the test finds the first method's scores higher than another's."""
    if test == "nemenyi":
        return float(ranked[:, other].mean() - ranked[:, 0].mean())
    return by_rank.signed_rank(by_rank.differences(scores, 0, other))[0]


def said_of(
    found: RandomEffects,
    behind: Values,
    balance: float,
    p: float,
    p_within: float | None,
    *,
    test: str,
    methods: int,
    margin: float | None,
    unit: str,
) -> Verdict:
    """The verdict on a method.

    Args:
        behind: `[data sets]`, positive where the best method is better.
        balance: more than 0 where the test finds the best method better.
    """
    ends = found.interval()
    assert ends is not None  # there are two data sets or more
    sd = float(behind.std(ddof=1))
    size = found.mean / sd if sd else None
    mean = Mean(found.n, found.mean, sd, *ends)
    if p <= ALPHA and balance * found.mean < 0 and (p_within is None or p_within > ALPHA):
        number = spread(found.mean, *ends)
        text = f"{number}, {p_text(p)}; ranks and mean differences have opposite signs"
        return Verdict(UNDECIDED, f"{UNDECIDED}: {text}")
    ranks, family = test == "wilcoxon", pairs(methods)
    return verdict(
        Paired(mean, size, p), p, p_within,
        margin=margin, family=family, ranks=ranks, unit=unit,
    )  # fmt: skip


def gaps(scores: Sequence[Values], at: int) -> Profile:
    """How far the scores of a method lie behind the best mean of their data set."""
    values = [np.maximum(each.mean(axis=0).max() - each[:, at], 0.0) for each in scores]
    weights = [np.full(len(each), 1 / len(each)) for each in values]
    return profile(np.concatenate(values), np.concatenate(weights))


def pairs_of(found: Across) -> list[dict[str, Any]]:
    """Every pair of methods that was tested, with its p."""
    return [
        {"methods": [found.methods[a].name, found.methods[b].name], "p": float(found.p[a, b])}
        for a, b in itertools.combinations(range(len(found.methods)), 2)
        if not np.isnan(found.p[a, b])
    ]

"""Groups, the best first, each compared with the best one: like with like, as their design asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from exp.report.design import Design, Seeds
from exp.report.groups import Cell, Group, Groups
from exp.report.statistics.corrections import holm, pairs
from exp.report.statistics.means import Mean
from exp.report.statistics.paired import Paired, paired
from exp.report.statistics.verdicts import BEST, Verdict, verdict
from exp.util.metric_names import bounds

Score = Callable[[Seeds], float]


@dataclass(frozen=True)
class Ranked:
    """A group and its place in the ranking.

    Attributes:
        rank: from 1; None where no run of the group has a score, or where groups are not ranked.
        score: the mean over seeds.
        design: how its seeds differ.
        test: the best group against this one over what both have; the difference is positive where
            the best group is better. None for the best group and where nothing was compared.
        p: the p value of the test after Holm's correction for all pairs of groups, since any group
            could have come out best.
        p_within: likewise, of two one-sided tests that the difference lies within the margin.
        verdict: what that says.
    """

    group: Group
    rank: int | None
    score: Mean | None
    design: Design
    verdict: Verdict
    test: Paired | None = None
    p: float | None = None
    p_within: float | None = None


@dataclass(frozen=True)
class Ranking:
    """
    Attributes:
        every: the groups, the best first, those without a score last.
        cells: what the means are over; empty where no cell is common to all groups: then each mean
            is over the group's own cells.
        incomplete: seeds that were not used, as their round of folds is not complete.
    """

    every: tuple[Ranked, ...]
    cells: frozenset[Cell]
    incomplete: int

    @property
    def tested(self) -> int:
        """The number of groups that were tested against the best."""
        return sum(each.test is not None and each.test.n > 1 for each in self.every)


def ranking(groups: Groups, test: str = "t", margin: float | None = None) -> Ranking:
    """The groups, the best first, each compared with the best one.

    Args:
        test: one of `statistics.paired.TESTS`.
        margin: differences up to it do not matter.
    """
    sign = 1.0 if groups.higher else -1.0
    limits = bounds(groups.metric)
    known = [group for group in groups.all if group.cells]
    common = frozenset.intersection(*(frozenset(group.cells) for group in known)) if known else ()
    designs = {id(group): group.draws.design() for group in groups.all}
    incomplete, scored = 0, []
    for group in known:
        design = designs[id(group)]
        scores, left = per_unit(group, design, over(group, common or group.cells))
        incomplete += left
        mean = Mean.of(list(scores.values()), overlap=design.overlap, bounds=limits)
        scored.append((group, mean))
    scored.sort(key=lambda pair: -sign * pair[1].mean)
    tests = [
        versus(scored[0][0], group, designs[id(scored[0][0])], sign, test, limits)
        for group, _ in scored[1:]
    ]
    family = pairs(len([each for each in tests if each is not None and each.n > 1]) + 1)
    ps = corrected([None if each is None else each.p for each in tests], family)
    inside = [each.within(margin) if each is not None and margin is not None else None
              for each in tests]  # fmt: skip
    withins = corrected(inside, family)
    found = [
        Ranked(group, 1, mean, designs[id(group)], Verdict(BEST, BEST))
        for group, mean in scored[:1]
    ]
    for rank, ((group, mean), each, p, within) in enumerate(
        zip(scored[1:], tests, ps, withins, strict=True), start=2
    ):
        design = designs[id(group)]
        if each is None:
            keys = ", ".join(groups.within)
            said = Verdict("", f"not compared: no value of {keys} in common with the best")
        elif test == "wilcoxon" and each.p is None and each.n > 1:
            said = Verdict("", f"not compared: ranks of {design.kind} of one table; use --test t")
        else:
            unit = {"splits": "split", "folds": "fold"}.get(design.kind, "seed")
            said = verdict(
                each, p, within, margin=margin, family=family, exact=test == "wilcoxon", unit=unit
            )
        found.append(Ranked(group, rank, mean, design, said, each, p, within))
    for group in groups.all:
        if not group.cells:
            reason = "no such score" if group.statuses["done"] else "no finished run"
            found.append(Ranked(group, None, None, designs[id(group)], Verdict("", reason)))
    return Ranking(tuple(found), frozenset(common), incomplete)


def unranked(groups: Groups) -> Ranking:
    """The groups in their order, with means and no comparison: of different data sets."""
    every = [
        Ranked(each.group, None, each.score, each.design, Verdict("", ""))
        for each in ranking(groups).every
    ]
    order = {id(group): at for at, group in enumerate(groups.all)}
    every.sort(key=lambda each: order[id(each.group)])
    return Ranking(tuple(every), frozenset(), 0)


def over(group: Group, cells: Collection[Cell]) -> dict[Seeds, float]:
    return group.over([cell for cell in group.cells if cell in cells])


def per_unit(
    group: Group, design: Design, scores: dict[Seeds, float]
) -> tuple[dict[object, float], int]:
    """The mean score of each unit of a design, and the number of seeds that were not used."""
    seeds, left = group.draws.complete(design, scores)
    found: dict[object, list[float]] = {}
    for each in seeds:
        found.setdefault(design.unit(group.draws.of[each], each), []).append(scores[each])
    return {unit: math.fsum(some) / len(some) for unit, some in found.items()}, left


def versus(
    best: Group,
    other: Group,
    design: Design,
    sign: float,
    test: str,
    limits: tuple[float, float],
) -> Paired | None:
    """The paired test of two groups over the cells and seeds that both have; None where they have
    no cell in common."""
    shared = [cell for cell in best.cells if cell in other.cells]
    if not shared:
        return None
    differences: dict[Seeds, list[tuple[float, float]]] = {}
    for cell in shared:
        for seeds, score in best.cells[cell].items():
            if seeds in other.cells[cell]:
                differences.setdefault(seeds, []).append((score, other.cells[cell][seeds]))
    one, two = (
        per_unit(best, design, {s: mean([p[at] for p in ps]) for s, ps in differences.items()})[0]
        for at in (0, 1)
    )
    left, right = ([sign * scores[unit] for unit in one] for scores in (one, two))
    return paired(left, right, test, overlap=design.overlap, bounds=limits)


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def corrected(ps: Sequence[float | None], family: int) -> list[float | None]:
    """p values after Holm's correction, where they are known."""
    adjusted = iter(holm([p for p in ps if p is not None], family))
    return [None if p is None else next(adjusted) for p in ps]

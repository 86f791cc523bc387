"""Groups, the best first, each compared with the best one: like with like, by their design."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exp.report.design import Design, Seeds, complete
from exp.report.groups import Cell, Group, Groups, mean
from exp.report.statistics.corrections import holm, pairs
from exp.report.statistics.means import Mean
from exp.report.statistics.paired import Paired, paired
from exp.report.statistics.verdicts import BEST, NOT_COMPARED, Verdict, verdict
from exp.util.metric_names import bounds


@dataclass(frozen=True)
class Ranked:
    """A group and its place in the ranking.

    Attributes:
        rank: from 1; None where no run of the group has a score, or where it is not ranked.
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
        every: the groups, the best first, those without a score or a rank last.
        cells: what the means of ranked groups are over.
        uneven: runs in these cells that are not used, as their seeds are not in all of the cells.
        incomplete: runs that are not used, as their round of folds is not complete.
    """

    every: tuple[Ranked, ...]
    cells: tuple[Cell, ...] = ()
    uneven: int = 0
    incomplete: int = 0

    @property
    def tested(self) -> int:
        """The number of groups that were tested against the best."""
        return sum(each.test is not None and each.test.n > 1 for each in self.every)


@dataclass(frozen=True)
class Units:
    """The scores of a group over some cells.

    Attributes:
        design: how its seeds differ.
        of: seeds -> what the run counts for.
        scores: seeds -> mean over the cells.
        uneven, incomplete: as of `Ranking`.
    """

    design: Design
    of: dict[Seeds, object]
    scores: dict[Seeds, float]
    uneven: int
    incomplete: int

    @classmethod
    def in_cells(cls, groups: Groups, group: Group, cells: Sequence[Cell]) -> Units:
        """Of the seeds that each of the cells has, in complete rounds of folds."""
        design = groups.design(group, cells)
        seeds = group.seeds(cells)
        draws = {each: [group.draws[cell][each] for cell in cells] for each in seeds}
        kept, left = complete(design, draws)
        runs = sum(len(group.cells[cell]) for cell in cells)
        return cls(
            design=design,
            of={each: design.unit_of(each, draws[each]) for each in kept},
            scores={each: mean([group.cells[cell][each] for cell in cells]) for each in kept},
            uneven=runs - len(seeds) * len(cells),
            incomplete=left * len(cells),
        )

    def means(self, seeds: Iterable[Seeds]) -> list[float]:
        """The mean score of each unit, of some seeds."""
        found: dict[object, list[float]] = {}
        for each in seeds:
            found.setdefault(self.of[each], []).append(self.scores[each])
        return [mean(scores) for scores in found.values()]

    def against(self, other: Units, sign: float, test: str, limits: tuple[float, float]) -> Paired:
        """The paired test over the seeds that both have."""
        common = [seeds for seeds in self.scores if seeds in other.scores]
        wider = max(self.design.overlap, other.design.overlap)
        # The units of this group for both, so that they remain pairs.
        other = Units(self.design, self.of, other.scores, 0, 0)
        one, two = ([sign * x for x in each.means(common)] for each in (self, other))
        return paired(one, two, test, overlap=wider, bounds=limits)


def ranking(groups: Groups, test: str = "t", margin: float | None = None) -> Ranking:
    """The groups, the best first, each compared with the best one.

    Args:
        test: one of `statistics.paired.TESTS`.
        margin: differences up to it do not matter.
    """
    sign, limits = (1.0 if groups.higher else -1.0), bounds(groups.metric)
    known = [group for group in groups.all if group.cells]
    members, cells = shared(known)
    units = [Units.in_cells(groups, group, cells) for group in members]
    scores = [summary(each, limits) for each in units]
    order = sorted(range(len(members)), key=lambda at: -sign * scores[at].mean)
    best, *others = order or [-1]
    tests = [units[best].against(units[at], sign, test, limits) for at in others]
    family = pairs(sum(each.n > 1 for each in tests) + 1)
    ps = corrected([each.p for each in tests], family)
    inside = [None if margin is None else each.within(margin) for each in tests]
    withins = corrected(inside, family)
    found = [
        Ranked(members[at], 1, scores[at], units[at].design, Verdict(BEST, BEST))
        for at in order[:1]
    ]
    for rank, (at, each, p, within) in enumerate(
        zip(others, tests, ps, withins, strict=True), start=2
    ):
        said = verdict(
            each, p, within, margin=margin, family=family, ranks=test == "wilcoxon",
            unit=units[at].design.unit, rounds=units[at].design.folds or 1,
        )  # fmt: skip
        design = units[at].design
        found.append(Ranked(members[at], rank, scores[at], design, said, each, p, within))
    ranked = {id(group) for group in members}
    for group in (each for each in known if id(each) not in ranked):
        found.append(
            alone(groups, group, f"{NOT_COMPARED}: other values of {' and '.join(groups.within)}")
        )
    for group in groups.all:
        if not group.cells:
            reason = "no such score" if group.statuses["done"] else "no finished run"
            found.append(Ranked(group, None, None, Design("seeds"), Verdict("", reason)))
    return Ranking(
        tuple(found),
        tuple(cells),
        sum(each.uneven for each in units),
        sum(each.incomplete for each in units),
    )


def unranked(groups: Groups) -> Ranking:
    """The groups in their order, with means and no comparison: of different data sets."""
    return Ranking(tuple(alone(groups, group, "") for group in groups.all))


def alone(groups: Groups, group: Group, text: str) -> Ranked:
    """A group by itself, over its own cells."""
    if not group.cells:
        return Ranked(group, None, None, Design("seeds"), Verdict("", text))
    cells = block([group], list(group.cells))
    units = Units.in_cells(groups, group, cells)
    score = summary(units, bounds(groups.metric))
    return Ranked(group, None, score, units.design, Verdict("", text))


def summary(units: Units, limits: tuple[float, float]) -> Mean:
    values = units.means(units.scores)
    return Mean.of(values, overlap=units.design.overlap, bounds=limits)


def shared(groups: Sequence[Group]) -> tuple[list[Group], list[Cell]]:
    """Groups that can be compared, and the cells that all of them have.

    All groups where some cell is common to all of them, else as many as have one in common.
    """
    having: dict[Cell, list[Group]] = {}
    for group in groups:
        for cell in group.cells:
            having.setdefault(cell, []).append(group)
    if not having:
        return [], []
    members = max(having.values(), key=len)
    if len(members) == 1 < len(groups):
        return [], []
    cells = [cell for cell in having if all(cell in group.cells for group in members)]
    return members, block(members, cells)


def block(groups: Sequence[Group], cells: Sequence[Cell]) -> list[Cell]:
    """Those of the cells that keep the most runs, if only seeds count that are in all of them.

    Without that, a cell with one seed would leave one seed of the others.
    """
    if len(cells) < 2:
        return list(cells)
    by_size = sorted(cells, key=lambda cell: -min(len(group.cells[cell]) for group in groups))
    left = [set(group.cells[by_size[0]]) for group in groups]
    sizes = []
    for count, cell in enumerate(by_size, start=1):
        left = [seeds & group.cells[cell].keys() for seeds, group in zip(left, groups, strict=True)]
        sizes.append((count * min(map(len, left)), count))
    kept = set(by_size[: max(sizes)[1]])
    return [cell for cell in cells if cell in kept]


def corrected(ps: Sequence[float | None], family: int) -> list[float | None]:
    """p values after Holm's correction, where they are known."""
    adjusted = iter(holm([p for p in ps if p is not None], family))
    return [None if p is None else next(adjusted) for p in ps]

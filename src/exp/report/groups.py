"""Runs that differ only in their seeds, as groups: their scores, their rank, and paired tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from exp.report.statistics.corrections import holm, pairs
from exp.report.statistics.means import ALPHA, Mean
from exp.report.statistics.paired import Paired, paired
from exp.report.statistics.power import FEW, needed
from exp.runs.collection import Row
from exp.runs.config_values import Scalar, names_seed
from exp.util.metric_names import MACRO, OF_POSITIVE, higher_is_better
from exp.util.text_tables import cell

SPLITS = ("validation", "test", "train")
LARGEST = 1e100
"""A score beyond it counts as none: its square would overflow."""

Seeds = tuple[int, ...]


def value(row: Row, metric: str) -> float | None:
    """The score of a run; None where it is not done or has no such score."""
    if row.status != "done":
        return None
    score = row.seconds if metric == "seconds" else row.metrics.get(metric)
    return score if score is not None and abs(score) <= LARGEST else None


def direction(rows: Iterable[Row], metric: str) -> bool:
    """Whether higher is better, also of registered metrics."""
    known: dict[str, bool] = {}
    for row in rows:
        known |= row.directions
    return higher_is_better(metric, known)


def averages(rows: Iterable[Row], metric: str) -> list[str]:
    """What a score such as F1 is computed for: the positive class, or the mean over classes.

    Empty for other scores; several entries where the runs differ.
    """
    name = metric.rpartition("/")[2]
    found: dict[str, None] = {}
    for row in rows:
        if row.average == "binary" and name in OF_POSITIVE:
            found[f"positive class {cell(row.positive)}"] = None
        elif row.average == "macro" and name in MACRO:
            found["mean over classes"] = None
    return list(found)


@dataclass
class Group:
    """Runs with the same values of some keys.

    Attributes:
        values: of those keys.
        first: the first run.
        statuses: the number of runs with each status.
        scores: seeds -> score; the mean score where several runs have the same seeds.
        repeats: seeds -> number of runs, where that is more than one.
        without: the number of runs that are done and lack the score.
    """

    values: tuple[Scalar, ...]
    first: Row
    statuses: Counter[str] = field(default_factory=Counter)
    scores: dict[Seeds, float] = field(default_factory=dict)
    repeats: dict[Seeds, int] = field(default_factory=dict)
    without: int = 0

    @property
    def runs(self) -> int:
        return self.statuses.total()


class Groups:
    """Groups of runs that are added one by one; only the score of each run is kept.

    Args:
        by: the keys whose values make a group, as in the rows' parameters.
        metric: the score.
    """

    def __init__(self, by: Sequence[str], metric: str) -> None:
        self.by, self.metric = tuple(by), metric
        self.directions: dict[str, bool] = {}
        self._found: dict[tuple[tuple[bool, Scalar], ...], Group] = {}
        self._seeds: dict[Seeds, Seeds] = {}

    @property
    def all(self) -> list[Group]:
        """In the order of their first runs."""
        return list(self._found.values())

    @property
    def higher(self) -> bool:
        """Whether higher scores are better."""
        return higher_is_better(self.metric, self.directions)

    def add(self, row: Row) -> None:
        self.directions |= row.directions
        values = tuple(row.parameters.get(key) for key in self.by)
        # With the type, as 1 == True in Python.
        key = tuple((isinstance(value, bool), value) for value in values)
        group = self._found.get(key)
        if group is None:
            group = self._found[key] = Group(values, row)
        group.statuses[row.status] += 1
        score = value(row, self.metric)
        if score is None:
            group.without += row.status == "done"
            return
        seeds = row.seeds or seeds_of(row)
        seeds = self._seeds.setdefault(seeds, seeds)  # one object for all groups
        count = 1
        if seeds in group.scores:
            count = group.repeats[seeds] = group.repeats.get(seeds, 1) + 1
        before = group.scores.get(seeds, score)
        group.scores[seeds] = before + (score - before) / count


def grouped(rows: Iterable[Row], by: Sequence[str], metric: str) -> Groups:
    groups = Groups(by, metric)
    for row in rows:
        groups.add(row)
    return groups


def seeds_of(row: Row) -> Seeds:
    """The seeds among a run's parameters, where run.json does not have them."""
    named = [v for key, v in row.parameters.items() if names_seed(key) and isinstance(v, int)]
    return tuple(named)


def over_seeds(keys: Sequence[str]) -> tuple[str, ...]:
    """All keys but those of seeds."""
    return tuple(key for key in keys if not names_seed(key))


@dataclass(frozen=True)
class Ranked:
    """A group and its place in the ranking.

    Attributes:
        rank: from 1; None where no run of the group has a score.
        score: the mean over seeds.
        test: the best group against this one over their common seeds; the difference is positive
            where the best group is better. None for the best group and for groups without scores.
        p: the p-value of the test after Holm's correction for all pairs of groups, since any group
            could have come out best.
        needed: seeds with which a difference of this size would be shown with a power of 80 %,
            where there are too few.
        verdict: the result of the test in words.
    """

    group: Group
    rank: int | None
    score: Mean | None
    test: Paired | None
    p: float | None
    needed: int | None
    verdict: str


def ranked(groups: Groups, test: str = "t") -> list[Ranked]:
    """The groups, the best first, each tested against the best one.

    Args:
        test: one of `statistics.TESTS`.
    """
    sign = 1.0 if groups.higher else -1.0
    means = [(group, Mean.of(list(group.scores.values()))) for group in groups.all if group.scores]
    means.sort(key=lambda pair: -sign * pair[1].mean)
    tests = [versus(means[0][0], group, sign, test) for group, _ in means[1:]]
    known = [each.p for each in tests if each.p is not None]
    family = pairs(len(known) + 1)
    corrected = iter(holm(known, family))
    found = [Ranked(group, 1, mean, None, None, None, "best") for group, mean in means[:1]]
    for rank, ((group, mean), each) in enumerate(zip(means[1:], tests, strict=True), start=2):
        p = None if each.p is None else next(corrected)
        few = too_few(each, p, family)
        wanted = seeds_needed(each, family, test) if few else None
        found.append(Ranked(group, rank, mean, each, p, wanted, verdict(each, p, few, wanted)))
    for group in groups.all:
        if not group.scores:
            reason = "no such score" if group.statuses["done"] else "no finished run"
            found.append(Ranked(group, None, None, None, None, None, reason))
    return found


def versus(best: Group, other: Group, sign: float, test: str) -> Paired:
    """The paired test of two groups over their common seeds."""
    common = [seeds for seeds in best.scores if seeds in other.scores]
    one = [sign * best.scores[seeds] for seeds in common]
    return paired(one, [sign * other.scores[seeds] for seeds in common], test)


def too_few(test: Paired, p: float | None, family: int) -> bool:
    """Whether there may be too few pairs to show any difference."""
    if p is None or test.smallest is None:
        return True
    return p > ALPHA and (test.n < FEW or family * test.smallest > ALPHA)


def seeds_needed(test: Paired, family: int, name: str) -> int | None:
    """The number of seeds that would show this difference; None where that is unknown."""
    family = max(family, 1)
    if test.effect is None:
        return None
    least = FEW
    while name == "wilcoxon" and family * 2.0 ** (1 - least) > ALPHA:
        least += 1
    found = needed(test.effect, ALPHA / family)
    return None if found is None else max(found, least)


def verdict(test: Paired, p: float | None, few: bool, wanted: int | None) -> str:
    """The result of a test in words."""
    if few:
        hint = f"; about {wanted} needed" if wanted is not None else ""
        return f"too few seeds ({test.n} in common{hint})"
    assert p is not None
    assert test.difference is not None
    if p > ALPHA:
        return f"not shown worse: {p_text(p)}"
    mean, low = test.difference.mean, test.difference.low
    assert low is not None
    way = "worse" if mean > 0 else "better on the common seeds"
    return f"{way} by {plus_minus(abs(mean), mean - low)}, {p_text(p)}"


def p_text(p: float) -> str:
    """A p-value in two digits, and no more than three decimals."""
    if p < 0.001:
        return "p<0.001"
    return f"p={p:.2f}" if p >= 0.095 else f"p={p:.3f}"


def plus_minus(value: float, half: float) -> str:
    """A value and the half width of its interval, with two digits of the latter."""
    if half <= 0:
        return f"{value:.3g}"
    decimals = 0
    while decimals < 12 and half * 10**decimals < 9.95:
        decimals += 1
    return f"{value:.{decimals}f} ± {half:.{decimals}f}"

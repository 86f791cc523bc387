"""Runs that differ only in their seeds, as groups: their scores, and how they compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from exp.report.statistics import ALPHA, FEW, Paired, Spread, holm, needed, paired, pairs
from exp.runs.collection import Row
from exp.runs.config_values import Scalar, names_seed
from exp.util.metric_names import MACRO, OF_POSITIVE, higher_is_better
from exp.util.text_tables import cell

SPLITS = ("validation", "test", "train")
LARGEST = 1e100
"""A score beyond it counts as none: its square would not be a number."""

Seeds = tuple[int, ...]


def value(row: Row, metric: str) -> float | None:
    """The score of a run that ended well; None where it has none."""
    if row.status != "done":
        return None
    score = row.seconds if metric == "seconds" else row.metrics.get(metric)
    return score if score is not None and abs(score) <= LARGEST else None


def direction(rows: Iterable[Row], metric: str) -> bool:
    """Whether more of a score is better, as the runs that have it say of registered metrics."""
    known: dict[str, bool] = {}
    for row in rows:
        known |= row.directions
    return higher_is_better(metric, known)


def counted_as(rows: Iterable[Row], metric: str) -> list[str]:
    """What a score of classes is of, in words: the positive class, or a mean over classes.

    Nothing for other scores; more than one answer where the runs differ.
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
        statuses: how many runs ended in which way.
        scores: seeds -> score; of several runs with the same seeds, their mean.
        repeats: how many runs such a mean is of.
        without: runs that ended well and have no such score.
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
    """Runs put into groups, one after the other; of each only its score is kept.

    Args:
        by: the keys whose values make a group, as in the rows' parameters.
        metric: what is looked at.

    Attributes:
        all: the groups, in the order in which they were met.
    """

    def __init__(self, by: Sequence[str], metric: str) -> None:
        self.by, self.metric = tuple(by), metric
        self.directions: dict[str, bool] = {}
        self._found: dict[tuple[tuple[bool, Scalar], ...], Group] = {}
        self._seeds: dict[Seeds, Seeds] = {}

    @property
    def all(self) -> list[Group]:
        return list(self._found.values())

    @property
    def higher(self) -> bool:
        """Whether more of the metric is better."""
        return higher_is_better(self.metric, self.directions)

    def add(self, row: Row) -> None:
        self.directions |= row.directions
        values = tuple(row.parameters.get(key) for key in self.by)
        # A type beside each: 1 and true are equal to Python.
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
        seeds = self._seeds.setdefault(seeds, seeds)
        if seeds in group.scores:
            count = group.repeats[seeds] = group.repeats.get(seeds, 1) + 1
            group.scores[seeds] += (score - group.scores[seeds]) / count
        else:
            group.scores[seeds] = score


def grouped(rows: Iterable[Row], by: Sequence[str], metric: str) -> Groups:
    groups = Groups(by, metric)
    for row in rows:
        groups.add(row)
    return groups


def seeds_of(row: Row) -> Seeds:
    """The seeds that a run's parameters name, for a run whose record has none."""
    named = [v for key, v in row.parameters.items() if names_seed(key) and isinstance(v, int)]
    return tuple(named)


def over_seeds(keys: Sequence[str]) -> tuple[str, ...]:
    """All keys but those that only name the draw."""
    return tuple(key for key in keys if not names_seed(key))


@dataclass(frozen=True)
class Standing:
    """A group in the ranking.

    Attributes:
        rank: from 1; None where no run of it has a score.
        spread: of its scores, one for each seed.
        test: the best group's scores against its own over their common seeds, a positive
            difference where the best is better; None for the best itself and where there is none.
        p: of the test, corrected by Holm's method for every pair of groups, as any group could
            have come out best.
        needed: seeds that would show a difference of this size with a power of 80 %, where there
            were too few.
        verdict: all of this in words.
    """

    group: Group
    rank: int | None
    spread: Spread | None
    test: Paired | None
    p: float | None
    needed: int | None
    verdict: str


def ranked(groups: Groups, test: str = "t") -> list[Standing]:
    """The groups, best first, each tested against the best.

    Args:
        test: of `statistics.TESTS`.
    """
    sign = 1.0 if groups.higher else -1.0
    spreads = [
        (group, Spread.of(list(group.scores.values()))) for group in groups.all if group.scores
    ]
    spreads.sort(key=lambda pair: -sign * pair[1].mean)
    found = []
    if spreads:
        best = spreads[0][0]
        tests = [versus(best, group, sign, test) for group, _ in spreads[1:]]
        known = [each.p for each in tests if each.p is not None]
        # Any group could have come out best: every pair of them was up for being tested.
        family = pairs(len(known) + 1)
        corrected = iter(holm(known, family))
        ps = [None if each.p is None else next(corrected) for each in tests]
        found.append(Standing(best, 1, spreads[0][1], None, None, None, "best"))
        for rank, ((group, spread), each, p) in enumerate(
            zip(spreads[1:], tests, ps, strict=True), start=2
        ):
            few = too_few(each, p, family)
            wanted = wanted_seeds(each, family, test) if few else None
            said = verdict(each, p, few, wanted)
            found.append(Standing(group, rank, spread, each, p, wanted, said))
    nothing = [group for group in groups.all if not group.scores]
    found += [Standing(group, None, None, None, None, None, none_yet(group)) for group in nothing]
    return found


def versus(best: Group, other: Group, sign: float, test: str) -> Paired:
    common = [seeds for seeds in best.scores if seeds in other.scores]
    one = [sign * best.scores[seeds] for seeds in common]
    return paired(one, [sign * other.scores[seeds] for seeds in common], test)


def too_few(test: Paired, p: float | None, family: int) -> bool:
    """Whether that nothing was shown may only mean that there are too few pairs."""
    if p is None or test.smallest is None:
        return True
    return p > ALPHA and (test.n < FEW or family * test.smallest > ALPHA)


def wanted_seeds(test: Paired, family: int, name: str) -> int | None:
    """How many seeds would tell; None where that cannot be said."""
    family = max(family, 1)
    if test.effect is None:
        return None
    least = FEW
    while name == "wilcoxon" and family * 2.0 ** (1 - least) > ALPHA:
        least += 1
    found = needed(test.effect, ALPHA / family)
    return None if found is None else max(found, least)


def verdict(test: Paired, p: float | None, few: bool, wanted: int | None) -> str:
    """What the test says, in words."""
    if few:
        hint = f"; about {wanted} would tell" if wanted is not None else ""
        return f"too few seeds ({test.n} in common{hint})"
    assert p is not None
    assert test.difference is not None
    mean, low = test.difference.mean, test.difference.low
    if p > ALPHA:
        return f"not shown worse: {p_text(p)}"
    assert low is not None
    way = "worse" if mean > 0 else "better on the common seeds"
    return f"{way} by {plus_minus(abs(mean), mean - low)}, {p_text(p)}"


def none_yet(group: Group) -> str:
    if group.statuses["done"]:
        return "no such score"
    return "no finished run"


def p_text(p: float) -> str:
    """Two digits of a p value, none of them beyond the third decimal."""
    if p < 0.001:
        return "p<0.001"
    return f"p={p:.2f}" if p >= 0.095 else f"p={p:.3f}"


def plus_minus(value: float, half: float) -> str:
    """A value and half its interval, with two digits of the latter."""
    if half <= 0:
        return f"{value:.3g}"
    decimals = 0
    while decimals < 12 and half * 10**decimals < 9.95:
        decimals += 1
    return f"{value:.{decimals}f} ± {half:.{decimals}f}"

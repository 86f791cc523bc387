"""Runs that differ only in their seeds, as groups, with their scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from exp.report.design import Design, Draw, Seeds, design
from exp.runs.collection import Row, config_of
from exp.runs.config_values import Scalar, names_seed
from exp.util.metric_names import MACRO, OF_POSITIVE, higher_is_better
from exp.util.text_tables import cell

SPLITS = ("validation", "test", "train")
LARGEST = 1e100
"""A score beyond it counts as none: its square would overflow."""

Cell = tuple[Scalar, ...]
"""Values of the keys within which groups are compared."""


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
        cells: values of all other keys that vary -> seeds -> score; the mean score where several
            runs have the same values and seeds.
        draws: likewise, of the rows of the runs.
        counts: likewise, of how many runs there are.
        without: the number of runs that are done and lack the score.
    """

    values: tuple[Scalar, ...]
    first: Row
    statuses: Counter[str] = field(default_factory=Counter)
    cells: dict[Cell, dict[Seeds, float]] = field(default_factory=dict)
    draws: dict[Cell, dict[Seeds, Draw]] = field(default_factory=dict)
    counts: Counter[tuple[Cell, Seeds]] = field(default_factory=Counter)
    without: int = 0

    @property
    def runs(self) -> int:
        return self.statuses.total()

    @property
    def scores(self) -> dict[Seeds, float]:
        """Seeds -> the mean score over the cells that have them."""
        found: dict[Seeds, list[float]] = {}
        for scores in self.cells.values():
            for seeds, score in scores.items():
                found.setdefault(seeds, []).append(score)
        return {seeds: mean(some) for seeds, some in found.items()}

    @property
    def repeated(self) -> bool:
        """Whether several runs have the same seeds."""
        return len(self.cells) > 1 or any(count > 1 for count in self.counts.values())

    def seeds(self, cells: Sequence[Cell]) -> list[Seeds]:
        """The seeds that each of some cells has."""
        first, *others = cells
        return [s for s in self.cells[first] if all(s in self.cells[cell] for cell in others)]


def mean(values: Sequence[float]) -> float:
    return values[0] if len(values) == 1 else math.fsum(values) / len(values)


class Groups:
    """Groups of runs that are added one by one; only the score of each run is kept.

    Args:
        by: the keys whose values make a group, as in the rows' parameters.
        metric: the score.
        within: all other keys that vary, but the seeds: groups are compared within their values.
    """

    def __init__(self, by: Sequence[str], metric: str, within: Sequence[str] = ()) -> None:
        self.by, self.metric, self.within = tuple(by), metric, tuple(within)
        self.directions: dict[str, bool] = {}
        self._found: dict[tuple[tuple[bool, Scalar], ...], Group] = {}
        self._seeds: dict[Seeds, Seeds] = {}
        self._draws: dict[Draw, Draw] = {}
        self._configs: dict[tuple[Scalar, ...], Mapping[str, Scalar]] = {}

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
        where = tuple(row.parameters.get(key) for key in self.within)
        group.draws.setdefault(where, {}).setdefault(seeds, self._draw(row))
        scores = group.cells.setdefault(where, {})
        group.counts[where, seeds] += 1
        before = scores.get(seeds, score)
        scores[seeds] = before + (score - before) / group.counts[where, seeds]

    def _draw(self, row: Row) -> Draw:
        found = Draw.of(row, self.metric)
        return self._draws.setdefault(found, found)  # one object for all groups

    def design(self, group: Group, cells: Iterable[Cell]) -> Design:
        """How the runs of a group in some cells differ by their seeds."""
        return design(
            [group.draws[cell] for cell in cells], self.metric, partial(self._config, group)
        )

    def _config(self, group: Group) -> Mapping[str, Scalar]:
        """The config of a group, read once for all that have the same split."""
        parameters = group.first.parameters
        split = tuple(value for key, value in parameters.items() if key.startswith("split"))
        if split not in self._configs:
            self._configs[split] = config_of(group.first.path)
        return self._configs[split]


def grouped(
    rows: Iterable[Row], by: Sequence[str], metric: str, within: Sequence[str] = ()
) -> Groups:
    groups = Groups(by, metric, within)
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

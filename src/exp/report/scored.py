"""Runs with one number each, in the groups that differ in nothing but seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from exp.plotting.levels import Levels
from exp.plotting.metric import Metric
from exp.report.captions import brief, caption, short
from exp.report.comparisons import alone
from exp.report.groups import direction, grouped, value
from exp.report.results import metric_named, metrics_of
from exp.report.statistics.means import Mean
from exp.runs.collection import Row, Runs
from exp.runs.config_values import Scalar, is_number, names_seed, written
from exp.util.metric_names import SHARES, headline


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in nothing but their seeds.

    Attributes:
        name: the values that they have in common; empty where nothing but seeds varies.
        members: their places among the rows.
        mean: of the scores of those that have one; NaN without any.
    """

    name: str
    members: tuple[int, ...]
    mean: float


class Scored:
    """The runs that pictures are drawn of.

    Args:
        runs: as they were gathered.
        metric: as `exp results` takes it; None: accuracy, or RMSE where there is none.

    Attributes:
        rows: of the runs, by number.
        scores: `[runs]`, NaN for those that are not done or lack the metric.
        keys, seeds: what varies, and which of that are seeds; each with at least two values.
    """

    def __init__(self, runs: Runs, metric: str | None = None) -> None:
        self.rows: tuple[Row, ...] = runs.rows
        known = metrics_of(runs.rows)
        name = metric_named(metric or headline(known), known)
        self.metric = Metric(name, name.rpartition("/")[2] in SHARES)
        self.sign = 1.0 if direction(runs.rows, name) else -1.0
        scores = [value(row, name) for row in self.rows]
        self.scores: NDArray[np.float64] = np.array(
            [math.nan if score is None else score for score in scores], dtype=np.float64
        )
        varying = [key for key in runs.keys if self._varies(key)]
        self.keys = [key for key in varying if not names_seed(key)]
        self.seeds = [key for key in varying if names_seed(key)]
        self.names = short(runs.keys)

    def _varies(self, key: str) -> bool:
        return len({written(row.parameters.get(key)) for row in self.rows}) > 1

    @cached_property
    def groups(self) -> list[Group]:
        """In the order of their first runs; the runs of each by their seeds."""
        found: dict[tuple[str, ...], list[int]] = {}
        for place, row in enumerate(self.rows):
            key = tuple(written(row.parameters.get(key)) for key in self.keys)
            found.setdefault(key, []).append(place)
        named = {key: self.names[key] for key in self.keys}
        groups = []
        for members in found.values():
            members.sort(key=self._seed)
            name = caption(self.rows[members[0]].parameters, named)
            groups.append(Group(name, tuple(members), self.mean(members)))
        return groups

    def _seed(self, place: int) -> tuple[tuple[bool, float, str], ...]:
        given = (self.rows[place].parameters.get(key) for key in self.seeds)
        return (*(in_order(each) for each in given), (False, float(place), ""))

    def over_seeds(self, members: Iterable[int]) -> Mean | None:
        """The mean of some runs over their seeds with its interval, as `exp results` has it; None
        where no run has a score."""
        groups = grouped([self.rows[place] for place in members], (), self.metric.name)
        return alone(groups, groups.all[0], "").score if groups.all else None

    def mean(self, members: Iterable[int]) -> float:
        """Of the scores of some runs over their seeds; NaN where none has one."""
        found = self.over_seeds(members)
        return float("nan") if found is None else found.mean

    @cached_property
    def ranked(self) -> list[Group]:
        """The groups, the best first, those without a score last."""
        return sorted(
            self.groups,
            key=lambda group: (np.isnan(group.mean), -self.sign * np.nan_to_num(group.mean)),
        )

    def best(self, most: int) -> list[int]:
        """The places of the best runs, in the order of the rows; all where they are not more."""
        if len(self.rows) <= most:
            return list(range(len(self.rows)))
        order = np.argsort(np.where(np.isnan(self.scores), np.inf, -self.sign * self.scores),
                           kind="stable")  # fmt: skip
        return sorted(order[:most].tolist())

    def seed_of(self, place: int) -> str:
        """`seed=3`, or nothing where no seed varies."""
        return caption(self.rows[place].parameters, {key: self.names[key] for key in self.seeds})

    def levels(self, key: str) -> Levels:
        """The values of a key: numbers in order, names as they come."""
        values = [row.parameters.get(key) for row in self.rows]
        texts = [written(value) for value in values]
        first: dict[str, Scalar] = dict(zip(texts, values, strict=True))
        numbers = all(is_number(each) for each in values)
        labels = sorted(first, key=lambda text: float(str(first[text]))) if numbers else list(first)
        if numbers:  # 1 and 1.0 are one value
            labels = list({float(str(first[text])): text for text in reversed(labels)}.values())[
                ::-1
            ]
        at = {float(str(first[text])) if numbers else text: i for i, text in enumerate(labels)}
        codes = [
            at[float(str(each)) if numbers else text]
            for each, text in zip(values, texts, strict=True)
        ]
        return Levels(
            name=key,
            labels=tuple(brief(first[text]) for text in labels),
            numbers=np.array([float(str(first[text])) for text in labels]) if numbers else None,
            codes=np.array(codes, dtype=np.intp),
        )


def in_order(given: Scalar) -> tuple[bool, float, str]:
    """Sorts numbers as numbers, before all else as text."""
    if is_number(given):
        return False, float(str(given)), ""
    return True, 0.0, written(given)

"""Time to target over data sets: AlgoPerf's profiles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp.report.cells import arranged, keys_of, noun
from exp.report.statistics import profiles
from exp.report.time_to_target import Target, times
from exp.runs.collection import Runs
from exp.runs.config_values import Scalar
from exp.util.errors import ExpError

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TargetProfile:
    """
    Attributes:
        unit, by: the keys that make a data set, and those that make a method.
        names, methods: of the methods, and their values of these keys.
        data_sets: those that every method has runs on.
        left_out: data set -> methods without a run on it.
        waiting: status -> runs that are not counted.
        runs: that are counted.
        shares: `[data sets, methods]`: of the runs that reach the target.
        epochs, seconds: `[data sets, methods]`: the medians, infinite where not reached; seconds
            are NaN where they are not known.
    """

    target: Target
    unit: tuple[str, ...]
    by: tuple[str, ...]
    names: tuple[str, ...]
    methods: tuple[tuple[Scalar, ...], ...]
    data_sets: tuple[str, ...]
    left_out: dict[str, tuple[str, ...]]
    waiting: Counter[str]
    runs: int
    shares: Values
    epochs: Values
    seconds: Values

    @property
    def noun(self) -> str:
        """What methods are compared over."""
        return noun(self.unit)

    @property
    def ratios(self) -> Values:
        """`[data sets, methods]`: the epochs of each method, divided by those of the fastest."""
        return profiles.ratios(self.epochs)

    @property
    def reached(self) -> NDArray[np.intp]:
        """`[methods]`: data sets on which the median run reaches the target."""
        found: NDArray[np.intp] = np.isfinite(self.epochs).sum(axis=0)
        return found

    @property
    def scores(self) -> list[float]:
        """AlgoPerf's score of each method, by epochs."""
        return [profiles.profile_score(each) for each in self.ratios.T]

    @property
    def second_scores(self) -> list[float | None]:
        """Likewise by seconds; None where those of some method are not known."""
        if np.isnan(self.seconds).any():
            return [None] * len(self.names)
        return [profiles.profile_score(each) for each in profiles.ratios(self.seconds).T]

    @property
    def order(self) -> list[int]:
        """The methods, the best score first; of equal ones those that more runs of reach it."""
        shares = self.shares.mean(axis=0)
        return sorted(range(len(self.names)), key=lambda at: (-self.scores[at], -shares[at]))


def target_profile(runs: Runs, across: list[str], by: list[str] | None, text: str) -> TargetProfile:
    """How soon methods reach a target on each data set that all of them have runs on.

    Raises:
        ExpError: as for `times` and `keys_of`; there is no such data set.
    """
    runs, unit, rest = keys_of(runs, across, by)
    found = times(runs.rows, [*unit, *rest], text)
    cells, methods, labels, names = arranged(found.groups, unit, rest)
    left_out = {
        names[place]: tuple(labels[m] for m in methods if m not in some or not some[m].runs)
        for place, some in cells.items()
    }
    left_out = {name: lacking for name, lacking in left_out.items() if lacking}
    kept = [place for place in cells if names[place] not in left_out]
    if not kept:
        raise ExpError(f"--target: no {noun(unit)} has runs of all {len(methods)} methods")
    table = [[cells[place][method] for method in methods] for place in kept]
    waiting: Counter[str] = Counter()
    for group in found.groups:
        waiting += group.waiting
    return TargetProfile(
        found.target, tuple(unit), tuple(rest), tuple(labels.values()), tuple(methods.values()),
        tuple(names[place] for place in kept), left_out, waiting,
        sum(each.runs for row in table for each in row),
        np.array([[each.share for each in row] for row in table]),
        np.array([[profiles.median(each.epochs) for each in row] for row in table]),
        np.array([[profiles.median(each.known_seconds) for each in row] for row in table]),
    )  # fmt: skip

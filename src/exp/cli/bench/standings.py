"""What the runs of a bench say: scores and times as arrays, and the statistics of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from exp.cli.bench.bench import Bench
from exp.cli.bench.training import Runs
from exp.report.statistics.bootstrap import Estimate, stratified
from exp.report.statistics.corrections import holm
from exp.report.statistics.means import ALPHA, Mean
from exp.report.statistics.paired import paired
from exp.report.statistics.profiles import profile_score, ratios, share_reached
from exp.report.statistics.ranks import Friedman, friedman, ranks

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One optimizer on one data set.

    Attributes:
        accuracy: of test rows, over seeds.
        rate: the chosen learning rate; None: the optimizer has none.
        edge: whether that is the lowest or the highest of those that were tried.
        diverged: the number of runs that did.
        reached: the share of runs that reached the target; None: there is none.
        time: gradients until then, in the median over all runs; None: half of them never got there.
        p: of the paired test against the best optimizer on this data set, corrected; None: this
            is the best one, or no test can be made.
        worse: whether that test shows that it is worse.
    """

    accuracy: Mean
    rate: float | None
    edge: bool
    diverged: int
    reached: float | None
    time: float | None
    p: float | None
    worse: bool


@dataclass(frozen=True)
class Standing:
    """One optimizer over all data sets.

    Attributes:
        rank: the mean over data sets of its rank by mean test accuracy, 1 for the best.
        first: data sets on which its mean test accuracy is the highest.
        near: data sets on which it is not shown to be worse than the best.
        lost: accuracy less than that of the best optimizer on the same data set, in points: the
            interquartile mean over runs, and its interval.
        score: AlgoPerf's, of the time to target; None: there are no targets.
        reached: the share of runs that reached the target.
        diverged: runs that did.
        edge: data sets on which its learning rate is the lowest or highest of those tried.
    """

    name: str
    rank: float
    first: int
    near: int
    lost: Estimate
    score: float | None
    reached: float | None
    diverged: int
    edge: int


class Comparison:
    """The optimizers of a bench, compared.

    Attributes:
        datasets, optimizers: their names.
        accuracy: `[data sets, optimizers, seeds]` of test rows.
        times: `[data sets with a target, optimizers, seeds]` gradients to the target, infinite for
            runs that never reach it.
        budgets: `[data sets with a target, optimizers]` gradients of a whole run.
        rows: of each data set, how many train, validate and test.
        epochs, steps: of each data set, those of a whole run.
        tables: of each data set, whether its seeds are splits of the same rows.
        tried: of each optimizer, the learning rates.
    """

    def __init__(self, bench: Bench) -> None:
        suite = bench.suite
        self.suite = suite
        self.datasets = [each.name for each in suite.datasets]
        self.optimizers = [each.name for each in suite.optimizers]
        self.aimed = [at for at, each in enumerate(suite.datasets) if each.target is not None]
        every = [[bench.runs(name, other) for other in self.optimizers] for name in self.datasets]
        self.accuracy: Values = np.array(
            [[runs.score("test/accuracy") for runs in line] for line in every], np.float64
        )
        gradients = np.array([each.gradients for each in suite.optimizers], np.float64)
        times = [
            [runs.steps_to(target) for runs in every[at]]
            for at in self.aimed
            if (target := suite.datasets[at].target) is not None
        ]
        shape = (len(self.aimed), len(self.optimizers))
        self.times: Values = np.reshape(times, (*shape, -1)) * gradients[:, None]
        self.epochs = [int(line[0].epoch[-1] + 1) for line in every]
        steps = [line[0].steps for line in every]
        self.steps = [each * count for each, count in zip(steps, self.epochs, strict=True)]
        budgets = np.array([self.steps[at] for at in self.aimed], np.float64)
        self.budgets: Values = budgets.reshape(-1, 1) * gradients
        self.rows = [line[0].rows for line in every]
        self.tables = [line[0].table for line in every]
        self.tried: list[list[float]] = [runs.rates.tolist() for runs in every[0]]
        self.cells = [self._cells(at, line) for at, line in enumerate(every)]

    def _cells(self, at: int, line: Sequence[Runs]) -> list[Cell]:
        """The cells of a data set."""
        scores = self.accuracy[at]
        best = int(scores.mean(axis=1).argmax())
        # Splits of one table share rows, which the corrected resampled test accounts for.
        overlap = self.rows[at][2] / self.rows[at][0] if self.tables[at] else 0.0
        others = [place for place in range(len(line)) if place != best]
        tests = [paired(scores[best], scores[other], overlap=overlap).p for other in others]
        known = [p for p in tests if p is not None]
        corrected = iter(holm(known))
        ps = {o: None if p is None else next(corrected) for o, p in zip(others, tests, strict=True)}
        found = []
        for place, runs in enumerate(line):
            reached = median = None
            if at in self.aimed:
                times = self.times[self.aimed.index(at), place]
                reached, middle = share_reached(times), float(np.median(times))
                median = middle if np.isfinite(middle) else None
            p = ps.get(place)
            found.append(
                Cell(
                    accuracy=Mean.of(scores[place].tolist(), overlap=overlap, bounds=(0.0, 1.0)),
                    rate=None if np.isnan(runs.rate) else runs.rate,
                    edge=len(runs.rates) > 1 and runs.rate in runs.rates[[0, -1]],
                    diverged=int(runs.diverged.sum()),
                    reached=reached,
                    time=median,
                    p=p,
                    worse=p is not None and p <= ALPHA,
                )
            )
        return found

    @cached_property
    def means(self) -> Values:
        """`[data sets, optimizers]`."""
        found: Values = self.accuracy.mean(axis=2)
        return found

    @cached_property
    def ranked(self) -> Values:
        """`[data sets, optimizers]` ranks by mean test accuracy, 1 for the best."""
        return ranks(self.means)

    @cached_property
    def friedman(self) -> Friedman | None:
        return friedman(self.ranked)

    @cached_property
    def ratios(self) -> Values:
        """`[data sets with a target, optimizers]` median time to target, over the shortest."""
        return ratios(np.median(self.times, axis=2))

    @cached_property
    def standings(self) -> list[Standing]:
        """The best mean rank first."""
        best = self.means.max(axis=1)
        found = []
        for place, name in enumerate(self.optimizers):
            column = [line[place] for line in self.cells]
            lost = list(100 * (best[:, None] - self.accuracy[:, place]))
            times = self.times[:, place]
            found.append(
                Standing(
                    name=name,
                    rank=float(self.ranked[:, place].mean()),
                    first=int((self.means[:, place] == best).sum()),
                    near=sum(not cell.worse for cell in column),
                    lost=stratified(lost),
                    score=profile_score(self.ratios[:, place]) if self.aimed else None,
                    reached=share_reached(times.ravel()) if self.aimed else None,
                    diverged=sum(cell.diverged for cell in column),
                    edge=sum(cell.edge for cell in column),
                )
            )
        return sorted(found, key=lambda each: (each.rank, each.name))

"""Successive halving within a budget of seconds: all candidates get a short training, the better
ones a longer one, the best a full one on every fold.

What was trained is recorded, so that a later fit can do exactly the same without a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from joblib import cpu_count

from exp.fitting.portfolio import Candidate
from exp.fitting.table import Table
from exp.fitting.training import Order, Outcome, Trained, ready, remember, work
from exp.runs.processes import forked
from exp.runs.processes.worker_pool import Pool

LEVELS = (1 / 9, 1 / 3, 1.0)
"""Shares of a full training."""
ENOUGH = 3_000
"""Training rows that also a short training gets; fewer epochs come first below that."""
SCREENED = 1_000
"""Validation rows that compare candidates well enough: so many folds, at least, in short
trainings."""
KEPT = (1.0, 0.5, 0.25)
"""Share of all candidates that get each level, at most."""
LEAST = 8
"""But so many, if there are."""
TIMES = (0.25, 0.45, 1.0)
"""Until which share of the time a level may begin another candidate."""

Key = tuple[int, int]
"""A candidate and a level."""


@dataclass
class Done:
    """What a fit has trained.

    Attributes:
        trained: candidate and level -> its folds, in order.
        begun: candidate and level of each training, in the order in which they began.
        failed: candidate -> why it could not be trained.
    """

    trained: dict[Key, list[Trained]] = field(default_factory=dict)
    begun: list[Key] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)

    @property
    def order(self) -> list[Key]:
        """The trainings that were done, in the order in which they began."""
        return [key for key in self.begun if key in self.trained]

    def full(self) -> dict[int, list[Trained]]:
        """Candidate -> its folds, of those that were trained in full on all."""
        last = len(LEVELS) - 1
        return {number: found for (number, level), found in self.trained.items() if level == last}

    def level(self, number: int) -> int:
        """The highest level of a candidate; -1: none."""
        return max((level for other, level in self.trained if other == number), default=-1)


class Rounds:
    """The trainings of a fit.

    Args:
        table: the rows.
        candidates: in the order in which they are tried.
        measure: the validation score of a candidate on some folds; less is better.
        deadline: by `time.monotonic`, after which nothing is trained.
        progress: called after each training.
        recorded: candidates and levels of an earlier fit: exactly those are trained.
    """

    def __init__(
        self,
        table: Table,
        candidates: list[Candidate],
        measure: Callable[[list[Trained]], float],
        *,
        deadline: float,
        progress: Callable[[Done], None],
        recorded: Sequence[Key] = (),
    ) -> None:
        self.table, self.candidates, self.measure = table, candidates, measure
        self.begun, self.deadline, self.progress = time.monotonic(), deadline, progress
        self.recorded = recorded
        self.done = Done()
        self.scores: dict[Key, float] = {}
        self.level = 0
        self.queue: list[int] | None = None
        self.running: set[Key] = set()
        self.pace: dict[int, float] = {}
        rows = len(table.folds[0].validation)
        folds = len(table.folds)
        self.screened = tuple(range(min(folds, max(1, -(-SCREENED // max(rows, 1))))))

    def order(self, number: int, level: int) -> Order:
        """The training of a candidate at a level."""
        candidate, rows = self.candidates[number], len(self.table.folds[0].train)
        last = level == len(LEVELS) - 1
        share = 1.0 if last else min(1.0, max(ENOUGH / rows, LEVELS[level]))
        epochs = candidate.epochs * LEVELS[level] / share
        return Order(
            settings=self.table.settings,
            candidate=candidate,
            level=level,
            folds=tuple(range(len(self.table.folds))) if last else self.screened,
            rows=share,
            epochs=max(3, round(epochs)),
            deadline=self.deadline,
        )

    def cost(self, order: Order) -> float:
        """Seconds that a training takes, about; 0 where that is not known yet."""
        pace = self.pace.get(order.candidate.number, 0.0)
        return pace * len(order.folds) * order.rows * order.epochs

    def __iter__(self) -> Iterator[Order]:
        return self

    def __next__(self) -> Order:
        """The next training.

        Raises:
            StopIteration: there is none now; there may be one when those that run have ended.
        """
        while self.level < len(LEVELS):
            if self.queue is None:
                if self.running:
                    raise StopIteration
                self.queue = self.chosen(self.level)
            late = self.begun + TIMES[self.level] * (self.deadline - self.begun)
            while self.queue:
                order = self.order(self.queue.pop(0), self.level)
                if time.monotonic() < late and self.fits(order):
                    self.running.add((order.candidate.number, order.level))
                    self.done.begun.append((order.candidate.number, order.level))
                    return order
            self.level, self.queue = self.level + 1, None
        raise StopIteration

    def fits(self, order: Order) -> bool:
        """Whether a training is done in time, as far as that is known."""
        pace = self.pace.get(order.candidate.number, 0.0)
        seconds = pace * len(order.folds) * order.rows * order.epochs
        return time.monotonic() + seconds < self.deadline

    def chosen(self, level: int) -> list[int]:
        """The candidates that are trained at a level, the best first.

        All trainings of the level below have ended, so that this depends on no clock unless the
        time is over.
        """
        if self.recorded:
            return [number for number, at in self.recorded if at == level]
        if level == 0:
            return list(range(len(self.candidates)))
        below = [number for number, at in self.scores if at == level - 1]
        most = max(LEAST, round(KEPT[level] * len(self.candidates)))
        return sorted(below, key=lambda number: (self.scores[number, level - 1], number))[:most]

    def run(self, workers: int | None = None) -> Done:
        """Trains until everything is done or the time is over."""
        remember(self.table)
        count = workers or int(cpu_count())
        if count > 1 and forked.possible():
            forked.start_no_threads()
        if count == 1:
            for order in self:
                self.take(*work(order))
        else:
            pool = Pool(count, work, prepare=ready)
            try:
                for outcome, seconds in pool.map(self, retry=self.lost, going=lambda: True):
                    self.take(outcome, seconds)
            finally:
                pool.close()
        self.at_least_one()
        return self.done

    def at_least_one(self) -> None:
        """Trains a network in full if the time was too short for any: the best that there is."""
        last = len(LEVELS) - 1
        known = sorted(self.scores, key=lambda key: (-key[1], self.scores[key], key[0]))
        for number in dict.fromkeys([*(n for n, _ in known), *range(len(self.candidates))]):
            if any(not self.candidates[full].constant for full in self.done.full()):
                return
            if number not in self.done.failed and not self.candidates[number].constant:
                self.done.begun.append((number, last))
                order = replace(self.order(number, last), deadline=float("inf"))
                self.take(*work(order))

    def lost(self, order: Order, reason: str) -> tuple[list[Any], list[Order]]:
        """A candidate whose worker process has died is given up."""
        self.running.discard((order.candidate.number, order.level))
        self.done.failed[order.candidate.number] = reason
        return [], []

    def take(self, outcome: Outcome, seconds: float) -> None:
        """Takes in what came out of an order."""
        self.running.discard((outcome.candidate, outcome.level))
        if isinstance(outcome.found, str):
            self.done.failed[outcome.candidate] = outcome.found
        if not outcome.found or isinstance(outcome.found, str):
            return
        key = outcome.candidate, outcome.level
        self.done.trained[key] = outcome.found
        self.scores[key] = self.measure(outcome.found)
        order = self.order(*key)
        work_done = len(order.folds) * order.rows * order.epochs
        self.pace[outcome.candidate] = seconds / work_done
        self.progress(self.done)

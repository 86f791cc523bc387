"""The training loop and its stack: any number of runs, those of one shape as one.

from exp.engine import Job, train
results = train([Job.of(plan(config)) for config in configs])
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from torch import Tensor

from exp.engine.custom_errors import attributed
from exp.engine.job import Job
from exp.engine.job_checks import check_job, check_trainable
from exp.engine.kernel.support import alone
from exp.engine.recorder import Recording
from exp.engine.result import Predictor, Result
from exp.engine.stack import Stack
from exp.engine.state import best_state, capture, restore
from exp.engine.train import End, Hook, Training
from exp.engine.untrained import Outputs, untrained

__all__ = [
    "End",
    "Hook",
    "Job",
    "Outputs",
    "Predictor",
    "Recording",
    "Result",
    "Stack",
    "Training",
    "capture",
    "check_job",
    "restore",
    "train",
    "untrained",
]  # fmt: skip

Checkpoint = tuple[dict[str, Tensor], dict[str, Any]]
"""Tensors and numbers, as `capture` gives them."""


def grouped(
    jobs: Sequence[Job],
    start: Mapping[int, Checkpoint] | None = None,
    recordings: Mapping[int, Recording] | None = None,
) -> list[list[int]]:
    """Indices of jobs that train as one stack, in the order in which they were given.

    Args:
        start: index -> where a job goes on; those of one stack go on after the same epoch, and one
            that has ended goes by itself.
        recordings: index -> what had been recorded of it; of the same epochs within a stack.
    """
    start, recordings = start or {}, recordings or {}
    groups: dict[Hashable, list[int]] = {}
    single: dict[Hashable, bool] = {}
    for index, job in enumerate(jobs):
        kind = (job.key(), job.device.threads)
        if kind not in single:
            single[kind] = alone(job) is not None  # builds a model, so once for all of a kind
        numbers = start[index][1] if index in start else {"epoch": 0, "ended": None}
        apart = single[kind] or numbers["ended"] is not None
        norms = recordings[index].norms if index in recordings else None
        recorded = None if norms is None else tuple(norms["epoch"].tolist())
        place = (index in start, numbers["epoch"], recorded)
        key = ("single", index) if apart else (kind, *place)
        groups.setdefault(key, []).append(index)
    return list(groups.values())


def train(
    jobs: Sequence[Job],
    *,
    start: Mapping[int, Checkpoint] | None = None,
    recordings: Mapping[int, Recording] | None = None,
    hooks: Sequence[Hook] = (),
) -> list[Result]:
    """Trains every job and returns its result, in the same order.

    The bits of a result do not depend on which other jobs are given.

    Args:
        start: index -> where an earlier training of this job was left; it goes on from there.
        recordings: index -> what had been recorded of it by then.
        hooks: called by the loop of every stack; what they raise ends all.
    """
    results: dict[int, Result] = {}
    start = start or {}
    for job in jobs:
        check_trainable(job)
    for group in grouped(jobs, start, recordings):
        with attributed([jobs[index] for index in group]):
            stack = Stack([jobs[index] for index in group])
        training = Training(stack, [*hooks, KeepResults(results, group)])
        if group[0] in start:
            restore(training, [start[index] for index in group])
            known = recordings or {}
            training.recorder.restore([known.get(index, Recording()) for index in group])
        with attributed(stack.jobs):
            training.run()
    return [results[index] for index in range(len(jobs))]


class KeepResults(Hook):
    """Keeps the result of each run of a stack.

    Args:
        results: takes them, by index.
        indices: of the stack's runs.
    """

    def __init__(self, results: dict[int, Result], indices: Sequence[int]) -> None:
        self.results, self.indices = results, indices

    def next_look(self, training: Training) -> None:
        """Never: only at the end of a run."""

    def run_ended(self, training: Training, end: End) -> None:
        index = self.indices[training.stack.ids[end.position]]
        self.results[index] = result_of(training, end)


def result_of(training: Training, end: End) -> Result:
    """The result of the run that stands at this position of its stack."""
    stack, watch = training.stack, training.watch
    last = {k: v.cpu() for k, v in stack.model.state(end.position).items()}
    known = math.isfinite(watch.best[end.position])
    return Result(
        job=stack.jobs[end.position],
        end_reason=end.reason,
        epochs=end.epoch + 1,
        history=stack.history.table(end.position),
        state=last,
        best_state=best_state(training, end.position) if known else last,
        best_epoch=watch.best_epoch[end.position] if known else end.epoch,
        checkpoint=capture(training, end.position, end.reason),
        recording=training.recorder.recording(end.position),
    )

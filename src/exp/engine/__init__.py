"""The engine: trains any number of runs, those of one shape as one stack.

from exp.engine import Job, train
results = train([Job.of(plan(config)) for config in configs])
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from exp.engine.job import Job
from exp.engine.result import Predictor, Result
from exp.engine.stack import Stack
from exp.engine.state import best_state, capture, restore
from exp.engine.train import End, Training
from exp.engine.trial import tried

__all__ = [
    "End", "Job", "Predictor", "Result", "Stack", "Training", "capture", "restore", "train",
    "tried",
]  # fmt: skip

Report = Callable[[int, Training], None]


def grouped(jobs: Sequence[Job]) -> list[list[int]]:
    """Indices of jobs that train as one stack, in the order in which they were given."""
    groups: dict[Hashable, list[int]] = {}
    for index, job in enumerate(jobs):
        key = ("alone", index) if job.alone() else job.key()
        groups.setdefault(key, []).append(index)
    return list(groups.values())


def train(
    jobs: Sequence[Job],
    *,
    on_row: Report | None = None,
    on_checkpoint: Report | None = None,
) -> list[Result]:
    """Trains every job and returns its result, in the same order.

    The bits of a result do not depend on which other jobs are given.

    Args:
        on_row: called with a stack's first index and its training after each evaluated epoch.
        on_checkpoint: likewise after each `trainer.checkpoint_every` epochs.
    """
    results: dict[int, Result] = {}
    for group in grouped(jobs):
        stack = Stack([jobs[index] for index in group])

        def keep(training: Training, end: End, group: list[int] = group) -> None:
            index = group[training.stack.ids[end.position]]
            results[index] = result_of(training, end)

        def report(hook: Report | None, index: int = group[0]) -> Callable[[Training], None] | None:
            return None if hook is None else lambda training: hook(index, training)

        Training(
            stack, on_end=keep, on_row=report(on_row), on_checkpoint=report(on_checkpoint)
        ).run()
    return [results[index] for index in range(len(jobs))]


def result_of(training: Training, end: End) -> Result:
    """The result of the run that stands at this position of its stack."""
    stack, watch = training.stack, training.watch
    return Result(
        job=stack.jobs[end.position],
        status=end.status,
        epochs=end.epoch + 1,
        history=stack.history.table(end.position),
        state={k: v.cpu() for k, v in stack.model.state(end.position).items()},
        best_state=best_state(training, end.position),
        best_epoch=watch.best_epoch[end.position],
        checkpoint=capture(training, end.position),
    )

"""From jobs to finished run directories: one run, or several that train as stacks."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from exp.engine import Recording, Result, Training, train, untrained
from exp.runs.checkpoint import Checkpoint
from exp.runs.resume_state import recording_before
from exp.runs.signals import Patience, patient
from exp.runs.writer import Execution, Steps
from exp.util.errors import Interrupted
from exp.util.files import flush

TOGETHER = 8
"""Runs whose files wait for the disk at the same time, while those of as many others are made."""

ROWS = 10
"""What an untrained model says of so many rows is told."""


def execute(execution: Execution, *, on_row: Callable[[Training], None] | None = None) -> Result:
    """One run, from its first file to its last.

    Args:
        on_row: called after each evaluated epoch.

    Raises:
        BaseException: what went wrong, after it was recorded as failed or interrupted.
    """
    with patient() as patience:
        live = Live([execution], patience, on_row)
        try:
            done(in_step({execution: execution.opening()}, flushed=False))
            (result,) = live.train()
            done(in_step({execution: execution.finishing(result, live.seconds)}))
        except BaseException as error:
            execution.break_off(error, live.standing(execution, error))
            raise
        finally:
            execution.directory.release()
    return result


def execute_stack(
    executions: Sequence[Execution], *, on_finish: Callable[[Execution], None]
) -> None:
    """Several runs; those of one shape train as one stack. A run that fails leaves the others be.

    Args:
        on_finish: called for each run once its directory is complete, or its failure recorded.
    """
    with patient() as patience:
        live = Live(executions, patience)
        try:
            for some in groups(executions):
                done(in_step({each: each.opening() for each in some}, flushed=False))
            results = live.train()
        except Exception as error:
            # Whose fault it was shows when each goes alone, which gives the same bits.
            for each in executions:
                if len(executions) == 1:
                    each.break_off(error)
                    each.directory.release()
                else:
                    with contextlib.suppress(Exception):
                        execute(each)
                on_finish(each)
            return
        except BaseException as error:
            for each in executions:
                each.break_off(error, live.standing(each, error))
                each.directory.release()
            raise
        result_of = dict(zip(executions, results, strict=True))
        del results  # each is let go once it is written
        left = list(executions)

        def complete(some: Sequence[Execution], steps: Steps, flushed: Future[None]) -> None:
            on_disk(flushed)
            done(steps)
            for each in some:  # whatever `on_finish` does with one, all of them are complete
                left.remove(each)
                each.directory.release()
            for each in some:
                on_finish(each)

        waiting: deque[tuple[Sequence[Execution], Steps, Future[None]]] = deque()
        try:
            with ThreadPoolExecutor(1) as pool:
                try:
                    for some in groups(executions):
                        going = {e: e.finishing(result_of.pop(e), live.seconds) for e in some}
                        steps = in_step(going, on_error=Execution.break_off)
                        next(steps, None)  # makes the files
                        next(steps, None)  # writes them
                        try:
                            # Before the next flush begins, beside which renaming takes long.
                            if waiting:
                                complete(*waiting.popleft())
                        finally:
                            drafts = [each.directory.drafts for each in some]
                            waiting.append((some, steps, pool.submit(flush, drafts)))
                finally:  # what is whole takes its place, whatever has ended the others
                    while waiting:
                        complete(*waiting.popleft())
        except BaseException as error:
            for each in left:
                each.break_off(error)
                each.directory.release()
            raise


def groups(executions: Sequence[Execution]) -> Iterator[Sequence[Execution]]:
    """`TOGETHER` at a time, and the last alone: while it waits for the disk nothing else is left to
    do, and one run is there sooner than eight."""
    for start in range(0, len(executions) - 1, TOGETHER):
        yield executions[start : min(start + TOGETHER, len(executions) - 1)]
    yield executions[-1:]


def on_disk(flushed: Future[None]) -> None:
    """Waits for the disk, which has had the time in which other runs were written."""
    flushed.result()


def raised(_: Execution, error: Exception) -> None:
    raise error


def in_step(
    work: Mapping[Execution, Steps],
    *,
    on_error: Callable[[Execution, Exception], None] = raised,
    flushed: bool = True,
) -> Steps:
    """Does the work of several runs; stops wherever their drafts could be flushed together.

    Args:
        on_error: what to do with a run that fails, while the others go on.
        flushed: whether a draft has to be on the disk to take its place.
    """
    going = dict(work)

    def attempt(each: Execution, action: Callable[[], None]) -> None:
        try:
            action()
        except StopIteration:
            del going[each]
        except Exception as error:
            del going[each]  # what it has written so far, `on_error` may still put in place
            on_error(each, error)

    try:
        while going:
            for each, steps in list(going.items()):
                attempt(each, partial(next, steps))
            if going:
                yield
            for each in list(going):
                attempt(each, partial(each.directory.place, flushed=flushed))
    finally:
        for each in going:
            each.directory.discard()


def done(steps: Steps) -> None:
    """Goes on to the end."""
    for _ in steps:
        pass


class Live:
    """Runs while they train, and where each stands.

    Attributes:
        seconds: what the training has taken.
    """

    def __init__(
        self,
        executions: Sequence[Execution],
        patience: Patience,
        on_row: Callable[[Training], None] | None = None,
    ) -> None:
        self.executions, self.patience = list(executions), patience
        self.by_job = {id(each.job): each for each in executions}
        self.training: Training | None = None
        self.on_row = on_row
        self.seconds = 0.0

    def train(self) -> list[Result]:
        begun = time.perf_counter()
        start = {i: each.start for i, each in enumerate(self.executions) if each.start is not None}
        results = train(
            [each.job for each in self.executions],
            start=start,
            recordings=self._recordings(start),
            on_row=self._row,
            on_checkpoint=self._checkpoint,
            on_epoch=self._epoch,
            on_start=self._start,
        )
        self.seconds = time.perf_counter() - begun
        return results

    def _recordings(self, start: dict[int, Checkpoint]) -> dict[int, Recording]:
        directories = {i: self.executions[i].directory for i in start}
        return {i: recording_before(directories[i], start[i][1]["epoch"]) for i in start}

    def _start(self, training: Training) -> None:
        every = [self.by_job[id(job)] for job in training.stack.jobs]
        for each in every:
            each.begin(training)
        if training.epoch == 0:  # one that goes on is no longer untrained
            for each, said in zip(every, untrained(training.stack, ROWS), strict=True):
                each.untrained(said)

    def _row(self, index: int, training: Training) -> None:
        for position, job in enumerate(training.stack.jobs):
            every = job.plan.trainer.print_every
            if every and training.epoch % every == 0:
                self.by_job[id(job)].row(training, position)
        if self.on_row is not None:
            self.on_row(training)

    def _checkpoint(self, index: int, training: Training) -> None:
        for position, job in enumerate(training.stack.jobs):
            self.by_job[id(job)].checkpoint(training, position)

    def _epoch(self, training: Training) -> None:
        self.training = training
        self.patience.between_epochs()

    def standing(self, execution: Execution, error: BaseException) -> tuple[Training, int] | None:
        """The training that a run stands in between two epochs, and its position there."""
        if self.training is None or not (isinstance(error, Interrupted) and error.between):
            return None
        for position in range(self.training.stack.runs):
            if self.training.stack.jobs[position] is execution.job:
                return self.training, position
        return None

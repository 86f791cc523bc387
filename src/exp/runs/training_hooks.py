"""What happens to the directories of runs while they train: lines, checkpoints, an early end."""

from __future__ import annotations

from collections.abc import Mapping

from exp.engine import Hook, Job, Training, untrained
from exp.engine.history import Row
from exp.runs.signals import DelayedSignals
from exp.runs.writer import RunWriter

UNTRAINED_ROWS = 10
"""What an untrained model predicts of so many rows is logged."""

Writers = Mapping[int, RunWriter]
"""By the id of the job."""


class LogLines(Hook):
    """Logs what is trained, what the untrained model predicts, and how epochs went."""

    def __init__(self, writers: Writers) -> None:
        self.writers = writers

    def next_look(self, training: Training) -> None:
        """Never: rows are enough."""

    def before_training(self, training: Training) -> None:
        every = [self.writers[id(job)] for job in training.stack.jobs]
        for writer in every:
            writer.log_start(training)
        if training.epoch == 0:  # one that goes on is no longer untrained
            answers = untrained(training.stack, UNTRAINED_ROWS)
            for writer, found in zip(every, answers, strict=True):
                writer.log_untrained(found)

    def after_epoch(self, training: Training, row: Row | None) -> None:
        if row is None:
            return
        for position, job in enumerate(training.stack.jobs):
            every = job.plan.trainer.print_every
            if every and training.epoch % every == 0:
                self.writers[id(job)].log_epoch(training.epoch, row, position)


class Checkpoints(Hook):
    """Saves every run each `trainer.checkpoint_every` epochs."""

    def __init__(self, writers: Writers) -> None:
        self.writers = writers

    def next_look(self, training: Training) -> int | None:
        every = training.stack.trainer.checkpoint_every
        return None if not every else (training.epoch // every + 1) * every - 1

    def between_epochs(self, training: Training) -> None:
        every = training.stack.trainer.checkpoint_every
        if every and training.epoch % every == 0 and training.stack.runs:
            for position, job in enumerate(training.stack.jobs):
                self.writers[id(job)].checkpoint(training, position)


class EndOnSignal(Hook):
    """Ends the training between two epochs once a signal has come in."""

    def __init__(self, signals: DelayedSignals) -> None:
        self.signals = signals
        self.training: Training | None = None

    def next_look(self, training: Training) -> None:
        """Never: it only ends the training."""

    def between_epochs(self, training: Training) -> None:
        self.training = training
        self.signals.raise_between_epochs()

    def live(self, job: Job) -> tuple[Training, int] | None:
        """The training that a run is in, and its position there; None where it is in none."""
        training = self.training
        if training is None:
            return None
        places = (
            place for place in range(training.stack.runs) if training.stack.jobs[place] is job
        )
        return next(((training, place) for place in places), None)

"""From jobs to finished run directories: one run, or several that train as stacks."""

from __future__ import annotations

import contextlib
import datetime
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from exp.engine import Job, Recording, Result, Training, capture, train
from exp.engine.state import best_state
from exp.errors import ExpError, Interrupted
from exp.runs import checkpoint, console, finished, process, provenance, recordings
from exp.runs.checkpoint import Checkpoint
from exp.runs.directory import RunDirectory, json_text, yaml_text
from exp.runs.pictures import picture
from exp.runs.signals import Patience, patient
from exp.runs.tables import Answers, metrics_text, summary

if TYPE_CHECKING:
    from exp.figures import FigureWorker


class Execution:
    """One run on its way: writes every file of its directory; `run.json` says `done` last.

    Args:
        job: what to train.
        directory: claimed already.
        log: where its lines go.
        origin: what `provenance.origin` says; many runs of one process share it.
        worker: draws the figures beside this process; None draws them here.
        start: a checkpoint of this run to go on from.
        more: what else run.json is to say.

    Attributes:
        record: the content of run.json.
        summary: the content of summary.json, once there is one.
    """

    def __init__(
        self,
        job: Job,
        directory: RunDirectory,
        *,
        log: logging.Logger,
        origin: dict[str, Any],
        worker: FigureWorker | None = None,
        start: Checkpoint | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        self.job, self.directory, self.log, self.worker = job, directory, log, worker
        self.start = start
        self.started = time.perf_counter()
        self.timings: dict[str, float] = {}
        self.summary: dict[str, Any] | None = None
        self.record: dict[str, Any] = self._opening_record(origin) | (more or {})

    def _opening_record(self, origin: dict[str, Any]) -> dict[str, Any]:
        plan, data, device = self.job.plan, self.job.data, self.job.device
        return {
            "status": "running",
            "name": plan.stored["name"] or plan.name,
            "signature": self.job.signature,
            "seeds": plan.stored["seeds"],
            **origin,
            "device": provenance.device(device.torch_device, device.dtype, device.threads),
            "data": {
                "fingerprint": data.fingerprint,
                "split": data.split_digest,
                "rows": len(data.data.y),
                "features": list(data.data.features),
                "classes": list(data.data.classes),
            },
            "process": process.this(),
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

    @property
    def status(self) -> str:
        return str(self.record["status"])

    def open(self) -> None:
        """What is known before the first epoch.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        directory = self.directory
        directory.write(directory.config, yaml_text(self.job.plan.stored))
        # Of what is there before the first epoch; the log goes on.
        self.record["digests"] = directory.digests(growing=True)
        directory.write_record(self.record)
        for line in console.opening(self.job, directory):
            self.log.info("%s", line)

    def row(self, training: Training, position: int) -> None:
        """Says how an epoch went, where its turn has come."""
        every = self.job.plan.trainer.print_every
        if every and training.epoch % every == 0:
            self.log.info("%s", console.line(training, position))

    def checkpoint(self, training: Training, position: int) -> None:
        """Saves a state from which the run could go on."""
        best = best_state(training, position)
        numbers = {"epoch": int(training.watch.best_epoch[position])}
        last = checkpoint.content(self.directory, "last", *capture(training, position))
        recorded = recordings.content(self.directory, training.recorder.recording(position))
        self.directory.write_all(
            {**recorded, **last, **checkpoint.content(self.directory, "best", best, numbers)}
        )

    def finish(self, result: Result, seconds: float) -> None:
        """Everything after the last epoch.

        Args:
            seconds: what the training took, of the whole stack.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        begun = time.perf_counter()
        directory, answers = self.directory, Answers(result)
        drawn = picture(answers)
        if drawn is not None and self.worker is not None:
            self.worker.submit(drawn, directory.figures)
        self.summary = summary(result, answers.scores())
        best = {"epoch": result.best_epoch}
        directory.write_all(
            {
                **recordings.content(directory, result.recording),
                directory.metrics: metrics_text(result.history),
                directory.predictions: answers.predictions_text(),
                directory.summary: json_text(self.summary),
                **checkpoint.content(directory, "last", *result.checkpoint),
                **checkpoint.content(directory, "best", result.best_state, best),
            }
        )
        if drawn is not None:
            self._draw(drawn)
        self.timings = {"training": seconds, "files and figures": time.perf_counter() - begun}
        advice = console.advice(result.status)
        if advice:
            self.log.warning("%s", advice)
        total = time.perf_counter() - self.started
        self.log.info("%s", console.closing(directory, self.summary, total))
        self.close("diverged" if result.status == "diverged" else "done")
        if result.status != "diverged":
            finished.remember(str(self.record["signature"]), directory.path)

    def _draw(self, drawn: Any) -> None:
        if self.worker is not None:
            self.worker.finish()
            return
        from exp.figures.draw import draw

        draw(drawn, self.directory.figures)

    def break_off(self, error: BaseException, live: tuple[Training, int] | None = None) -> None:
        """Records that the run has failed or was interrupted, as far as the disk allows.

        Args:
            live: the training that the run stands in between two epochs, and its position there.
        """
        status = "failed" if isinstance(error, Exception) else "interrupted"
        if status == "failed":
            self.record["message"] = str(error) or type(error).__name__
            self.log.error(
                "The run failed: %s", error, exc_info=None if isinstance(error, ExpError) else error
            )
        else:
            self.log.warning("interrupted; exp resume %s goes on", self.directory.path)
        try:
            if live is not None:
                self.checkpoint(*live)
            self.close(status)
        except Exception as other:  # the first error is the one to tell
            self.log.warning("could not record the status %s: %s", status, other)

    def close(self, status: str) -> None:
        """Writes run.json for the last time."""
        self.timings["total"] = time.perf_counter() - self.started
        self.record |= {
            "status": status,
            "timings": {name: round(value, 4) for name, value in self.timings.items()},
            "digests": self.directory.digests(),
        }
        self.directory.write_record(self.record)


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
            execution.open()
            (result,) = live.train()
            execution.finish(result, live.seconds)
        except BaseException as error:
            execution.break_off(error, live.standing(execution, error))
            raise
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
            for each in executions:
                each.open()
            results = live.train()
        except Exception as error:
            # Whose fault it was shows when each goes alone, which gives the same bits.
            for each in executions:
                if len(executions) == 1:
                    each.break_off(error)
                else:
                    with contextlib.suppress(Exception):
                        execute(each)
                on_finish(each)
            return
        except BaseException as error:
            for each in executions:
                each.break_off(error, live.standing(each, error))
            raise
        for each, result in zip(executions, results, strict=True):
            try:
                each.finish(result, live.seconds)
            except Exception as error:
                each.break_off(error)
            on_finish(each)


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
        )
        self.seconds = time.perf_counter() - begun
        return results

    def _recordings(self, start: dict[int, Checkpoint]) -> dict[int, Recording]:
        directories = {i: self.executions[i].directory for i in start}
        return {i: recordings.load(directories[i], start[i][1]["epoch"]) for i in start}

    def _row(self, index: int, training: Training) -> None:
        for position, job in enumerate(training.stack.jobs):
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

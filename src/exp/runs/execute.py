"""One run from a job to a finished run directory."""

from __future__ import annotations

import datetime
import logging
import time
from typing import TYPE_CHECKING, Any

import yaml

from exp.engine import Job, Result, Training, capture, train
from exp.engine.state import best_state
from exp.runs import checkpoint, console, provenance
from exp.runs.directory import RunDirectory, json_text
from exp.runs.pictures import picture
from exp.runs.tables import Answers, metrics_text, summary

if TYPE_CHECKING:
    from exp.figures import FigureWorker

log = logging.getLogger("exp")


class Execution:
    """Trains one job and writes every file of its run directory; `run.json` says `done` last.

    Args:
        job: what to train.
        directory: claimed already.
        worker: draws the figures beside this process; None draws them here.
    """

    def __init__(
        self, job: Job, directory: RunDirectory, worker: FigureWorker | None = None
    ) -> None:
        self.job, self.directory, self.worker = job, directory, worker
        self.started = time.perf_counter()
        self.training: Training | None = None
        self.timings: dict[str, float] = {}
        self.record: dict[str, Any] = self._opening_record()

    def _opening_record(self) -> dict[str, Any]:
        plan, data, device = self.job.plan, self.job.data, self.job.device
        return {
            "status": "running",
            "name": plan.name,
            "signature": plan.identity(data.fingerprint + data.split_digest),
            "seeds": plan.config["seeds"],
            "command": provenance.command(),
            "versions": provenance.versions(),
            "device": provenance.device(device.torch_device, device.dtype, device.threads),
            "git": provenance.git(),
            "data": {
                "fingerprint": data.fingerprint,
                "split": data.split_digest,
                "rows": len(data.data.y),
                "features": list(data.data.features),
                "classes": list(data.data.classes),
            },
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

    def run(self) -> Result:
        """The whole run.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        directory = self.directory
        directory.write(directory.config, yaml.safe_dump(self.job.plan.config, sort_keys=False))
        directory.write(directory.record, json_text(self.record))
        try:
            console.opening(self.job, directory)
            result = self._train()
            self._finish(result)
        except KeyboardInterrupt:
            self._break_off("interrupted")
            raise
        except Exception as error:
            self.record["message"] = str(error)
            self._break_off("failed")
            raise
        return result

    def _train(self) -> Result:
        begun = time.perf_counter()
        every = self.job.plan.trainer.print_every
        with console.bar(self.job) as advance:

            def row(index: int, training: Training) -> None:
                self.training = training
                if every and training.epoch % every == 0:
                    console.line(training)
                    advance(training.epoch)

            (result,) = train([self.job], on_row=row, on_checkpoint=self._checkpoint)
        self.timings["training"] = time.perf_counter() - begun
        return result

    def _checkpoint(self, index: int, training: Training) -> None:
        checkpoint.save(self.directory, "last", *capture(training, 0))
        best = best_state(training, 0)
        epoch = int(training.watch.best_epoch[0])
        checkpoint.save(self.directory, "best", best, {"epoch": epoch})

    def _finish(self, result: Result) -> None:
        """Everything after the last epoch."""
        directory = self.directory
        answers = Answers(result)
        drawn = picture(answers)
        begun = time.perf_counter()
        if drawn is not None:
            directory.figures.mkdir(exist_ok=True)
            if self.worker is not None:
                self.worker.submit(drawn, directory.figures)
        found = summary(result, answers.scores())
        directory.write(directory.metrics, metrics_text(result.history))
        directory.write(directory.predictions, answers.predictions_text())
        directory.write(directory.summary, json_text(found))
        checkpoint.save(directory, "last", *result.checkpoint)
        checkpoint.save(directory, "best", result.best_state, {"epoch": result.best_epoch})
        if drawn is not None:
            self._draw(drawn)
        self.timings["files and figures"] = time.perf_counter() - begun
        advice = console.advice(result.status)
        if advice:
            log.warning("%s", advice)
        seconds = time.perf_counter() - self.started
        log.info("%s", console.closing(directory, found, seconds))
        self._close("diverged" if result.status == "diverged" else "done")

    def _draw(self, drawn: Any) -> None:
        if self.worker is not None:
            self.worker.finish()
            return
        from exp.figures.draw import draw

        draw(drawn, self.directory.figures)

    def _break_off(self, status: str) -> None:
        """Leaves the newest whole state behind, as far as the disk allows."""
        try:
            if self.training is not None and self.training.stack.runs:
                self._checkpoint(0, self.training)
            self._close(status)
        except Exception as error:  # the first error is the one to tell
            log.warning("could not record the status %s: %s", status, error)

    def _close(self, status: str) -> None:
        self.timings["total"] = time.perf_counter() - self.started
        self.record |= {
            "status": status,
            "timings": {name: round(value, 4) for name, value in self.timings.items()},
            "digests": self.directory.digests(),
        }
        self.directory.write(self.directory.record, json_text(self.record))

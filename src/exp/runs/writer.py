"""The writer of a run directory: every file of one run, run.json last."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from exp.engine import Job, Outputs, Result, Training, capture
from exp.engine.history import Row
from exp.engine.state import best_state
from exp.runs import checkpoint, console, notes, process, provenance, recordings, reuse
from exp.runs.checkpoint import Checkpoint
from exp.runs.directory import HYDRA, RunDirectory
from exp.runs.figure_data import picture, recording
from exp.runs.metrics_file import history_text
from exp.runs.result_files import Answers, summary
from exp.runs.targets import target_of
from exp.runs.trained.preparation import Preparation
from exp.util.errors import ExpError
from exp.util.serialize import json_text, yaml_text
from exp.util.terminal import one_line

if TYPE_CHECKING:
    from exp.plotting import FigureWorker


class RunWriter:
    """Writes the directory of one run, from its config to the run.json that says `done`.

    Args:
        job: what is trained.
        directory: claimed already.
        log: where its lines go.
        origin: what `provenance.origin` says; many runs of one process share it.
        worker: draws the figures beside this process; None: they are drawn here.
        start: a checkpoint of this run to go on from.
        extra: what else run.json is to say.
        hydra: name -> content of the files of its .hydra folder, where Hydra does not write them.

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
        extra: dict[str, Any] | None = None,
        hydra: Mapping[str, str] | None = None,
    ) -> None:
        self.job, self.directory, self.log, self.worker = job, directory, log, worker
        self.start = start
        self.hydra = hydra or {}
        self.started = time.perf_counter()
        self.timings: dict[str, float] = {}
        self.summary: dict[str, Any] | None = None
        self.record: dict[str, Any] = self._first_record(origin) | (extra or {})

    def _first_record(self, origin: dict[str, Any]) -> dict[str, Any]:
        plan, data, device = self.job.plan, self.job.data, self.job.device
        return {
            "status": "running",
            "name": plan.stored["name"] or plan.name,
            "signature": self.job.signature,
            "seeds": plan.stored["seeds"],
            **origin,
            **({"components": plan.origins} if plan.origins else {}),
            "device": provenance.device(device.torch_device, device.dtype, device.threads),
            "data": {
                "fingerprint": data.fingerprint,
                "split": data.split_digest,
                "rows": len(data.data.y),
                "parts": data.split.record,
                "features": list(data.data.features),
                **({"notes": list(data.notes)} if data.notes else {}),
                **target_of(data.data).record,
                **({"categories": named} if (named := list(data.data.categorical)) else {}),
            },
            "process": process.this(),
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

    @property
    def status(self) -> str:
        return str(self.record["status"])

    def begin(self) -> None:
        """Writes what is known before the first epoch.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        directory = self.directory
        directory.write_all({directory.hydra / name: text for name, text in self.hydra.items()})
        directory.write(directory.config, yaml_text(self.job.plan.stored))
        known = [name for name in directory.names() if name.startswith((HYDRA, "config.yaml"))]
        self.record["digests"] = directory.digests(known)  # the log goes on
        directory.write_record(self.record)

    def log_start(self, training: Training) -> None:
        """Logs what is about to be trained."""
        for line in console.opening(self.job, self.directory, training.stack.model.size):
            self.log.info("%s", line)

    def log_untrained(self, outputs: Outputs) -> None:
        """Logs what the model predicts before its first epoch."""
        self.log.info("%s", console.untrained(self.job, outputs))

    def log_epoch(self, epoch: int, row: Row, position: int) -> None:
        """Logs how an epoch went."""
        self.log.info("%s", console.line(epoch, row, position))

    def checkpoint(self, training: Training, position: int) -> None:
        """Saves a state from which the run could go on.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        best = best_state(training, position)
        numbers = {"epoch": int(training.watch.best_epoch[position])}
        last = checkpoint.content(self.directory, "last", *capture(training, position))
        recorded = recordings.content(self.directory, training.recorder.recording(position))
        self.directory.write_all(
            {**recorded, **last, **checkpoint.content(self.directory, "best", best, numbers)}
        )

    def finish(
        self,
        result: Result,
        seconds: float,
        stack: int = 1,
        *,
        answers: Answers | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Writes everything that is known after the last epoch.

        Args:
            seconds: what the training took, of the whole stack.
            stack: how many runs trained together in that time.
            answers: of the result; None: they are computed here.
            more: name -> content of further files.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        begun = time.perf_counter()
        self.timings |= {"training": seconds, "stack": stack}
        self._write_results(result, answers or Answers(result))
        self.directory.write_all({self.directory.path / n: t for n, t in (more or {}).items()})
        self.timings["files and figures"] = time.perf_counter() - begun
        if advice := notes.after(result):
            self.log.warning("%s", advice)
        assert self.summary is not None
        total = time.perf_counter() - self.started
        self.log.info("%s", console.closing(self.directory, self.summary, total))
        diverged = result.end_reason == "diverged"
        self._close("diverged" if diverged else "done")
        # What goes on from a checkpoint may be of somebody else who says what came out.
        if not diverged and self.start is None:
            reuse.remember(str(self.record["signature"]), self.directory.path)

    def _write_results(self, result: Result, answers: Answers) -> None:
        """Writes the results, then the figures: if those fail, the results are there."""
        directory = self.directory
        figures = self.job.plan.figures
        drawn = None if figures is None else picture(answers, figures)
        if drawn is not None and self.worker is not None:
            self.worker.submit(drawn)
        self.summary = summary(result, answers.scores())
        directory.write_all(
            {
                **recordings.content(directory, recording(answers)),
                directory.metrics: history_text(result.history),
                directory.predictions: answers.predictions_text(),
                directory.summary: json_text(self.summary),
                directory.preparation: Preparation.of(self.job.data).text,
                **checkpoint.content(directory, "last", *result.checkpoint),
                **checkpoint.content(
                    directory, "best", result.best_state, {"epoch": result.best_epoch}
                ),
            }
        )
        if self.worker is not None:
            files = self.worker.finish()
        elif drawn is not None:
            from exp.plotting.draw import drawings  # matplotlib

            files = dict(drawings(drawn))
        else:
            files = {}
        directory.write_all({directory.figures / name: data for name, data in files.items()})

    def fail(
        self,
        error: BaseException,
        live: tuple[Training, int] | None = None,
        *,
        advice: str = "exp resume {} continues it",
    ) -> None:
        """Records that the run has failed or was interrupted, as far as the disk allows.

        Args:
            advice: what to do about an interruption; {} is the directory.
            live: the training that the run is in, between two epochs, and its position there.
        """
        status = "failed" if isinstance(error, Exception) else "interrupted"
        if status == "failed":
            self.record["message"] = str(error) or type(error).__name__
            self.log.error(
                "The run failed: %s", error, exc_info=None if isinstance(error, ExpError) else error
            )
        else:
            self.log.warning("interrupted; %s", advice.format(one_line(str(self.directory.path))))
        try:
            if live is not None:
                self.checkpoint(*live)
            self._close(status)
        except Exception as other:  # the first error is the one to report
            self.log.warning("could not record the status %s: %s", status, other)

    def _close(self, status: str) -> None:
        """Writes run.json for the last time."""
        self.timings["total"] = time.perf_counter() - self.started
        self.record |= {
            "status": status,
            "timings": {name: round(value, 4) for name, value in self.timings.items()},
            "digests": self.directory.digests(),
        }
        self.directory.write_record(self.record)

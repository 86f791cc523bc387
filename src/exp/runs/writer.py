"""One run on its way from a job to a finished directory."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp.engine import Job, Result, Said, Training, capture
from exp.engine.state import best_state
from exp.runs import checkpoint, console, notes, process, provenance, recordings, reuse
from exp.runs.checkpoint import Checkpoint
from exp.runs.directory import HYDRA, RunDirectory
from exp.runs.figure_data import picture
from exp.runs.log import write_out
from exp.runs.metrics_file import history_text
from exp.runs.result_files import Answers, summary
from exp.runs.targets import target_of
from exp.util.errors import ExpError
from exp.util.serialize import config_text, json_text
from exp.util.terminal import one_line

if TYPE_CHECKING:
    from exp.plotting import FigureWorker


Steps = Iterator[None]
"""Work that stops wherever drafts of the run's directory have to be placed before it goes on."""


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
        more: dict[str, Any] | None = None,
        hydra: Mapping[str, str] | None = None,
    ) -> None:
        self.job, self.directory, self.log, self.worker = job, directory, log, worker
        self.start = start
        self.hydra = hydra or {}
        self.started = time.perf_counter()
        self.timings: dict[str, float] = {}
        self.summary: dict[str, Any] | None = None
        # What the training has come to, and files that are still to be written.
        self.result: Result | None = None
        self.made: dict[Path, bytes | str] = {}
        self.record: dict[str, Any] = self._opening_record(origin) | (more or {})

    def _opening_record(self, origin: dict[str, Any]) -> dict[str, Any]:
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

    def opening(self) -> Steps:
        """What is known before the first epoch.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        directory = self.directory
        directory.draft(
            {
                directory.config: config_text(self.job.plan.stored),
                **{directory.hydra / name: text for name, text in self.hydra.items()},
            }
        )
        # Of what is there before the first epoch; the log goes on.
        self.record["digests"] = directory.digests(directory.names(HYDRA))
        directory.draft_record(self.record)
        yield

    def begin(self, training: Training) -> None:
        """Says what is about to be trained."""
        for line in console.opening(self.job, self.directory, training.stack.model.size):
            self.log.info("%s", one_line(line))

    def untrained(self, said: Said) -> None:
        """Says what the model says before its first epoch."""
        self.log.info("%s", console.untrained(self.job, said))

    def row(self, training: Training, position: int) -> None:
        """Says how an epoch went."""
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

    def finishing(self, result: Result, seconds: float) -> Steps:
        """Everything after the last epoch: makes the files, then writes them, as the runs of a
        stack do either one after the other, which a processor's caches like.

        Args:
            seconds: what the training took, of the whole stack.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        begun = time.perf_counter()
        self.timings["training"] = seconds
        self.result = result
        self._make(result)
        self.timings["files and figures"] = time.perf_counter() - begun
        yield
        begun = time.perf_counter()
        directory, files = self.directory, self._whole(result)
        self.made = {}
        directory.draft(files)
        if self.worker is not None:
            drawn = self.worker.finish()
            directory.draft({directory.figures / name: data for name, data in drawn.items()})
        self.timings["files and figures"] += time.perf_counter() - begun
        advice = notes.after(result)
        if advice:
            self.log.warning("%s", advice)
        total = time.perf_counter() - self.started
        written = directory.names()
        assert self.summary is not None
        self.log.info("%s", console.closing(directory, written, self.summary, total))
        self.close("diverged" if result.status == "diverged" else "done", written)
        self.result = None
        yield
        # Where it went on from a checkpoint, that may be of somebody else who says what came out.
        if result.status != "diverged" and self.start is None:
            reuse.remember(str(self.record["signature"]), directory.path)

    def _whole(self, result: Result) -> dict[Path, bytes | str]:
        """What was made, and the checkpoints of the end."""
        best = {"epoch": result.best_epoch}
        return {
            **self.made,
            **checkpoint.content(self.directory, "last", *result.checkpoint),
            **checkpoint.content(self.directory, "best", result.best_state, best),
        }

    def _make(self, result: Result) -> None:
        """Makes the content of the results and the figures."""
        directory, answers = self.directory, Answers(result)
        figures = self.job.plan.figures
        drawn = None if figures is None else picture(answers, figures)
        if drawn is not None and self.worker is not None:
            self.worker.submit(drawn)
        self.summary = summary(result, answers.scores())
        self.made = {
            **recordings.content(directory, result.recording),
            directory.metrics: history_text(result.history),
            directory.predictions: answers.predictions_text(),
            directory.summary: json_text(self.summary),
        }
        if drawn is not None and self.worker is None:
            from exp.plotting.draw import drawings

            self.made |= {directory.figures / name: data for name, data in drawings(drawn)}

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
            if status == "failed":
                self._keep_results()
            self.close(status)
            self.directory.place()
        except Exception as other:  # the first error is the one to tell
            self.log.warning("could not record the status %s: %s", status, other)

    def _keep_results(self) -> None:
        """Writes what was made before a figure could not be drawn; the status is told without."""
        try:
            if self.made and self.result is not None:
                self.directory.draft(self._whole(self.result))
        except Exception as other:
            self.log.warning("could not keep the results: %s", other)
        self.made, self.result = {}, None

    def close(self, status: str, written: Sequence[str] | None = None) -> None:
        """Writes run.json for the last time; it is there once the directory's drafts are placed.

        Args:
            written: the directory's `names`, where they are known.
        """
        self.timings["total"] = time.perf_counter() - self.started
        write_out(self.log)  # its digest is taken of what the file holds
        self.record |= {
            "status": status,
            "timings": {name: round(value, 4) for name, value in self.timings.items()},
            "digests": self.directory.digests(written),
        }
        self.directory.draft_record(self.record)

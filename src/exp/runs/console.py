"""What a person sees while a run goes on: lines, a bar on a terminal, and the closing table."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich import console, progress

from exp.engine import Hook, Job, Outputs, Training
from exp.engine.history import Row
from exp.runs import notes
from exp.runs.directory import RunDirectory
from exp.runs.score_table import score_table
from exp.runs.targets import target_of
from exp.util.terminal import one_line, raw, streams

SHOWN = {"loss": ("loss", ".4f"), "accuracy": ("acc", ".2%"), "rmse": ("RMSE", ".4f")}
"""Scores of the lines between: how each is named and written."""


def opening(job: Job, directory: RunDirectory, size: int) -> Iterator[str]:
    """What is about to be trained.

    Args:
        size: the number of the model's parameters.
    """
    data, split = job.data.data, job.data.split
    counts = f"{len(split.train)} train"
    counts += f", {len(split.validation)} validation" if len(split.validation) else ""
    counts += f", {len(split.test)} test"
    inputs = job.data.inputs
    features = "1 feature" if data.X.shape[1] == 1 else f"{data.X.shape[1]} features"
    made = f" as {inputs} inputs" if inputs != data.X.shape[1] else ""
    name = job.plan.stored["name"] or job.plan.name
    yield (
        f"{name}: {len(data.y)} rows ({counts}), {features}{made}, "
        f"{target_of(data).about}; {job.plan['model'].name} with {size} parameters; "
        f"run directory {directory.path}"
    )
    yield from job.data.notes
    yield from notes.before(job)
    if job.device.note:
        yield job.device.note


def untrained(job: Job, outputs: Outputs) -> str:
    """The untrained model's first answers."""
    target = target_of(job.data.data)
    rows = "ten" if len(outputs[0]) == 10 else len(outputs[0])
    lines = [f"Untrained model, first {rows} rows: {target.untrained}"]
    for z, p, label, truth in zip(*outputs, job.data.data.y, strict=False):
        lines.append(f"  {one_line(target.untrained_row(z, p, label, truth))}")
    return "\n".join(lines)


def line(epoch: int, row: Row, position: int) -> str:
    """`Epoch: 10 | Loss: ... | Acc: ... | Test loss: ... | Test acc: ...`; of numbers, RMSE.

    Args:
        row: what was measured of the runs of a stack.
        position: of the run among them.
    """
    parts = [f"Epoch: {epoch}"]
    for split, title in (("train", ""), ("validation", "Validation "), ("test", "Test ")):
        for score, (name, form) in SHOWN.items():
            if f"{split}/{score}" in row:
                text = f"{title}{name}: {row[f'{split}/{score}'][position]:{form}}"
                parts.append(text[0].upper() + text[1:])
    return " | ".join(parts)


class ShowProgress(Hook):
    """Moves a progress bar on."""

    def __init__(self, bar: progress.Progress, task: progress.TaskID) -> None:
        self.bar, self.task = bar, task

    def next_look(self, training: Training) -> None:
        """Never: it only counts."""

    def between_epochs(self, training: Training) -> None:
        self.bar.update(self.task, completed=training.epoch)


@contextmanager
def progress_bar(job: Job) -> Iterator[list[Hook]]:
    """A progress bar on a terminal; elsewhere nothing. Yields what the training is to call."""
    if not sys.stderr.isatty():
        yield []
        return
    columns = (
        progress.BarColumn(bar_width=40),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    stdout, shared = sys.stdout, sys.stdout.isatty()
    terminal = console.Console(file=raw(sys.stderr))
    bar = progress.Progress(*columns, console=terminal, transient=True, redirect_stdout=shared)
    with bar, streams(), above(stdout, sys.stdout if shared else None):
        task = bar.add_task(job.plan.name, total=job.plan.trainer.epochs)
        yield [ShowProgress(bar, task)]


@contextmanager
def above(stdout: Any, stream: Any) -> Iterator[None]:
    """Sends the lines of the log that go to `stdout` through a stream that lifts them above the
    bar; None leaves them alone."""
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if stream is not None and getattr(handler, "stream", None) is stdout
    ]
    try:
        for handler in handlers:
            handler.setStream(stream)  # type: ignore[attr-defined]
        yield
    finally:
        for handler in handlers:
            handler.setStream(stdout)  # type: ignore[attr-defined]


def closing(directory: RunDirectory, summary: dict[str, Any], seconds: float) -> str:
    """What a run ends with: the scores of every split, and where it is."""
    lines = [f"{summary['status']} after {summary['epochs']} epochs in {seconds:.1f} s", ""]
    lines += [*score_table(summary), "", f"Written to {one_line(str(directory.path))}/"]
    return "\n".join(lines)

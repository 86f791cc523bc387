"""What a person sees while a run goes on: lines, a bar on a terminal, and the closing table."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from exp.engine import Job, Predictor, Training
from exp.runs.directory import RunDirectory

log = logging.getLogger("exp")


def opening(job: Job, directory: RunDirectory) -> None:
    """What is about to be trained, and the untrained model's first ten answers."""
    data, split = job.data.data, job.data.split
    counts = f"{len(split.train)} train"
    counts += f", {len(split.validation)} validation" if len(split.validation) else ""
    counts += f", {len(split.test)} test"
    predictor = Predictor(job, None)
    size = sum(shape.numel() for shape in predictor.model.shapes.values())
    log.info(
        "%s: %d rows (%s), %d features, %d classes; %s with %d parameters; run directory %s",
        job.plan.name, len(data.y), counts, data.X.shape[1], len(data.classes),
        job.plan["model"].name, size, directory.path,
    )  # fmt: skip
    if job.device.note:
        log.info("%s", job.device.note)
    logits = predictor.logits(job.data.X[:10])
    chances = predictor.probabilities(logits)
    labels = predictor.labels(logits)
    log.info("Untrained model, first ten rows: logits -> probabilities -> label (true label)")
    for z, p, label, truth in zip(logits, chances, labels, data.y[:10], strict=True):
        log.info(
            "  %s -> %s -> %s (%s)", numbers(z), numbers(p), data.classes[label],
            data.classes[truth],
        )  # fmt: skip


def numbers(values: np.ndarray) -> str:
    return "[" + " ".join(f"{value:.4f}" for value in values) + "]"


def line(training: Training) -> None:
    """`Epoch: 10 | Loss: ... | Acc: ... | Test loss: ... | Test acc: ...`"""
    row = training.stack.history.newest(0)
    parts = [f"Epoch: {training.epoch}"]
    for split, title in (("train", ""), ("validation", "Validation "), ("test", "Test ")):
        if f"{split}/loss" in row:
            loss, accuracy = row[f"{split}/loss"], row[f"{split}/accuracy"]
            parts.append(f"{title}loss: {loss:.4f}".capitalize())
            parts.append(f"{title}acc: {accuracy:.2%}".capitalize())
    log.info(" | ".join(parts))


@contextmanager
def bar(job: Job) -> Iterator[Any]:
    """A progress bar on a terminal; elsewhere nothing. Yields what to call with an epoch."""
    if not sys.stderr.isatty():
        yield lambda epoch: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(bar_width=40), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=True) as progress:
        task = progress.add_task(job.plan.name, total=job.plan.trainer.epochs)
        yield lambda epoch: progress.update(task, completed=epoch)


def closing(directory: RunDirectory, summary: dict[str, Any], seconds: float) -> str:
    """The table at the end: scores of every split and the paths of what was written."""
    final = summary["final"]
    splits = [name for name in ("train", "validation", "test") if f"{name}/accuracy" in final]
    names = ("loss", "accuracy", "precision", "recall", "f1", "auroc", "calibration_error")
    lines = [f"{summary['status']} after {summary['epochs']} epochs in {seconds:.1f} s", ""]
    lines.append(f"{'':<18}" + "".join(f"{name:>12}" for name in splits))
    for name in names:
        cells = [final.get(f"{split}/{name}") for split in splits]
        texts = ["-" if cell is None else f"{cell:.4f}" for cell in cells]
        lines.append(f"{name:<18}" + "".join(f"{text:>12}" for text in texts))
    lines += ["", f"Written to {directory.path}/"]
    shown = [*directory.files(), directory.record, directory.log]
    places = sorted(path.relative_to(directory.path).as_posix() for path in shown)
    lines += [f"  {place}" for place in places]
    return "\n".join(lines)


def advice(status: str) -> str | None:
    """What usually helps a run that did not go well."""
    if status == "diverged":
        return (
            "The loss is no longer finite: the run has diverged. A smaller optimizer.lr usually "
            "helps (a tenth), or trainer.clip_norm=1, or split.standardize=true. "
            "The last finite weights were kept."
        )
    return None

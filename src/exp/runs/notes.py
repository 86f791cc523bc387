"""Advice in the log of a run: before, what a high accuracy is worth; after, what may help."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exp.components.models import ensemble
from exp.data.dataset import coarse
from exp.data.prepared import Prepared
from exp.data.target_scale import TargetScale
from exp.engine import Job, Result

UNEVEN = 1.5
"""A class with so many times its even share of the rows is worth a word: of two, 75 %."""
LATE, LONG, STILL, RIGHT = 0.2, 200, 0.02, 0.95
"""A plateau: over the last fifth of at least 200 epochs the training loss has fallen by less than
2 %, and less than 95 % of the training rows are right (of numbers: R2 is below 0.95). Of runs over
every packaged data set of classes these numbers tell those that are stuck, and those whose classes
overlap, from those that have learned."""
LARGE = 100
"""Targets whose mean or standard deviation is larger than this, or whose standard deviation is less
than 1 / LARGE, are far from what a network predicts before it has learned."""
APART = 10
"""Standard deviations of features that differ by such a factor ask for standardizing."""


def before(job: Job) -> Iterator[str]:
    """What accuracy is worth nothing, where one class has most of the rows; and features that the
    model cannot tell apart."""
    data = job.data
    if data.mean is None and data.mapping is None and data.rows.dtype == np.float64:
        pairs = zip(data.features, data.rows.T, strict=True)
        fine = ", ".join(name for name, column in pairs if coarse(column))
        yield (
            f"{fine}: the values differ too little for float32, the precision of the "
            "model. Use split.standardize=true"
        )
    if data.data.numeric:
        yield from large_targets(data)
        return
    split, names = job.data.split, job.data.data.classes
    part, rows = ("test", split.test) if len(split.test) else ("training", split.train)
    counts = np.bincount(job.data.y[rows], minlength=len(names))
    most = int(counts.argmax())
    share = counts[most] / len(rows)
    if share >= UNEVEN / len(names):
        yield (
            f"{share:.1%} of the {len(rows)} {part} rows belong to class {names[most]}: "
            f"a model that always predicts {names[most]} has this accuracy"
        )


def large_targets(data: Prepared) -> Iterator[str]:
    """Advice for targets on which a network that starts near 0 learns slowly, or diverges."""
    if data.target_scale is not None:
        return
    y = data.y[data.split.train]
    scale = TargetScale.fit(y)
    if abs(scale.mean) > LARGE or scale.scale > LARGE or scale.scale < 1 / LARGE:
        yield (
            f"The targets of the training rows range from {y.min():g} to {y.max():g}, far from the "
            "numbers near 0 that a network starts with. Use split.standardize_target=true: it "
            "trains on scaled targets and predicts in their own units"
        )


def after(result: Result) -> str | None:
    """What usually helps a run that did not go well."""
    if result.end_reason == "diverged":
        data = result.job.data
        scaling = ["split.standardize=true"] if data.mean is None else []
        if data.data.numeric and data.target_scale is None:
            scaling.append("split.standardize_target=true")
        helpful = ", or ".join(["trainer.clip_norm=1", *scaling])
        return (
            "The loss is no longer finite: the run has diverged. A smaller optimizer.lr usually "
            f"helps (a tenth), or {helpful}. The last finite weights were kept."
        )
    epochs = int(result.epochs * LATE)
    if result.end_reason != "done" or not still(result, epochs):
        return None
    share = learned(result)
    if result.job.data.data.numeric:
        left = f"R² of the training rows at {share:.3f}. Unless the rest is noise"
    else:
        left = f"{1 - share:.1%} of the training rows wrong. Unless the classes overlap"
    return (
        f"A plateau: over the last {epochs} epochs the training loss has hardly "
        f"decreased, with {left}, this may help: {', '.join(moves(result.job))}"
    )


def learned(result: Result) -> float:
    """How much of the training rows the model has: of classes the share of rows that are right, of
    numbers R2 (NaN where all are the same)."""
    score = "r2" if result.job.data.data.numeric else "accuracy"
    return float(result.history[f"train/{score}"][-1])


def still(result: Result, epochs: int) -> bool:
    """Whether the loss has stood still for so long, though there was something left to learn.

    Medians of the first and the last quarter, as the losses of mini-batches go up and down.
    """
    history = result.history
    late = history["train/loss"][history["epoch"] >= result.epochs - epochs].astype(np.float64)
    quarter = len(late) // 4
    together = result.job.plan["model"].component.module != ensemble.__name__
    if result.epochs < LONG or not together or not quarter or not learned(result) < RIGHT:
        return False
    first, last = np.median(late[:quarter]), np.median(late[-quarter:])
    return bool(last > (1 - STILL) * first)


def moves(job: Job) -> Iterator[str]:
    """What may move a run off a plateau, the likeliest first."""
    deviations = job.data.X[job.data.split.train].std(axis=0, dtype=np.float64)
    if job.data.mean is None and deviations.max() > APART * deviations.min():
        yield "split.standardize=true, since the features have very different scales"
    yield "another optimizer.lr"
    if job.plan["optimizer"].name == "sgd":
        yield "optimizer=adam"
    if "hidden" in job.plan["model"].params:
        yield "more units (model.hidden)"
    yield "another seeds.init"
    yield "more trainer.epochs"

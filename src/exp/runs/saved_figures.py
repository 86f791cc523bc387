"""Figures of a run that has ended, drawn from what it has recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exp.components.figure_options import Figures
from exp.engine import Recording, Result
from exp.plotting import Picture
from exp.plotting.draw import drawings
from exp.plotting.names import NEED_MODEL, Name
from exp.plotting.picture import OF_CLASSES, OF_NUMBERS
from exp.runs.directory import refuse_links
from exp.runs.figure_data import CODES, picture
from exp.runs.record import RunRecord
from exp.runs.result_files import Answers
from exp.runs.targets import Classes, Number
from exp.runs.trained.load_model import model
from exp.util.errors import DamagedError, ExpError, RunDirectoryError
from exp.util.statuses import ENDED


def draw(
    run: RunRecord, names: Sequence[Name] | None, *, look: dict[str, Any], trust: bool
) -> tuple[list[str], str | None]:
    """Draws figures into the folder `figures` of a run; run.json gets their digests.

    Args:
        names: which ones; None: those that a single run draws.
        look: values of `figures` that are not those of the run's config.
        trust: as for `plan_of`.

    Returns:
        The names of the files, and why the model could not be had, where figures are left out for
        that.

    Raises:
        ExpError: the run has not ended or is damaged, or none of the figures can be drawn.
    """
    path, directory = run.directory.path, run.directory
    if run.status not in ENDED:
        raise RunDirectoryError(
            f"{path} is {run.status}: figures can be drawn only of runs that have ended"
        )
    run.check()
    refuse_links(path)
    reason = None
    try:
        drawn = _with_model(run, names, look, trust=trust)
    except ExpError as error:
        reason = str(error)
        drawn = _from_files(run, names, look, reason)
    if not drawn.names:
        kind = "a number" if drawn.numeric else "a class"
        raise ExpError(
            f"{path}: the target is {kind}, so these figures do not exist: {', '.join(names or ())}"
        )
    files = dict(drawings(drawn))
    directory.hold()
    try:
        record = directory.read_record()
        directory.write_all({directory.figures / name: data for name, data in files.items()})
        digests = directory.digests([f"{directory.figures.name}/{name}" for name in files])
        directory.write_record({**record, "digests": {**record.get("digests", {}), **digests}})
    finally:
        directory.release()
    return list(files), reason


def _with_model(
    run: RunRecord, names: Sequence[Name] | None, look: dict[str, Any], *, trust: bool
) -> Picture:
    """The picture that the run itself has drawn, or would have.

    Raises:
        ExpError: its model or its rows cannot be had.
    """
    job, predictor = model(run, trust=trust)
    state, history = predictor.model.state(0), run.history()
    directory, best = run.directory, _best_epoch(run)
    result = Result(
        job=job,
        end_reason=run.status,
        epochs=0,
        history=history,
        state=state,
        best_state=state,
        best_epoch=int(history["epoch"][-1]) if best is None else best,
        checkpoint=({}, {}),
        recording=Recording(
            run.frames() if directory.frames.exists() else None,
            run.norms() if directory.norms.exists() else None,
        ),
    )
    figures = replace(job.plan.figures or Figures(), draw=list(names) if names else None, **look)
    try:
        return picture(Answers(result), figures)
    except ValueError as error:  # such as frames of other classes
        raise DamagedError(f"{directory.path}: {error}") from error


def _from_files(
    run: RunRecord, names: Sequence[Name] | None, look: dict[str, Any], reason: str
) -> Picture:
    """The picture of a run without its model: what is in its tables.

    Raises:
        ExpError: all of the figures need the model.
    """
    found = run.predictions()
    elsewhere = OF_CLASSES if found.numeric else OF_NUMBERS
    figures = Figures(draw=list(names) if names else None, **look)
    drawn = [name for name in figures.names if name not in elsewhere]
    kept = tuple(name for name in drawn if name not in NEED_MODEL)
    if drawn and not kept:
        raise ExpError(f"{', '.join(drawn)}: these figures need the model. {reason}")
    target = Number() if found.numeric else Classes(found.classes)
    split = "test" if (found.split == "test").any() else "train"
    members = found.split == split
    summary, config = run.valid_summary(), run.config()
    rows, none = len(found.truth), np.zeros(0)
    of_classes = (np.zeros(rows),) * 2 if found.numeric else (found.truth, found.predicted)
    positive = summary.get("positive")

    def named(group: str) -> str:
        part = config.get(group)
        return str(part.get("name")) if isinstance(part, dict) else "?"

    return Picture(
        dataset=named("dataset"),
        model=named("model"),
        optimizer=named("optimizer"),
        seed=str(config.get("seed")),
        metric=target.headline(split, found.predicted[members], found.truth[members]),
        classes=found.classes,
        positive=found.classes.index(positive) if positive in found.classes else None,
        axes=("", ""),
        points=np.zeros((rows, 2)),
        labels=of_classes[0],
        predicted=of_classes[1],
        targets=found.truth if found.numeric else none,
        fitted=found.predicted if found.numeric else none,
        split=np.array([CODES[name] for name in found.split.tolist()], np.uint8),
        scores=np.zeros((0, 0)) if found.numeric else found.probabilities,
        norms=run.norms() if run.directory.norms.exists() else {},
        history=run.history(),
        best_epoch=_best_epoch(run),
        monitor=str(summary.get("best", {}).get("monitor", "")),
        names=kept,
        format=tuple(figures.format),
        theme=figures.theme,
        dpi=figures.dpi,
    )


def _best_epoch(run: RunRecord) -> int | None:
    epoch = run.valid_summary().get("best", {}).get("epoch")
    return None if epoch is None else int(epoch)

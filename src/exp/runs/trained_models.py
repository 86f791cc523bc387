"""The models of saved runs, and two of them over one plane."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exp.runs.collection import part
from exp.runs.record import RunRecord
from exp.runs.stored_plan import job_of, matches, plan_of
from exp.util.errors import ExpError, RunDirectoryError, shown
from exp.util.files import reason_of, write_through
from exp.util.statuses import ENDED

if TYPE_CHECKING:
    from exp.engine import Job
    from exp.engine.result import Predictor
    from exp.plotting import Picture

RESOLUTION = 200
"""Points of the maps along each side."""


CHECKPOINTS = ("last", "best", "final")
"""After the last epoch, after the best one, and whichever of them the scores of the run are of."""
REST = ("best.", "previous.", "optimizer.", "random.", "history")
"""How the names of tensors begin that are not the model's."""


def model(run: RunRecord, *, trust: bool, checkpoint: str = "final") -> tuple[Job, Predictor]:
    """The job of a finished run, and its model.

    Args:
        trust: as for `plan_of`.
        checkpoint: of `CHECKPOINTS`.

    Raises:
        ExpError: it has not ended, or its data or its config are not what they were.
    """
    from exp.engine.result import Predictor
    from exp.engine.state import part as below
    from exp.runs.checkpoint import Expected

    path = run.directory.path
    if run.status not in ENDED:
        raise RunDirectoryError(f"{path} is {run.status}: there is no model yet")
    folder = Path.cwd()
    try:
        job = job_of(run, plan_of(run, trust=trust), trust=trust)
    finally:
        os.chdir(folder)
    if not matches(run, job):
        raise RunDirectoryError(
            f"the model of {path} cannot be used: its data, its config or the version of exp have "
            "changed since"
        )
    if checkpoint == "final":
        # Runs of earlier versions do not say it: their scores are of the last weights.
        checkpoint = run.valid_summary().get("weights", "last")
    predictor = Predictor(job, None)
    # The last one also holds what training needs to go on.
    prefix, rest = ("model.", REST) if checkpoint == "last" else ("", ())
    wanted = {prefix + name: tensor for name, tensor in predictor.model.state(0).items()}
    tensors, _ = run.checkpoint(checkpoint, Expected(wanted, free=rest))
    predictor.model.load(0, below(tensors, prefix))
    return job, predictor


def comparable(one: RunRecord, other: RunRecord) -> None:
    """
    Raises:
        ExpError: two runs that have not the same features and classes, or no classes.
    """
    for name in ("features", "classes"):
        a, b = (part(run.record, "data").get(name) for run in (one, other))
        if a != b:
            raise ExpError(f"--figure: A and B have different {name}: {shown(a)} and {shown(b)}")
    if not part(one.record, "data").get("classes"):
        raise ExpError("--figure draws decision boundaries, and the target of A and B is a number")


def draw(one: RunRecord, other: RunRecord, path: Path, *, theme: str, trust: bool) -> None:
    """Draws both boundaries over the test rows of A (its training rows where it has none), and
    where the models disagree.

    Raises:
        ExpError: a model cannot be had.
        RunDirectoryError: the file cannot be written.
    """
    pictures = over_one_plane(*(model(run, trust=trust) for run in (one, other)), theme=theme)
    from exp.plotting.comparison import png  # matplotlib, once both models are there

    try:
        write_through(path, png(*pictures))
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {reason_of(error)}") from error


def over_one_plane(
    one: tuple[Job, Predictor], other: tuple[Job, Predictor], *, theme: str
) -> tuple[Picture, Picture]:
    """Two models on one grid, with the same rows: the test rows of the first."""
    from exp.engine.view import View

    data = one[0].data
    codes = [(job.data.features, job.data.data.categories) for job, _ in (one, other)]
    if codes[0] != codes[1]:
        raise ExpError("--figure: A and B encode their categories differently")
    view = View.of(data, None)
    plane = view.plane
    xs, ys, points = plane.grid(view.limits, RESOLUTION, fine=view.fine)
    # In units as they came, as B's model may be given another scale.
    if not view.raw and data.mean is not None and data.scale is not None:
        points = (points * data.scale + data.mean).astype(data.data.X.dtype)
    split = "test" if "test" in data.split.parts else "train"
    rows = data.split.parts[split]
    places = plane.project(view.space[rows])

    def picture(job: Job, predictor: Predictor) -> Picture:
        from exp.plotting import Picture
        from exp.plotting.numbers import percent
        from exp.plotting.picture import TEST

        logits = predictor.logits(job.data.transform(points))
        chances = predictor.probabilities(logits).T.reshape(-1, len(ys), len(xs))
        labels = data.data.y[rows]
        given = job.data.encoded(data.data.X[rows])
        said = predictor.labels(predictor.logits(job.data.transform(given)))
        plan = job.plan
        return Picture(
            dataset=plan["dataset"].name, model=plan["model"].name,
            optimizer=plan["optimizer"].name, seed=str(plan.seed),
            metric=f"{split} accuracy {percent(float((said == labels).mean()))}",
            classes=data.data.classes, axes=plane.axes, note=plane.note, map_note=plane.map_note,
            points=places, labels=labels, predicted=said,
            split=np.full(len(rows), TEST, np.uint8), xs=xs, ys=ys, probabilities=chances,
            theme=theme,
        )  # fmt: skip

    return picture(*one), picture(*other)

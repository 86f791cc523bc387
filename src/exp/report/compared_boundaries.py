"""The decision boundaries of two runs over one plane, and where their models disagree."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from exp.engine import Job, Predictor
from exp.engine.view import View
from exp.plotting import Picture
from exp.plotting.comparison import png
from exp.plotting.numbers import percent
from exp.plotting.picture import TEST
from exp.report.captions import brief, short
from exp.report.differences import unlike
from exp.runs.record import RunRecord
from exp.runs.trained.load_model import model
from exp.util.errors import ExpError, RunDirectoryError
from exp.util.files import reason_of, write_through

QUIET = ("name", "figures", "logger", "sweep", "run.", "trainer.print_every", "trainer.checkpoint")
"""How keys begin that do not change what a model is."""
RESOLUTION = 200
"""Points of the maps along each side."""


def draw(one: RunRecord, other: RunRecord, path: Path, *, theme: str, trust: bool) -> None:
    """Draws both boundaries over the test rows of A (its training rows where it has none), and
    where the models disagree.

    Raises:
        ExpError: a model cannot be had.
        RunDirectoryError: the file cannot be written.
    """
    pictures = over_one_plane(*(model(run, trust=trust) for run in (one, other)), theme=theme)
    try:
        write_through(path, png(*pictures, different(one, other)))
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {reason_of(error)}") from error


def different(one: RunRecord, other: RunRecord) -> tuple[str, str]:
    """What A is and B is not, and the reverse, as on a command line: `optimizer=sgd, lr=0.1`.

    Of a component that is another one only the parameters that both have, and the seeds only where
    nothing else differs.
    """
    found = [
        (key.removesuffix(".name"), *values)
        for key, *values in unlike(one.config(), other.config())
        if not key.startswith(QUIET) and None not in values
    ]
    if any(not key.startswith("seed") for key, *_ in found):
        found = [each for each in found if not each[0].startswith("seed")]
    elif any(key == "seed" for key, *_ in found):
        found = [each for each in found if each[0] == "seed"]
    names = short([key for key, *_ in found])
    first, second = (
        ", ".join(f"{names[key]}={brief(values[at])}" for key, *values in found) for at in (0, 1)
    )
    return first, second


def over_one_plane(
    one: tuple[Job, Predictor], other: tuple[Job, Predictor], *, theme: str
) -> tuple[Picture, Picture]:
    """Two models on one grid, with the same rows: the test rows of the first."""
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
        logits = predictor.logits(job.data.transform(points))
        chances = predictor.probabilities(logits).T.reshape(-1, len(ys), len(xs))
        labels = data.data.y[rows]
        given = job.data.encoded(data.data.X[rows])
        predicted = predictor.labels(predictor.logits(job.data.transform(given)))
        plan = job.plan
        return Picture(
            dataset=plan["dataset"].name, model=plan["model"].name,
            optimizer=plan["optimizer"].name, seed=str(plan.seed),
            metric=f"{split} accuracy {percent(float((predicted == labels).mean()))}",
            classes=data.data.classes, axes=plane.axes, note=plane.note, map_note=plane.map_note,
            points=places, labels=labels, predicted=predicted,
            split=np.full(len(rows), TEST, np.uint8), xs=xs, ys=ys, probabilities=chances,
            theme=theme,
        )  # fmt: skip

    return picture(*one), picture(*other)

"""From a result to the plain arrays that the figures are drawn from."""

from __future__ import annotations

import numpy as np

from exp.figures import Picture, Plane
from exp.figures.numbers import percent
from exp.runs.tables import Answers

CODES = {"train": 0, "validation": 1, "test": 2}


def picture(answers: Answers) -> Picture | None:
    """The picture of a run, its decision map computed by the model; None where none is wanted."""
    result = answers.result
    plan, prepared = result.job.plan, result.job.data
    figures = plan["figures"].build()
    if figures is None:
        return None
    data = prepared.data
    # Up to two features are drawn in their own units, more in the space that the model sees.
    raw = data.X.shape[1] <= 2
    space = data.X if raw else prepared.X
    plane = Plane.fit(space[prepared.split.train], data.features, data.units if raw else None)
    xs, ys, points = plane.grid(plane.limits(space), figures.resolution)
    predictor = result.predictor
    logits = predictor.logits(prepared.transform(points) if raw else points)
    chances = predictor.probabilities(logits).T.reshape(-1, len(ys), len(xs))
    rows = np.concatenate(list(answers.rows.values()))
    split = "test" if "test" in answers.rows else "train"
    right = float((answers.predicted[split] == data.y[answers.rows[split]]).mean())
    return Picture(
        dataset=plan["dataset"].name,
        model=plan["model"].name,
        optimizer=plan["optimizer"].name,
        seed=str(plan.seed),
        metric=f"{split} accuracy {percent(right)}",
        classes=data.classes,
        axes=plane.axes,
        note=plane.note,
        map_note=plane.map_note,
        points=plane.project(space[rows]),
        labels=data.y[rows],
        predicted=np.concatenate(list(answers.predicted.values())),
        split=np.concatenate(
            [np.full(len(index), CODES[name], np.uint8) for name, index in answers.rows.items()]
        ),
        xs=xs,
        ys=ys,
        probabilities=chances,
        history=result.history,
        best_epoch=result.best_epoch,
        monitor=plan.monitor,
        names=tuple(figures.draw),
        format=tuple(figures.format),
        theme=figures.theme,
        dpi=figures.dpi,
    )

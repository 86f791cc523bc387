"""From a result to the plain arrays that the figures are drawn from."""

from __future__ import annotations

import numpy as np

from exp.figures import Picture
from exp.figures.numbers import percent
from exp.runs.tables import Answers

CODES = {"train": 0, "validation": 1, "test": 2}


def picture(answers: Answers) -> Picture | None:
    """The picture of a run, its decision map computed by the model; None where none is wanted."""
    result = answers.result
    plan, prepared = result.job.plan, result.job.data
    figures = plan.figures
    if figures is None:
        return None
    data, view, predictor = prepared.data, result.job.view, result.predictor
    plane = view.plane
    xs, ys, points = view.grid(figures.resolution)
    logits = predictor.logits(points)
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
        points=plane.project(view.space[rows]),
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

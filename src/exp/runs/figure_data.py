"""From a result to the plain arrays that the figures are drawn from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from exp.components.figure_options import Figures
from exp.engine import Recording, Result
from exp.plotting import Picture
from exp.plotting.frames import SWEEP_FRAMES
from exp.runs.result_files import Answers

CODES = {"train": 0, "validation": 1, "test": 2}


SCORED = {"roc", "precision_recall", "calibration"}
"""Figures that need the probabilities of every row."""
UNITS_OF = {"hidden_units", "network"}
"""Figures that need the map of every hidden unit."""
UNITS = 60
"""Points of a hidden unit's map along each side."""
MOST_UNITS = 512
"""Hidden units whose maps are computed; a sheet has room for 64."""


def picture(answers: Answers, figures: Figures) -> Picture:
    """The picture of a run, its map computed by the model.

    Args:
        figures: which ones, and how they look; those that the target cannot have are left out.
    """
    result = answers.result
    plan, prepared = result.job.plan, result.job.data
    data, view, predictor = prepared.data, result.job.view, result.predictor
    target = answers.target
    plane, names = view.plane, [name for name in figures.names if name not in target.other_figures]
    drawn = set(names)
    xs, ys, points = view.grid(figures.resolution)
    logits = predictor.logits(points)
    chances = predictor.probabilities(logits).T.reshape(-1, len(ys), len(xs))
    rows, codes = coded(answers)
    scores = np.zeros((0, 0))
    if drawn & SCORED:
        scores = np.concatenate(list(answers.probabilities.values()))
    units = hidden_units(result) if drawn & UNITS_OF else {}
    split = "test" if "test" in answers.rows else "train"
    predicted = np.concatenate(list(answers.predicted.values()))
    truth, none = data.y[rows], np.zeros(0)
    of_classes = (np.zeros(len(rows)),) * 2 if data.numeric else (truth, predicted)
    return Picture(
        dataset=plan["dataset"].name,
        model=plan["model"].name,
        optimizer=plan["optimizer"].name,
        seed=str(plan.seed),
        metric=target.headline(split, answers.predicted[split], data.y[answers.rows[split]]),
        classes=data.classes,
        positive=prepared.positive,
        axes=plane.axes,
        note=plane.note,
        map_note=plane.map_note,
        points=plane.project(view.space[rows]),
        labels=of_classes[0],
        predicted=of_classes[1],
        targets=truth if data.numeric else none,
        fitted=predicted if data.numeric else none,
        features=len(prepared.features),
        split=codes,
        xs=xs,
        ys=ys,
        probabilities=chances,
        scores=scores,
        frames=result.recording.frames,
        norms=result.recording.norms or {},
        history=result.history,
        best_epoch=result.best_epoch,
        monitor=plan.monitor,
        animation=figures.animation,
        # 60 of them would take six seconds and more than a megabyte.
        animated=SWEEP_FRAMES if figures.frames is None else None,
        names=tuple(names),
        format=tuple(figures.format),
        theme=figures.theme,
        dpi=figures.dpi,
        **units,
    )


def recording(answers: Answers) -> Recording:
    """What was recorded of a run that has ended: its frames have its rows, so that whoever draws
    them later needs no data."""
    recorded = answers.result.recording
    if recorded.frames is None:
        return recorded
    view, data = answers.result.job.view, answers.result.job.data.data
    rows, codes = coded(answers)
    predicted = np.concatenate(list(answers.predicted.values()))
    points = view.plane.project(view.space[rows])
    return replace(
        recorded, frames=recorded.frames.with_rows(points, data.y[rows], predicted, codes)
    )


def coded(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """The rows of all splits, as indices into the data set, and the code of the split of each."""
    parts = answers.rows
    codes = [np.full(len(index), CODES[name], np.uint8) for name, index in parts.items()]
    return np.concatenate(list(parts.values())), np.concatenate(codes)


def hidden_units(result: Result) -> dict[str, Any]:
    """What each hidden unit gives over the plane, or why that cannot be shown."""
    features = len(result.job.data.features)
    if features != 2:
        found = "1 feature" if features == 1 else f"{features} features"
        return {"no_units": f"hidden units are drawn over two features, and there are {found}"}
    given = result.job.view.grid(UNITS)[2]
    layers = result.predictor.hidden(given)
    if not layers:
        name = result.job.plan["model"].name
        return {"no_units": f"model {name} has no hidden layers that exp knows"}
    maps = np.concatenate(layers, axis=1).T.reshape(-1, UNITS, UNITS)[:MOST_UNITS]
    names = [f"{i + 1}.{k + 1}" for i, each in enumerate(layers) for k in range(each.shape[1])]
    units = {"units": maps, "unit_names": tuple(names[:MOST_UNITS])}
    weights = result.predictor.weights()
    if weights is None or sum(len(each) for each in weights[:-1]) != len(maps):
        return units  # a network of shortcuts, or one that is too wide for a diagram
    prepared = result.job.data
    names_of_inputs = prepared.features if prepared.mapping is None else prepared.mapping.names
    inputs = given.T.reshape(-1, UNITS, UNITS)
    return units | {
        "inputs": inputs, "input_names": names_of_inputs, "weights": tuple(weights)
    }  # fmt: skip

"""The decision boundary: what the model predicts everywhere in the plane."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exp.plotting import layout, points
from exp.plotting.decision_map import CERTAIN, DecisionMap, colours
from exp.plotting.numbers import percent
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.style import THEMES, Theme

SIDE = 4.1  # inches
_MARKED = 12  # classes whose markers stand below the scale, without covering each other


def draw(picture: Picture) -> Figure:
    """The map, the boundary and the rows, train and test side by side."""
    theme = THEMES[picture.theme]
    figure, left, right = _panels(picture.theme)
    layout.clear(figure)
    decision = DecisionMap(picture, theme) if picture.mapped else None
    for axes, split, name in ((left, TRAIN, "train"), (right, TEST, "test")):
        layout.title(axes, name, _counted(picture, split))
        if decision is not None:
            decision.shade(axes)
            decision.outline(axes, certain=True)
        points.scatter(axes, picture, split)
        points.cross_out(axes, picture, split)
        points.thinned(axes, picture, split)
        points.show_window(axes, picture)
    right.set_ylabel("")
    entries = [*points.handles(picture.classes, theme, 10), points.misclassified(theme)]
    if decision is not None:
        entries.append(points.handle("decision boundary", color=theme.ink))
        probability_scale(figure, len(picture.classes), theme)
    layout.legend(right, entries)
    notes = [picture.note, picture.map_note]
    if not np.isfinite(picture.probabilities).all():
        notes.append("striped grey: the probability is not finite")
    layout.note(figure, *notes)
    return figure


@cache
def _panels(theme: str) -> tuple[Figure, Axes, Axes]:
    """The empty figure of a theme (whose settings are in force), which all runs of a process share:
    new panels and ticks would take longer than the rows and the map."""
    figure = layout.figure()
    ((left, right),) = layout.panels(figure, [SIDE, SIDE], [SIDE])
    right.set_yticks([])
    return figure, left, right


def _counted(picture: Picture, split: int) -> str:
    """How many rows a split has, and how many of them are wrong."""
    members = picture.split == split
    total = int(members.sum())
    wrong = int((picture.predicted[members] != picture.labels[members]).sum())
    share = f" ({percent(wrong / total)})" if total else ""
    return f"{total:,} rows, {wrong:,} misclassified{share}"


def probability_scale(figure: Figure, count: int, theme: Theme) -> None:
    """What the colours of a map of so many classes mean."""
    strength = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], count, axis=1)
    dashed = (CERTAIN - 1 / count) / (1 - 1 / count)
    layout.scale(
        figure,
        colours(strength, np.arange(count), count, theme),
        [(0.0, f"1/{count} undecided"), (dashed, f"{CERTAIN}"), (1.0, "1 certain")],
        "probability of the\npredicted class",
        dashed=dashed,
    )
    if 2 < count <= _MARKED:
        points.head(figure, count, theme)

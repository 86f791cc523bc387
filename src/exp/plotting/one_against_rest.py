"""Curves of every threshold on a class's probability, one for each class against the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.points import MOST_LISTED, handle
from exp.plotting.scores import Curve
from exp.plotting.style import THEMES, line, wrapped

_SIDE = 3.7  # inches

Rule = Callable[[NDArray[np.bool_], NDArray[np.floating]], Curve]
Plot = Callable[[Axes, Curve, dict[str, Any]], None]


def draw(
    picture: Picture, rule: Rule, plot: Plot, *, labels: tuple[str, str], value: str
) -> Figure:
    """Train and test side by side.

    Args:
        rule: a class's curve.
        plot: draws it.
        labels: of the two axes.
        value: what a curve's number is called.
    """
    figure, theme, count = layout.figure(), THEMES[picture.theme], len(picture.classes)
    ((left, right),) = layout.panels(figure, [_SIDE, _SIDE], [_SIDE])
    values, of_split = [np.nan] * count, ""
    for axes, split, name in ((left, TRAIN, "train"), (right, TEST, "test")):
        members = picture.split == split
        total = int(members.sum())
        layout.title(axes, name, f"{total:,} rows" if total else "")
        if total and len(picture.scores):
            truth, scores = picture.labels[members], picture.scores[members]
            curves = [rule(truth == label, scores[:, label]) for label in range(count)]
            for label, curve in enumerate(curves):
                if len(curve.x):
                    plot(axes, curve, line(label, count, theme) | {"zorder": 4})
            values, of_split = [curve.value for curve in curves], f", {name}"
        else:
            layout.empty(axes, "no rows" if not total else "no probabilities")
        axes.grid(True)
        axes.set(xlim=(-0.025, 1.025), ylim=(-0.025, 1.025), xlabel=labels[0], ylabel=labels[1])
        axes.set_aspect("auto")
        if (legend := axes.get_legend()) is not None:
            legend.remove()
    layout.join(left, right)
    about = "each class against the rest"
    if picture.positive is not None:
        about = wrapped(f"positive class: {picture.classes[picture.positive]}", 28)
    shown = count if count <= MOST_LISTED else MOST_LISTED - 1
    entries = [
        handle(f"{_rounded(values[label])}  {_named(picture.classes[label])}", **look)
        for label, look in ((label, line(label, count, theme)) for label in range(shown))
    ]
    if shown < count:
        entries.append(handle(f"and {count - shown} more"))
    known = [number for number in values if not np.isnan(number)]
    if len(known) > 2:
        entries.append(handle(f"{_rounded(float(np.mean(known)))}  mean of all"))
    made = layout.legend(right, entries, title=f"{value}{of_split}\n{about}")
    made.set_alignment("left")
    made.get_title().set(size=8.0, color=theme.muted)
    return figure


def _named(name: str) -> str:
    """A class in the key; one that is a number must not be taken for a second score."""
    return wrapped(f"class {name}" if name.replace(".", "").isdigit() else name)


def _rounded(value: float) -> str:
    """Three decimals; 1 stands only for exactly 1."""
    if np.isnan(value):
        return "-"
    return "1.000" if value == 1 else f"{min(value, 0.999):.3f}"

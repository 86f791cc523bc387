"""The decision boundary of any model on one panel, as `exp.plot_boundary` draws it."""

from __future__ import annotations

import textwrap
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy.ndimage import gaussian_filter

from exp.plotting import points
from exp.plotting.decision_map import CERTAIN, DecisionMap, Map
from exp.plotting.numbers import percent
from exp.plotting.picture import TEST, TRAIN, VALIDATION, Picture
from exp.plotting.style import SMALL, THEMES, plain

PER_INCH = 14
"""Characters of small text that fit into an inch, about."""


def draw(axes: Axes, picture: Picture, *, certain: bool, beside: bool) -> None:
    """The map, the boundary and the rows.

    Args:
        axes: of any figure; `style.settings` are in force.
        certain: whether probabilities are known, so that 0.9 of one means something.
        beside: whether the legend stands to the right of the panel, else inside.
    """
    theme = THEMES[picture.theme]
    given = Map(picture.xs, picture.ys, picture.probabilities)
    if not certain:  # classes only: without it, the boundary would be a staircase
        given = replace(given, probabilities=gaussian_filter(given.probabilities, (0, 1, 1)))
    decision = DecisionMap(given, theme)
    decision.shade(axes)
    decision.outline(axes, certain=certain)
    splits = [s for s in (TRAIN, VALIDATION, TEST) if (picture.split == s).any()]
    for split in splits:
        points.scatter(axes, picture, split)
        points.cross_out(axes, picture, split)
    points.thinned(axes, picture, *splits)
    points.show_window(axes, picture)
    axes.set_title(counted(picture))
    if notes := [note for note in (picture.note, picture.map_note) if note]:
        width = int(axes.get_window_extent().width / axes.figure.dpi * PER_INCH)
        text = "; ".join(notes).replace("training rows", "rows")
        wrapped = "\n".join(textwrap.wrap(text, max(40, width)))
        axes.set_xlabel(f"{axes.get_xlabel()}\n\n{wrapped}", size=SMALL)
    entries: list[Line2D] = points.handles(picture.classes, theme, 20)
    if len(splits) > 1:
        for split, name in points.SPLITS:
            if split in splits:
                look = points.look((0.0, 0.0, 0.0), split, 6.2, theme)
                fill = {TRAIN: theme.muted, VALIDATION: theme.faint, TEST: theme.page}[split]
                look |= {"markerfacecolor": fill, "markeredgecolor": theme.muted}
                entries.append(points.handle(name, **look))
    if (picture.predicted != picture.labels).any():
        entries.append(points.misclassified(theme))
    if decision.boundary:
        entries.append(points.handle("decision boundary", color=theme.ink))
    if certain and decision.certain:
        dashed = {"linewidth": 0.8, "alpha": 0.5, "linestyle": (0, (4, 3))}
        entries.append(points.handle(f"probability {CERTAIN}", color=theme.ink, **dashed))
    if beside:
        axes.legend(handles=entries, loc="upper left", bbox_to_anchor=(1.03, 1.0))
    else:
        axes.legend(handles=entries, loc="best", frameon=True, framealpha=0.85, borderpad=0.5)
    # Ticks take their font from the settings when they are first made.
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_majorticklabels()


def counted(picture: Picture) -> str:
    """How many rows there are, and how many of them are wrong."""
    total, wrong = len(picture.labels), int((picture.predicted != picture.labels).sum())
    share = f" ({percent(wrong / total)})" if total else ""
    return plain(f"{total:,} rows, {wrong:,} misclassified{share}")

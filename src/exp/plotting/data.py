"""The data: every split's rows in one panel."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from exp.plotting import fit, layout, points
from exp.plotting.picture import TEST, TRAIN, VALIDATION, Picture
from exp.plotting.style import THEMES

SIDE = 4.1  # inches, as in the boundary's panels: rows lie at the same places


def about(picture: Picture) -> str:
    """How much there is of the data."""
    features = f"{picture.features:,} feature" + "s" * (picture.features != 1)
    if picture.numeric:
        return f"{len(picture.targets):,} rows, {features}, the target is a number"
    return f"{len(picture.labels):,} rows, {features}, {len(picture.classes):,} classes"


def draw(picture: Picture) -> Figure:
    """Train rows filled, validation rows pale, test rows hollow; where the target is a number, it
    is a second axis or a colour."""
    if picture.numeric:
        return fit.draw_data(picture)
    theme = THEMES[picture.theme]
    figure = layout.figure()
    ((axes,),) = layout.panels(figure, [SIDE], [SIDE])
    axes.grid(True)
    for split, _ in points.SPLITS:
        points.scatter(axes, picture, split)
    points.thinned(axes, picture, *(split for split, _ in points.SPLITS))
    points.show_window(axes, picture)
    entries = points.handles(picture.classes, theme, 14)
    for split, name in points.SPLITS:
        count = int(np.count_nonzero(picture.split == split))
        if count or split != VALIDATION:
            fill = {TRAIN: theme.muted, VALIDATION: theme.faint, TEST: theme.page}[split]
            look = points.look((0.0, 0.0, 0.0), split, 6.2, theme)
            look |= {"markerfacecolor": fill, "markeredgecolor": theme.muted}
            entries.append(points.handle(f"{name}: {count:,}", **look))
    layout.legend(axes, entries)
    layout.note(figure, picture.note)
    return figure

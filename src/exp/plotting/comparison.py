"""Two models over one plane: both boundaries, and where the models disagree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import decision_map, layout, points
from exp.plotting.decision_map import DecisionMap
from exp.plotting.numbers import percent
from exp.plotting.picture import TEST, Picture
from exp.plotting.style import THEMES, Theme, settings, wrapped

_SIDE = 3.6  # inches
_DASHES = (0, (4, 3))


def png(one: Picture, other: Picture, names: tuple[str, str] = ("", "")) -> bytes:
    """The figure as a PNG; the same pictures give the same bytes.

    Args:
        one, other: on one grid, with the same rows, all of them test rows.
        names: what each is that the other is not, such as `optimizer=adam`; may be empty.

    Raises:
        ValueError: they are not.
    """
    with settings(one.theme):
        figure = draw(one, other, names)
        parts = zip(one.subject, other.subject, strict=True)
        subject = [a if a == b else f"{a} / {b}" for a, b in parts]
        lines = max(_title("A", name).count("\n") for name in names)
        remark = f"A: {one.metric}; B: {other.metric}"
        layout.heading(figure, *subject, remark=remark, above=0.44 + 0.17 * lines)
        return layout.encode(figure, "png", dpi=one.dpi)


def _title(letter: str, name: str) -> str:
    """Of a panel: A or B, and what it is."""
    return wrapped(f"{letter}: {name}", 44, 3) if name else letter


def draw(one: Picture, other: Picture, names: tuple[str, str] = ("", "")) -> Figure:
    """Both maps, and how far apart the probabilities are."""
    for name in ("xs", "ys", "points", "labels", "split"):
        if not np.array_equal(getattr(one, name), getattr(other, name)):
            raise ValueError(f"{name}: expected the same in both pictures")
    if one.classes != other.classes:
        raise ValueError("classes: expected the same in both pictures")
    theme, total = THEMES[one.theme], len(one.labels)
    figure = layout.figure()
    (row,) = layout.panels(figure, [_SIDE] * 3, [_SIDE])
    maps = [DecisionMap(picture, theme) for picture in (one, other)]
    styles: list[dict[str, Any]] = [{}, {"linestyles": [_DASHES], "capstyle": "butt"}]
    letters = [_title(letter, name) for letter, name in zip("AB", names, strict=True)]
    for axes, picture, found, style, name in zip(
        row, (one, other), maps, styles, letters, strict=False
    ):
        wrong = int((picture.predicted != picture.labels).sum())
        axes.set_title(name)
        layout.corner(axes, f"{wrong:,} of {total:,} rows misclassified")
        found.shade(axes)
        found.outline(axes, **style)
        points.scatter(axes, picture, TEST)
        points.cross_out(axes, picture, TEST)
    differ = one.predicted != other.predicted
    count = int(differ.sum())
    share = f" ({percent(count / total)})" if total else ""
    layout.title(row[2], "A and B differ", f"{count:,} of {total:,} rows{share}")
    decision_map.fill(row[2], one, shades(apart(one, other), theme))
    for found, style in zip(maps, styles, strict=True):
        found.outline(row[2], **style)
    only = {name: getattr(one, name)[differ] for name in ("points", "labels", "predicted", "split")}
    points.scatter(row[2], replace(one, **only), TEST)
    for axes in row:
        points.show_window(axes, one)
    layout.join(*row)
    entries = [*points.handles(one.classes, theme, 10), points.misclassified(theme)]
    entries.append(points.handle("boundary of A", color=theme.ink))
    entries.append(points.handle("boundary of B", color=theme.ink, linestyle=_DASHES))
    layout.legend(row[2], entries)
    steps = shades(np.linspace(0.0, 1.0, 64)[:, None], theme)
    marks = [(0.0, "0 the same"), (1.0, "1 opposite")]
    layout.scale(figure, steps, marks, "distance of the\nprobabilities")
    layout.note(figure, one.note, one.map_note)
    return figure


def apart(one: Picture, other: Picture) -> NDArray[np.float64]:
    """`[G, G]` in 0..1: the total variation distance of the two distributions over the classes,
    half the sum of absolute differences."""
    difference = np.abs(one.probabilities.astype(np.float64) - other.probabilities)
    distance: NDArray[np.float64] = np.nan_to_num(difference.sum(axis=0) / 2, nan=1.0)
    return np.clip(distance, 0.0, 1.0)


def shades(distance: NDArray[np.float64], theme: Theme) -> NDArray[np.float64]:
    """RGB `[..., 3]`: the page where the models agree, a tint of the colour for wrong where not."""
    page, hue = np.array(to_rgb(theme.page)), np.array(to_rgb(theme.wrong))
    mixed: NDArray[np.float64] = page + (hue - page) * 0.75 * distance[..., None]
    return mixed

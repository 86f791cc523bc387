"""What each hidden unit makes of the plane, as TensorFlow's playground shows it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout, points
from exp.plotting.numbers import number
from exp.plotting.picture import TRAIN, Picture
from exp.plotting.style import THEMES, Theme, palette, wrapped

_SIDE = 0.98  # inches
_DOTS = 150  # rows on each map
_COLUMNS, _ROWS = 8, 8


def draw(picture: Picture) -> Figure:
    """A small map for each unit, layer below layer."""
    if picture.no_units or not len(picture.units):
        return layout.notice("hidden units", picture.no_units or "no hidden units")
    theme = THEMES[picture.theme]
    rows, left_out = _arranged(picture.unit_names)
    wide = max(4, *(len(row) for row in rows))
    figure = layout.figure()
    for row, members in enumerate(reversed(rows)):
        for column, unit in enumerate(members):
            place = column * (_SIDE + 0.14), row * (_SIDE + 0.36)
            made = layout.axes(figure, *place, _SIDE, _SIDE)
            _unit(made, picture, unit, labelled=row == column == 0)
    x = wide * (_SIDE + 0.14) + 0.14
    top = layout.top(figure)
    caption = "layer.unit, and the unit's\nvalue farthest from 0"
    figure.text(x, top, caption, va="top", size=8.0, color=theme.muted, linespacing=1.4)
    strip = layout.axes(figure, x, top - 0.62, 1.3, 0.14)
    strip.imshow(shades(np.linspace(-1.0, 1.0, 64)[None, :], theme), extent=(-1, 1, 0, 1))
    strip.set_xticks([-1, 0, 1], ["\N{MINUS SIGN}", "0", "+"])
    strip.set_yticks([])
    entries = points.handles(picture.classes, theme, 8)
    strip.legend(handles=entries, loc="upper left", bbox_to_anchor=(0.0, -2.6))
    note = f"not drawn: {left_out} more units" if left_out else ""
    layout.note(figure, "the dots are training rows; all maps have the same axes", note)
    return figure


def _arranged(names: tuple[str, ...]) -> tuple[list[list[int]], int]:
    """The units row by row, each layer on new rows, and how many there is no room for."""
    layers: dict[str, list[int]] = {}
    for unit, name in enumerate(names):
        layers.setdefault(name.partition(".")[0], []).append(unit)
    share = max(1, _ROWS // len(layers))
    rows = [
        units[start : start + _COLUMNS]
        for units in layers.values()
        for start in range(0, min(len(units), share * _COLUMNS), _COLUMNS)
    ][:_ROWS]
    return rows, len(names) - sum(len(row) for row in rows)


def _unit(axes: Axes, picture: Picture, unit: int, *, labelled: bool) -> None:
    values = picture.units[unit]
    finite = np.isfinite(values)
    low = float(values[finite].min()) if finite.any() else 0.0
    high = float(values[finite].max()) if finite.any() else 0.0
    largest = max(abs(low), abs(high))
    if not finite.all():
        remark = "not finite"
    elif largest == 0:
        remark = "always 0"
    else:
        remark = f"to {number(high if high >= -low else low)}"
    layout.title(axes, picture.unit_names[unit][:12], remark)
    theme, (x0, x1, y0, y1) = THEMES[picture.theme], points.window(picture)
    image = shades(share(values), theme)
    axes.imshow(image, extent=(x0, x1, y0, y1), interpolation="bilinear")
    for label, places in points.some(picture, TRAIN, _DOTS):
        look = points.look(to_rgb(theme.ink), TRAIN, 2.2, theme)
        if not picture.numeric:
            look = points.class_look(label, len(picture.classes), TRAIN, 2.2, theme)
        axes.plot(*places.T, zorder=4, **look | {"markeredgewidth": 0.3})
    axes.set(xlim=(x0, x1), ylim=(y0, y1))
    if labelled:
        axes.locator_params(nbins=3)
        axes.set_xlabel(wrapped(picture.axes[0], 20))
        axes.set_ylabel(wrapped(picture.axes[1], 20))
    else:
        axes.set(xticks=[], yticks=[])


def share(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Values of a unit as shares of the largest one, -1 to 1; 0 where they are not finite."""
    finite = np.where(np.isfinite(values), values, 0.0).astype(np.float64)
    largest = np.abs(finite).max(initial=0.0)
    return finite / largest if largest else finite


def shades(share: NDArray[np.floating], theme: Theme) -> NDArray[np.float64]:
    """`[..., 3]`: blue below 0, the page at 0, orange above, as in the playground."""
    page = np.array(to_rgb(theme.page))
    hues = np.where((share >= 0)[..., None], *(palette(2, theme)[k] for k in (1, 0)))
    mixed: NDArray[np.float64] = page + (hues - page) * np.abs(share)[..., None] * 0.9
    return mixed

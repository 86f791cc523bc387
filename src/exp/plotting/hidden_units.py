"""What each hidden unit makes of the plane, as TensorFlow's playground shows it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.numbers import number
from exp.plotting.picture import Picture
from exp.plotting.style import THEMES, Theme, palette

_SIDE = 0.98  # inches
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
            _unit(layout.axes(figure, *place, _SIDE, _SIDE), picture, unit)
    x = wide * (_SIDE + 0.14) + 0.14
    top = layout.top(figure)
    caption = "layer.unit, and the unit's\nvalue farthest from 0"
    figure.text(x, top, caption, va="top", size=8.0, color=theme.muted, linespacing=1.4)
    strip = layout.axes(figure, x, top - 0.62, 1.3, 0.14)
    strip.imshow(_colours(np.linspace(-1.0, 1.0, 64)[None, :], theme), extent=(-1, 1, 0, 1))
    strip.set_xticks([-1, 0, 1], ["\N{MINUS SIGN}", "0", "+"])
    strip.set_yticks([])
    layout.note(figure, f"not drawn: {left_out} more units" if left_out else "", below=0.2)
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


def _unit(axes: Axes, picture: Picture, unit: int) -> None:
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
    share = np.nan_to_num(values / largest if largest else values * 0.0)
    image = _colours(np.clip(share, -1.0, 1.0), THEMES[picture.theme])
    axes.imshow(image, interpolation="bilinear")
    axes.set(xticks=[], yticks=[])


def _colours(share: NDArray[np.floating], theme: Theme) -> NDArray[np.float64]:
    """`[..., 3]`: blue below 0, the page at 0, orange above, as in the playground."""
    page = np.array(to_rgb(theme.page))
    hues = np.where((share >= 0)[..., None], *(palette(2, theme)[k] for k in (1, 0)))
    mixed: NDArray[np.float64] = page + (hues - page) * np.abs(share)[..., None] * 0.9
    return mixed

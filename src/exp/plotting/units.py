"""What each hidden unit makes of the plane, as TensorFlow's playground shows it."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from exp.plotting.numbers import number
from exp.plotting.panel import Panel, notice
from exp.plotting.picture import Picture
from exp.plotting.raster import Pixels, Raster
from exp.plotting.sheet import Sheet
from exp.plotting.style import Theme, palette
from exp.plotting.text import plain
from exp.plotting.words import Align

_SIDE = 0.98  # inches
_COLUMNS, _ROWS = 8, 8


def sheet(picture: Picture) -> Sheet:
    """A small map for each unit, layer below layer."""
    if picture.no_units or not len(picture.units):
        return notice(picture, "hidden units", picture.no_units or "no hidden units")
    rows, left_out = _arranged(picture.unit_names)
    wide = max(len(row) for row in rows)
    page = Sheet(
        picture,
        panels=[_SIDE] * max(wide, 4),
        height=[_SIDE] * len(rows),
        left=0.4,
        bottom=0.3,
        gap=0.14,
        row_gap=0.36,
        note=f"not drawn: {left_out} more units" if left_out else "",
    )
    for row, members in enumerate(rows):
        for column, unit in enumerate(members):
            _unit(page, row * len(page.widths) + column, picture, unit)
    _key(page)
    return page


def _arranged(names: tuple[str, ...]) -> tuple[list[list[int]], int]:
    """The units row by row, each layer on rows of its own, and how many there is no room for."""
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


def _unit(sheet: Sheet, index: int, picture: Picture, unit: int) -> None:
    values, theme = picture.units[unit], sheet.theme
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
    panel = Panel(sheet, index, (0.0, 1.0, 0.0, 1.0), plain(picture.unit_names[unit]), remark)
    share = np.nan_to_num(values / largest if largest else values * 0.0)
    panel.image(Pixels(_colours(np.clip(share, -1.0, 1.0), theme), nodes=True))


def _colours(share: NDArray[np.floating], theme: Theme) -> NDArray[np.float64]:
    """`[..., 3]`: blue below 0, the page at 0, orange above, as in the playground."""
    page = np.array(to_rgb(theme.page))
    hues = np.where((share >= 0)[..., None], *(palette(2, theme)[k] for k in (1, 0)))
    mixed: NDArray[np.float64] = page + (hues - page) * np.abs(share)[..., None] * 0.9
    return mixed


def _key(sheet: Sheet) -> None:
    x, y, theme = sheet.key, sheet.top - 0.13, sheet.theme
    for line in ("layer.unit, and the unit's", "value farthest from 0"):
        sheet.text(x, y, line, size=8.0, colour=theme.muted)
        y -= 0.16
    strip = _colours(np.linspace(-1.0, 1.0, 64)[None, :], theme)
    y -= 0.16
    width = 1.3
    box = Bbox.from_extents(x, y, x + width, y + 0.14)
    sheet.add(Raster(Pixels(strip), sheet.inches, box), layer=0.0)
    ends: tuple[tuple[float, str, Align], ...] = (
        (0.0, "\N{MINUS SIGN}", "left"), (0.5, "0", "center"), (1.0, "+", "right"),
    )  # fmt: skip
    for place, label, align in ends:
        sheet.text(
            x + place * width, y - 0.14, label, size=8.0, colour=theme.muted, align=align, limit=1.0
        )

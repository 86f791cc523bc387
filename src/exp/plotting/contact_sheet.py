"""A contact sheet: the decision maps of many runs, all on the same scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.decision_map import DecisionMap, colours
from exp.plotting.field import Dots, Field, Window, union
from exp.plotting.numbers import number
from exp.plotting.picture import TRAIN
from exp.plotting.points import class_look, handle
from exp.plotting.style import NORMAL, SMALL, Theme, plain

_HEAD, _FOOT, _GAP = 0.42, 0.3, 0.13  # inches: above a section, below a tile, between tiles
_SIZES = ((12, 6, 1.75), (32, 8, 1.35), (10**9, 10, 1.08))  # up to n tiles: columns, inches
_MOST_CLASSES = 12
_SMALLEST = 7.5  # points
_MOST_DOTS = 200  # rows of a tile
_DOT = 2.2  # points: the size of a row on the smallest tiles, with some 150 rows
_LETTER = 0.066  # inches, about: the width of a letter of that size


@dataclass(frozen=True, eq=False, kw_only=True)
class Tile:
    """One run.

    Attributes:
        caption: which run of its section.
        value: its score as text, or its status.
        field: its map; None where there is none.
        dots: rows that are drawn on the map; None where they are not known.
        bad: whether the run went wrong.
    """

    caption: str
    value: str
    field: Field | None = None
    dots: Dots | None = None
    bad: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Section:
    """Runs that belong together.

    Attributes:
        title, remark: may be empty.
        plane: sections with the same one are shown in one window.
    """

    title: str
    tiles: tuple[Tile, ...]
    remark: str = ""
    plane: str = ""


@dataclass(frozen=True)
class Place:
    """The upper left corner of a tile or a section and its width, in inches from the upper left."""

    left: float
    top: float
    width: float


def draw(
    sections: Sequence[Section],
    theme: Theme,
    *,
    classes: Sequence[str] = (),
    axes: tuple[str, str] = ("", ""),
    note: str = "",
    rows: str = "rows",
) -> Figure:
    """The maps of all sections.

    Args:
        classes: their names, for the legend; none where the maps have different ones.
        axes: labels of the plane, where all maps have the same.
        rows: what the dots are, in the plural.
    """
    windows = _windows(sections)
    tiles, heads = places(sections)
    width = max((each.left + each.width for each in tiles), default=1.0)
    height = max((each.top + each.width for each in tiles), default=1.0) + _FOOT
    figure = layout.figure()
    # One panel in inches: a hundred panels would take seconds.
    sheet = layout.axes(figure, 0.0, 0.0, width, height)
    for section, head in zip(sections, heads, strict=True):
        y, most = height - head.top - 0.15, int(head.width / _LETTER)
        sheet.text(head.left, y, plain(section.title, most) * bool(section.title), weight="bold",
                   size=NORMAL)  # fmt: skip
        sheet.text(head.left, y - 0.15, plain(section.remark, most) * bool(section.remark),
                   size=SMALL, color=theme.muted)  # fmt: skip
    every = [(section, tile) for section in sections for tile in section.tiles]
    for (section, tile), place in zip(every, tiles, strict=True):
        _tile(sheet, tile, place, height, windows.get(section.plane), theme)
    dotted = _dots(sheet, list(zip(every, tiles, strict=True)), height, windows, theme)
    frames = [Rectangle((p.left, height - p.top - p.width), p.width, p.width) for p in tiles]
    edges = PatchCollection(frames, facecolor="none", edgecolor=theme.faint, zorder=3)
    edges.set_clip_on(False)
    sheet.add_collection(edges)
    sheet.set(xlim=(0.0, width), ylim=(0.0, height))
    sheet.axis("off")
    marks = []
    if dotted:
        look = class_look(0, 2, TRAIN, 2 * _DOT, theme) | {"markerfacecolor": theme.muted}
        marks = [handle(rows, **look), handle("misclassified", **_cross(theme))]
    _legend(figure, sheet, classes, _classes(sections), height, theme, marks)
    layout.note(figure, *_notes(windows, axes, note), below=0.1)
    return figure


def _notes(windows: dict[str, Window], axes: tuple[str, str], note: str) -> list[str]:
    notes = [note] if note else []
    if len(windows) == 1 and axes[0]:
        x0, x1, y0, y1 = (number(edge) for edge in next(iter(windows.values())))
        notes.append(f"all maps: {axes[0]} from {x0} to {x1} and {axes[1]} from {y0} to {y1}")
    elif len(windows) > 1:
        notes.append("maps of one data set have the same window")
    return notes


def _windows(sections: Sequence[Section]) -> dict[str, Window]:
    """The window of each plane: it contains all maps."""
    found: dict[str, list[Window]] = {}
    for section in sections:
        for tile in section.tiles:
            if tile.field is not None:
                found.setdefault(section.plane, []).append(tile.field.window)
    return {plane: union(windows) for plane, windows in found.items()}


def _classes(sections: Sequence[Section]) -> int:
    """The largest number of classes of a map."""
    fields = (tile.field for section in sections for tile in section.tiles)
    return max((len(field.probabilities) for field in fields if field is not None), default=0)


def places(sections: Sequence[Section]) -> tuple[list[Place], list[Place]]:
    """Where the tiles and the sections are; sections are side by side as long as they fit."""
    total = sum(len(section.tiles) for section in sections)
    columns, side = next((columns, side) for most, columns, side in _SIZES if total <= most)
    columns = min(columns, max(total, 1))
    head = _HEAD * any(section.title or section.remark for section in sections)
    tiles, heads = [], []
    column, top, bottom = 0, 0.0, 0.0
    for section in sections:
        count = len(section.tiles)
        if column and column + count > columns:
            column, top = 0, bottom
        left = column * (side + _GAP)
        heads.append(Place(left, top, min(count, columns) * (side + _GAP) - _GAP))
        for index in range(count):
            row, across = divmod(index, columns)
            tile = Place(left + across * (side + _GAP), top + head + row * (side + _FOOT), side)
            tiles.append(tile)
            bottom = max(bottom, tile.top + side + _FOOT)
        column += min(count, columns)
    return tiles, heads


def _tile(
    sheet: Axes, tile: Tile, place: Place, height: float, window: Window | None, theme: Theme
) -> None:
    side, left, bottom = place.width, place.left, height - place.top - place.width
    if tile.field is None or window is None:
        middle = (left + side / 2, bottom + side / 2)
        sheet.text(*middle, "no map", ha="center", va="center", size=SMALL, color=theme.muted)
    else:
        found = DecisionMap(tile.field, theme)
        corner, scale = _onto(place, height, window)
        x0, x1, y0, y1 = tile.field.window
        (a, b), (c, d) = corner + np.array([x0, y0]) * scale, corner + np.array([x1, y1]) * scale
        sheet.imshow(found.image, extent=(a, c, b, d), interpolation="bilinear", zorder=0.5)
        lines: list[NDArray[np.float64]] = [corner + line * scale for line in found.boundary]
        look = {"colors": [theme.ink], "linewidths": 0.9, "capstyle": "round"}
        sheet.add_collection(LineCollection(lines, **look), autolim=False)  # type: ignore[arg-type]
    letters = int(side / _LETTER)
    value = plain(tile.value, max(4, letters * 2 // 3))
    caption = plain(tile.caption, max(3, letters - len(value) - 1)) if tile.caption else ""
    colour = theme.wrong if tile.bad else theme.ink
    y = bottom - 0.14
    sheet.text(left, y, caption, size=_SMALLEST, color=theme.muted)
    sheet.text(left + side, y, value, size=_SMALLEST, color=colour, ha="right")


def _onto(place: Place, height: float, window: Window) -> tuple[NDArray[Any], NDArray[Any]]:
    """From a window to inches of the sheet: `corner + point * scale` is where a point lies."""
    side = place.width
    scale = np.array([side / (window[1] - window[0]), side / (window[3] - window[2])])
    corner = np.array([place.left, height - place.top - side])
    return corner - np.array([window[0], window[2]]) * scale, scale


def _dots(
    sheet: Axes,
    tiles: Sequence[tuple[tuple[Section, Tile], Place]],
    height: float,
    windows: dict[str, Window],
    theme: Theme,
) -> bool:
    """Draw the rows of all tiles, class by class; gives whether there are any.

    All tiles at once: a call for each of them would take seconds.
    """
    points, labels, wrong = [], [], []
    for (section, tile), place in tiles:
        if tile.dots is None or tile.field is None:
            continue
        window = windows[section.plane]
        corner, scale = _onto(place, height, window)
        rows = np.arange(len(tile.dots.points))
        if len(rows) > _MOST_DOTS:
            rows = rows[np.linspace(0, len(rows) - 1, _MOST_DOTS).astype(np.intp)]
        rows = np.union1d(rows, np.flatnonzero(tile.dots.wrong)[:_MOST_DOTS])
        inside = tile.dots.points[rows]
        low, high = np.array(window[::2]), np.array(window[1::2])
        rows = rows[((inside >= low) & (inside <= high)).all(axis=1)]
        points.append(corner + tile.dots.points[rows] * scale)
        labels.append(tile.dots.labels[rows])
        wrong.append(tile.dots.wrong[rows])
    if not points:
        return False
    places, codes, crossed = map(np.concatenate, (points, labels, wrong))
    side = max(place.width for _, place in tiles)
    crowd = float(np.clip((150 / max(map(len, points))) ** 0.2, 0.85, 1.6))
    size, count = _DOT * crowd * (side / _SIZES[-1][2]) ** 0.5, _classes([s for (s, _), _ in tiles])
    look = _cross(theme) | {"markersize": 2.0 * size}
    for style in (look | {"color": theme.page, "markeredgewidth": 1.9}, look):
        sheet.plot(*places[crossed].T, zorder=2.4, **style)
    for label in np.unique(codes).tolist():
        style = class_look(label, count, TRAIN, size, theme) | {"markeredgewidth": 0.25}
        sheet.plot(*places[codes == label].T, zorder=2.5, **style)
    return True


def _cross(theme: Theme) -> dict[str, Any]:
    return {
        "linestyle": "none", "marker": "x", "markersize": 5.0, "markeredgewidth": 0.9,
        "color": theme.ink,
    }  # fmt: skip


def _legend(
    figure: Figure,
    sheet: Axes,
    classes: Sequence[str],
    count: int,
    height: float,
    theme: Theme,
    more: Sequence[Line2D],
) -> None:
    """Colours of the classes, and what the strength of a colour means.

    Args:
        more: further entries.
    """
    if count < 2:
        return
    names = classes or [f"class {label}" for label in range(count)]
    tints = colours(np.ones(count), np.arange(count), count, theme)
    entries = [
        handle(plain(names[label], 20), marker="s", linestyle="none", color=tints[label])
        for label in range(min(count, _MOST_CLASSES))
    ]
    if count > _MOST_CLASSES:
        entries.append(handle(f"and {count - _MOST_CLASSES} more"))
    entries += [handle("decision boundary", color=theme.ink, linewidth=1.1), *more]
    layout.legend(sheet, entries)
    if height > 0.25 * len(entries) + 1.3:
        shown = min(count, 3)
        strength = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], shown, axis=1)
        strips = colours(strength, np.arange(shown), count, theme)
        marks = [(0.0, f"1/{count} undecided"), (1.0, "1 certain")]
        layout.scale(figure, strips, marks, "probability of the\npredicted class", height=0.72)

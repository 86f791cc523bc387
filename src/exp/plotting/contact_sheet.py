"""A contact sheet: the decision maps of many runs, all on the same scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.decision_map import DecisionMap, colours
from exp.plotting.field import Field, Window, union
from exp.plotting.numbers import number
from exp.plotting.points import handle
from exp.plotting.style import NORMAL, SMALL, Theme, plain

_HEAD, _FOOT, _GAP = 0.42, 0.3, 0.13  # inches: above a section, below a tile, between tiles
_SIZES = ((12, 6, 1.75), (32, 8, 1.35), (10**9, 10, 1.08))  # up to n tiles: columns, inches
_MOST_CLASSES = 12
_SMALLEST = 7.5  # points
_LETTER = 0.066  # inches, about: the width of a letter of that size


@dataclass(frozen=True, eq=False, kw_only=True)
class Tile:
    """One run.

    Attributes:
        caption: which run of its section.
        value: its score as text, or its status.
        field: its map; None where there is none.
        bad: whether the run went wrong.
    """

    caption: str
    value: str
    field: Field | None = None
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
) -> Figure:
    """The maps of all sections.

    Args:
        classes: their names, for the legend; none where the maps have different ones.
        axes: labels of the plane, where all maps have the same.
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
    frames = [Rectangle((p.left, height - p.top - p.width), p.width, p.width) for p in tiles]
    edges = PatchCollection(frames, facecolor="none", edgecolor=theme.faint, zorder=3)
    edges.set_clip_on(False)
    sheet.add_collection(edges)
    sheet.set(xlim=(0.0, width), ylim=(0.0, height))
    sheet.axis("off")
    _legend(figure, sheet, classes, _classes(sections), height, theme)
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
        scale = np.array([side / (window[1] - window[0]), side / (window[3] - window[2])])
        corner = np.array([left, bottom]) - np.array([window[0], window[2]]) * scale
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


def _legend(
    figure: Figure, sheet: Axes, classes: Sequence[str], count: int, height: float, theme: Theme
) -> None:
    """Colours of the classes, and what the strength of a colour means."""
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
    entries.append(handle("decision boundary", color=theme.ink, linewidth=1.1))
    layout.legend(sheet, entries)
    if height > 0.25 * len(entries) + 1.3:
        shown = min(count, 3)
        strength = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], shown, axis=1)
        strips = colours(strength, np.arange(shown), count, theme)
        marks = [(0.0, f"1/{count} undecided"), (1.0, "1 certain")]
        layout.scale(figure, strips, marks, "probability of the\npredicted class", height=0.72)

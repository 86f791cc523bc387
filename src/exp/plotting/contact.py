"""A contact sheet: what many models decide, each map on the same scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.transforms import Bbox

from exp.plotting.board import Board, Look
from exp.plotting.decision import Decision, colours
from exp.plotting.field import Field, Window, union
from exp.plotting.numbers import number
from exp.plotting.panel import Panel
from exp.plotting.paper import Place
from exp.plotting.raster import Raster
from exp.plotting.text import NORMAL, SMALL, plain, shortened, width

_KEY, _HEAD, _FOOT, _GAP = 1.65, 0.27, 0.3, 0.13  # inches
_SIZES = ((12, 6, 1.75), (32, 8, 1.35), (10**9, 10, 1.08))  # up to n tiles: columns, inches
_MOST_CLASSES = 12
_SMALLEST = 7.5  # points


@dataclass(frozen=True, eq=False, kw_only=True)
class Tile:
    """One run.

    Attributes:
        caption: which of its section it is.
        value: its metric as text, or what became of it.
        field: its map; None where there is none.
        bad: whether it has not come to a good end.
    """

    caption: str
    value: str
    field: Field | None = None
    bad: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Section:
    """Runs that belong together.

    Attributes:
        title, remark: what they are; may be empty.
        plane: sections of one name are shown in one window.
    """

    title: str
    tiles: tuple[Tile, ...]
    remark: str = ""
    plane: str = ""


def sheet(
    sections: Sequence[Section],
    look: Look,
    *,
    heading: str,
    remark: str,
    classes: Sequence[str] = (),
    axes: tuple[str, str] = ("", ""),
    note: str = "",
) -> Board:
    """The maps of all sections.

    Args:
        classes: their names, for the key; none where maps differ in them.
        axes: labels of the plane, where all maps are of one.
    """
    windows = _windows(sections)
    notes = [note]
    if len(windows) == 1 and axes[0]:
        x0, x1, y0, y1 = (number(edge) for edge in next(iter(windows.values())))
        notes.append(f"all maps: {axes[0]} from {x0} to {x1} and {axes[1]} from {y0} to {y1}")
    elif len(windows) > 1:
        notes.append("maps of one data set are of the same window")
    places, heads = _places(sections)
    board = Board(
        places, heading=heading, remark=remark, look=look, key=_KEY,
        note="; ".join(text for text in notes if text), edge=(0.0, _FOOT - 0.1), titled=False,
    )  # fmt: skip
    index = 0
    for section, (left, top, room) in zip(sections, heads, strict=True):
        x, y = board.left + left, board.top - top - 0.17
        board.text(x, y, section.title, size=NORMAL, bold=True, limit=room)
        board.text(x, y - 0.15, section.remark, size=SMALL, colour=board.theme.muted, limit=room)
        for tile in section.tiles:
            _tile(board, index, tile, windows.get(section.plane, (0.0, 1.0, 0.0, 1.0)))
            index += 1
    _key(board, classes, _most(sections))
    return board


def _windows(sections: Sequence[Section]) -> dict[str, Window]:
    found: dict[str, list[Window]] = {}
    for section in sections:
        for tile in section.tiles:
            if tile.field is not None:
                found.setdefault(section.plane, []).append(tile.field.window)
    return {plane: union(windows) for plane, windows in found.items()}


def _most(sections: Sequence[Section]) -> int:
    """The largest number of classes of a map."""
    fields = (tile.field for section in sections for tile in section.tiles)
    return max((len(field.probabilities) for field in fields if field is not None), default=0)


def _places(sections: Sequence[Section]) -> tuple[list[Place], list[tuple[float, float, float]]]:
    """Places of the tiles, and of the sections' titles: left, top and width.

    Sections stand beside each other as long as they fit.
    """
    total = sum(len(section.tiles) for section in sections)
    columns, side = next((columns, side) for most, columns, side in _SIZES if total <= most)
    columns = min(columns, max(total, 1))
    titled = any(section.title or section.remark for section in sections)
    head = (_HEAD + (0.15 if any(section.remark for section in sections) else 0.0)) * titled
    places: list[Place] = []
    heads = []
    pitch = side + _GAP
    column, left, top, low = 0, 0.0, 0.0, 0.0
    for section in sections:
        count = len(section.tiles)
        if column and column + count > columns:
            column, left, top = 0, 0.0, low
        heads.append((left, top, min(count, columns) * pitch - _GAP))
        for index in range(count):
            row, across = divmod(index, columns)
            y = top + head + row * (side + _FOOT)
            places.append((left + across * pitch, y, side, side))
            low = max(low, y + side + _FOOT + (0.1 if titled else 0.0))
        column += min(count, columns)
        left += min(count, columns) * pitch + _GAP
    return places, heads


def _tile(board: Board, index: int, tile: Tile, limits: Window) -> None:
    theme = board.theme
    panel = Panel(board, index, limits, "")
    room = panel.right - panel.left
    if tile.field is None:
        panel.empty("no map")
    else:
        decision = Decision(tile.field, theme)
        x0, x1, y0, y1 = tile.field.window
        box = Bbox.from_extents(*panel.inches(x0, y0), *panel.inches(x1, y1))
        board.add(Raster(decision.pixels, board.inches, box), layer=0.5)
        panel.lines(decision.boundary, colour=theme.ink, width=0.9, cap="round", simplify=True)
    y, colour = panel.bottom - 0.14, theme.wrong if tile.bad else theme.ink
    value = shortened(tile.value, _SMALLEST, room * 0.7 * 72)
    left = room - width(value, _SMALLEST) / 72 - 0.06
    board.text(panel.right, y, value, size=_SMALLEST, colour=colour, align="right", limit=room)
    board.text(panel.left, y, tile.caption, size=_SMALLEST, colour=theme.muted, limit=left)


def _key(board: Board, classes: Sequence[str], count: int) -> None:
    """Colours of the classes, and what a colour's strength says."""
    theme, x, y = board.theme, board.key, board.top - 0.12
    if count < 2:
        return
    names = classes or [f"class {label}" for label in range(count)]
    tints = colours(np.ones(count), np.arange(count), count, theme)  # as on the maps
    for label in range(min(count, _MOST_CLASSES)):
        fill = tuple(tints[label].tolist())
        board.marker(x + 0.06, y + 0.04, shape="s", size=6.5, fill=fill, edge=fill, thickness=0.0)
        board.text(x + 0.19, y, plain(names[label]))
        y -= 0.2
    if count > _MOST_CLASSES:
        board.text(x + 0.19, y, f"and {count - _MOST_CLASSES} more", colour=theme.muted)
        y -= 0.2
    y -= 0.06
    board.line([(x - 0.01, y + 0.04), (x + 0.13, y + 0.04)], colour=theme.ink, width=1.1)
    board.text(x + 0.19, y, "decision boundary")
    height = 0.72
    if y - 0.6 - height < board.bottom - 0.05:
        return
    shown = min(count, 3)
    strength = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], shown, axis=1)
    strips = colours(strength, np.arange(shown), count, theme)
    marks = [(0.0, f"1/{count} undecided"), (1.0, "1 certain")]
    board.scale(y - 0.55, height, strips, marks, ["probability of the", "predicted class"])

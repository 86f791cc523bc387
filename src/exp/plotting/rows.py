"""Rows as markers: one shape and colour per class, filled for train, hollow for test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exp.plotting.panel import Panel
from exp.plotting.paper import Paper
from exp.plotting.picture import TEST, TRAIN, VALIDATION, Picture
from exp.plotting.sheet import KEY, Sheet
from exp.plotting.style import blend, marker, palette
from exp.plotting.text import plain

MOST = 5000  # markers per panel: more only cover each other


def drawn(picture: Picture, split: int) -> NDArray[np.intp]:
    """Which rows of a split are drawn: all, or `MOST` of them at even distances."""
    rows = np.flatnonzero(picture.split == split)
    if len(rows) <= MOST:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST).astype(np.intp)]


def size(picture: Picture) -> float:
    """The markers' diameter in points, the same in all panels of a picture."""
    most = min(MOST, max(int(np.bincount(picture.split, minlength=1).max(initial=1)), 1))
    return float(np.clip(5.9 * (150 / most) ** 0.21, 2.4, 6.8))


def scatter(panel: Panel, picture: Picture, split: int) -> None:
    """Draw the rows of one split, class by class."""
    rows = drawn(picture, split)
    labels = picture.labels[rows]
    points = size(picture)
    for label in np.unique(labels).tolist():
        places = picture.points[rows[labels == label]]
        panel.points(places, layer=4.0, **look(panel.sheet, picture, label, split, points))


def cross_out(panel: Panel, picture: Picture, split: int) -> None:
    """Mark the drawn rows of a split that are misclassified: a cross behind each, its class on top.

    They come after all other rows, so that neither is hidden.
    """
    rows = drawn(picture, split)
    rows = rows[picture.predicted[rows] != picture.labels[rows]]
    if not len(rows):
        return
    points = size(picture)
    # Where very many are wrong, shorter arms still let the classes be seen.
    arms = 4.6 * float(np.clip((100 / len(rows)) ** 0.25, 0.55, 1.0))
    theme, places = panel.sheet.theme, picture.points[rows]
    for colour, thickness, longer in ((theme.page, 2.6, 0.9), (theme.ink, 1.2, 0.0)):
        panel.points(
            places, layer=5.0, shape="x", size=points + arms + longer, thickness=thickness,
            fill=colour, edge=colour,
        )  # fmt: skip
    labels = picture.labels[rows]
    for label in np.unique(labels).tolist():
        style = look(panel.sheet, picture, label, split, points)
        panel.points(places[labels == label], layer=6.0, **style)


def crossed(sheet: Sheet, x: float, y: float) -> None:
    """A misclassified row of no class in particular, for the key."""
    theme = sheet.theme
    sheet.marker(x, y, shape="x", size=9.0, thickness=1.2, fill=theme.ink, edge=theme.ink)
    sheet.marker(x, y, shape="o", size=4.8, thickness=0.45, fill=theme.muted, edge=theme.page)


def look(
    sheet: Paper, picture: Picture, label: int, split: int, points: float
) -> dict[str, object]:
    """How a row of a class is drawn; `points` is its diameter."""
    colour = tuple(palette(len(picture.classes), sheet.theme)[label].tolist())
    shape, factor = marker(label)
    page = sheet.theme.page
    fill = {TEST: page, VALIDATION: blend(page, colour, 0.45)}.get(split, colour)
    hollow = split in (TEST, VALIDATION)
    return {
        "shape": shape,
        "size": points * factor,
        "fill": fill,
        "edge": colour if hollow else page,
        "thickness": (0.9 + points * 0.06) if hollow else 0.45,
    }


def window(picture: Picture) -> tuple[float, float, float, float]:
    """`(x0, x1, y0, y1)`: the grid's edges, or what holds all rows where there is no grid."""
    if len(picture.xs) > 1 and len(picture.ys) > 1:
        x, y = picture.xs, picture.ys
        return float(x[0]), float(x[-1]), float(y[0]), float(y[-1])
    if not len(picture.points):
        return -1.0, 1.0, -1.0, 1.0
    low = picture.points.min(axis=0).astype(np.float64)
    high = picture.points.max(axis=0).astype(np.float64)
    margin = np.where(high > low, (high - low) * 0.08, np.maximum(np.abs(low) * 1e-3, 1.0))
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    return x0, x1, y0, y1


def legend(sheet: Sheet, picture: Picture, *, top: float, floor: float) -> float:
    """The classes with their markers in the key, from `top` down to `floor` inches at most.

    Returns:
        Where the list ended, in inches.
    """
    count, room = len(picture.classes), top - floor
    pitch = min(0.215, max(room / count, 0.135))
    lines = max(1, int(room / pitch + 1e-6))
    columns = 1 if count <= lines else 2
    shown = min(count, lines * columns - (1 if count > lines * columns else 0))
    font = 8.5 if pitch > 0.18 else 7.0
    across = KEY / columns
    for place in range(shown):
        column, line = divmod(place, lines)
        x, y = sheet.key + 0.06 + column * across, top - line * pitch
        style = look(sheet, picture, place, TRAIN, 6.2 if pitch > 0.18 else 4.6)
        sheet.marker(x, y, **style)
        sheet.text(
            x + 0.13,
            y - font * 0.0052,
            plain(picture.classes[place]),
            size=font,
            limit=across - 0.2 + (0.15 if column == columns - 1 else 0.0),
        )
    if shown < count:
        x = sheet.key + across
        sheet.text(
            x, top - (lines - 1) * pitch - 0.04, f"and {count - shown} more",
            size=font, colour=sheet.theme.muted,
        )  # fmt: skip
    return top - min(shown, lines) * pitch

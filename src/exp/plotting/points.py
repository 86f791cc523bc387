"""Rows as markers: one shape and colour per class, filled for train, hollow for test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.picture import TEST, TRAIN, VALIDATION, Picture
from exp.plotting.style import THEMES, Colour, Theme, blend, marker, palette, wrapped

MOST = 5000  # markers per panel: more only cover each other
MOST_LISTED = 20  # classes in a legend
SPLITS = ((TRAIN, "train, filled"), (VALIDATION, "validation, pale"), (TEST, "test, hollow"))


def drawn(picture: Picture, split: int) -> NDArray[np.intp]:
    """Which rows of a split are drawn: all, or `MOST` of them at even distances."""
    rows = np.flatnonzero(picture.split == split)
    if len(rows) <= MOST:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST).astype(np.intp)]


def size(picture: Picture) -> float:
    """The markers' diameter in points, the same in all panels of a figure."""
    most = min(MOST, max(int(np.bincount(picture.split, minlength=1).max(initial=1)), 1))
    return float(np.clip(5.9 * (150 / most) ** 0.21, 2.4, 6.8))


def look(colour: Colour, split: int, points: float, theme: Theme) -> dict[str, Any]:
    """How a row is drawn, as arguments of `Axes.plot`; `points` is its diameter."""
    hollow = split in (TEST, VALIDATION)
    fill = {TEST: theme.page, VALIDATION: blend(theme.page, colour, 0.45)}.get(split, colour)
    return {
        "linestyle": "none",
        "marker": "o",
        "markersize": points,
        "markerfacecolor": fill,
        "markeredgecolor": colour if hollow else theme.page,
        "markeredgewidth": (0.9 + points * 0.06) if hollow else 0.45,
    }


def class_look(label: int, count: int, split: int, points: float, theme: Theme) -> dict[str, Any]:
    """How a row of a class is drawn, one of `count`."""
    red, green, blue = palette(count, theme)[label].tolist()
    shape, factor = marker(label)
    drawn = look((red, green, blue), split, points, theme)
    return drawn | {"marker": shape, "markersize": points * factor}


def scatter(axes: Axes, picture: Picture, split: int) -> None:
    """Draw the rows of one split, class by class."""
    rows, count, theme = drawn(picture, split), len(picture.classes), THEMES[picture.theme]
    labels, points = picture.labels[rows], size(picture)
    for label in np.unique(labels).tolist():
        x, y = picture.points[rows[labels == label]].T
        axes.plot(x, y, zorder=4, **class_look(label, count, split, points, theme))


def some(picture: Picture, split: int, most: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Each class of a split with the places of its rows: at most so many of all, at even
    distances."""
    rows = np.flatnonzero(picture.split == split)
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]
    labels = picture.labels[rows]
    for label in np.unique(labels).tolist():
        yield label, picture.points[rows[labels == label]]


def cross_out(axes: Axes, picture: Picture, split: int) -> None:
    """Mark the drawn rows of a split that are misclassified: a cross behind each, its class on top.

    They come after all other rows, so that neither is hidden.
    """
    rows, theme = drawn(picture, split), THEMES[picture.theme]
    rows = rows[picture.predicted[rows] != picture.labels[rows]]
    if not len(rows):
        return
    points, count = size(picture), len(picture.classes)
    # Where very many are wrong, shorter arms still let the classes be seen.
    arms = 4.6 * float(np.clip((100 / len(rows)) ** 0.25, 0.55, 1.0))
    x, y = picture.points[rows].T
    for colour, thickness, longer in ((theme.page, 2.6, 0.9), (theme.ink, 1.2, 0.0)):
        axes.plot(
            x, y, "x", color=colour, markersize=points + arms + longer, markeredgewidth=thickness,
            zorder=5,
        )  # fmt: skip
    labels = picture.labels[rows]
    for label in np.unique(labels).tolist():
        of_class = labels == label
        drawn_as = class_look(label, count, split, points, theme)
        axes.plot(x[of_class], y[of_class], zorder=6, **drawn_as)


def thinned(axes: Axes, picture: Picture, *splits: int) -> None:
    """Say in a panel how many of the rows of these splits are drawn, if not all, or that there are
    none."""
    total = int(np.isin(picture.split, splits).sum())
    shown = sum(len(drawn(picture, split)) for split in splits)
    if shown < total:
        layout.corner(axes, f"{shown:,} of {total:,} rows drawn")
    if not total:
        layout.corner(axes, "no rows")


def show_window(axes: Axes, picture: Picture) -> None:
    """Set a panel's limits and labels: those of the plane."""
    x0, x1, y0, y1 = window(picture)
    axes.set(xlim=(x0, x1), ylim=(y0, y1))
    axes.set_xlabel(wrapped(picture.axes[0], 56, 2))
    axes.set_ylabel(wrapped(picture.axes[1], 56, 2))


def window(picture: Picture) -> tuple[float, float, float, float]:
    """`(x0, x1, y0, y1)`: the grid's edges, or what holds all rows where there is no grid."""
    if picture.mapped:
        x, y = picture.xs, picture.ys
        return float(x[0]), float(x[-1]), float(y[0]), float(y[-1])
    if not len(picture.points):
        return -1.0, 1.0, -1.0, 1.0
    low = picture.points.min(axis=0).astype(np.float64)
    high = picture.points.max(axis=0).astype(np.float64)
    margin = np.where(high > low, (high - low) * 0.08, np.maximum(np.abs(low) * 1e-3, 1.0))
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    return x0, x1, y0, y1


def handles(classes: tuple[str, ...], theme: Theme, most: int = MOST_LISTED) -> list[Line2D]:
    """The classes with their markers for a legend, at most so many of them."""
    count = len(classes)
    shown = count if count <= most else most - 1
    found = [
        handle(wrapped(classes[label]), **class_look(label, count, TRAIN, 6.2, theme))
        for label in range(shown)
    ]
    return found if shown == count else [*found, handle(f"and {count - shown} more")]


def handle(label: str, **options: Any) -> Line2D:
    """An entry of a legend; without options, one of text alone."""
    return Line2D([], [], label=label, **(options or {"linestyle": "none"}))


def head(figure: Figure, count: int, theme: Theme) -> None:
    """The markers of the classes below the strips of `layout.scale`."""
    left, width = layout.right(figure) + 0.28, min(1.2, 0.22 * count)
    for label in range(count):
        look = class_look(label, count, TRAIN, 4.2, theme)
        x = left + width * (label + 0.5) / count
        marks = Line2D([x], [-0.11], transform=figure.transFigure, clip_on=False, **look)
        figure.add_artist(marks)


def misclassified(theme: Theme) -> Line2D:
    """A legend's entry for a misclassified row."""
    return handle(
        "misclassified", linestyle="none", marker="x", markersize=7.0, markeredgewidth=1.2,
        color=theme.ink,
    )  # fmt: skip

"""The confusion matrix: which class is taken for which."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from exp.plotting.numbers import percent
from exp.plotting.panel import Panel
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.raster import Pixels
from exp.plotting.sheet import Sheet
from exp.plotting.style import Theme, blend
from exp.plotting.text import shortened, width
from exp.plotting.ticks import thinned

_SIDE = 4.1  # inches
_MOST_COUNTS = 40  # classes: in more, a count would be smaller than can be read
_MOST_NAMES = 40
_LONGEST_NAME = 120  # points
_LIFT = 0.6  # the power that colours raise a share to, so that few mistakes can be seen as well


def sheet(picture: Picture) -> Sheet:
    """Counts and, as colour, the share of the true class; train and test side by side."""
    count = len(picture.classes)
    cell = _SIDE * 72 / count
    font = float(np.clip(cell * 0.62, 4.5, 8.5))
    named = thinned(count, _MOST_NAMES)
    names = [shortened(picture.classes[label], font, _LONGEST_NAME) for label in named]
    places = [float(label) for label in named]
    widest = max(width(name, font) for name in names)
    upright = widest > cell * 0.9
    page = Sheet(
        picture,
        panels=[_SIDE, _SIDE],
        height=_SIDE,
        left=0.48 + widest / 72,
        bottom=0.36 + (widest / 72 + 0.08 if upright else 0.22),
        gap=0.3,
    )
    ends = (-0.5, count - 0.5)
    for index, (split, title) in enumerate(((TRAIN, "train"), (TEST, "test"))):
        members = picture.split == split
        matrix = counts(picture.labels[members], picture.predicted[members], count)
        total, right = int(matrix.sum()), int(np.trace(matrix))
        remark = f"{right:,} of {total:,} right ({percent(right / total)})" if total else ""
        panel = Panel(page, index, (*ends, *ends[::-1]), title, remark)
        _cells(panel, matrix)
        panel.ticks(
            (places, names),
            (places, names if index == 0 else [""] * len(names)),
            size=font, marks=False, upright=upright,
        )  # fmt: skip
        panel.labels(
            "predicted class",
            "true class" if index == 0 else "",
            below=page.bottom - 0.17,
            beside=page.left - 0.22,
        )
        if not total:
            panel.empty("no rows")
    _key(page)
    return page


def counts(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], count: int
) -> NDArray[np.int64]:
    """`[count, count]`: rows of class i that are predicted as class j."""
    cells = np.bincount(labels.astype(np.int64) * count + predicted, minlength=count * count)
    return cells.reshape(count, count)


def _cells(panel: Panel, matrix: NDArray[np.int64]) -> None:
    theme, count = panel.sheet.theme, len(matrix)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    colours = _colours(share, np.eye(count, dtype=bool), theme)
    panel.image(Pixels(colours[::-1]))
    ends = (-0.5, count - 0.5)
    edges = np.arange(1, count) - 0.5
    panel.lines(
        [np.array([[edge, ends[0]], [edge, ends[1]]]) for edge in edges]
        + [np.array([[ends[0], edge], [ends[1], edge]]) for edge in edges],
        colour=theme.faint, width=0.6 if count <= 20 else 0.3,
    )  # fmt: skip
    if count > _MOST_COUNTS:
        return
    cell = _SIDE * 72 / count
    font = float(np.clip(cell / (0.75 * max(len(f"{matrix.max():,}"), 2.4)), 2.5, 11.0))
    with_share = count <= 6
    for i, j in np.argwhere(matrix).tolist():
        light = float(colours[i, j] @ np.array([0.299, 0.587, 0.114])) > 0.56
        ink = "#1d2530" if light else "#ffffff"
        x, y = panel.inches(j, i)
        y += 0.06 if with_share else 0.0
        panel.sheet.text(
            x, y - font * 0.005, f"{matrix[i, j]:,}", size=font, colour=ink, align="center"
        )
        if with_share:
            panel.sheet.text(
                x, y - 0.24, percent(share[i, j]), size=7.5, colour=blend(colours[i, j], ink, 0.8),
                align="center",
            )  # fmt: skip


def _colours(
    share: NDArray[np.float64], diagonal: NDArray[np.bool_], theme: Theme
) -> NDArray[np.float64]:
    page = np.array(to_rgb(theme.page))
    hue = np.where(
        diagonal[..., None], np.array(to_rgb(theme.right)), np.array(to_rgb(theme.wrong))
    )
    mixed: NDArray[np.float64] = page + (hue - page) * share[..., None] ** _LIFT
    return mixed


def _key(sheet: Sheet) -> None:
    share = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], 2, axis=1)
    columns = _colours(share, np.broadcast_to(np.array([True, False]), share.shape), sheet.theme)
    sheet.scale(
        sheet.bottom + 1.15,
        1.15,
        columns,
        [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")],
        ["share of the true class:", "blue right, red wrong"],
    )

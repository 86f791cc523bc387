"""The confusion matrix: which class is taken for which.

Drawn by hand: scikit-learn's ConfusionMatrixDisplay knows one colour scale, where this figure has
one for what is right and one for what is wrong, and its import takes a second in every run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.numbers import percent
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.style import THEMES, Theme, blend, wrapped

_SIDE = 4.1  # inches
_MOST = 40  # classes: of more only some are named, and counts would be too small to read
_POWER = 0.6  # that colours raise a share to, so that few mistakes can be seen as well


def draw(picture: Picture) -> Figure:
    """Counts and, as colour, the share of the true class; train and test side by side."""
    count, theme = len(picture.classes), THEMES[picture.theme]
    figure = layout.figure()
    ((left, right),) = layout.panels(figure, [_SIDE, _SIDE], [_SIDE])
    named = np.arange(0, count, max(1, -(-count // _MOST)))
    cell = _SIDE * 72 / count
    font = float(np.clip(cell * 0.62, 4.5, 8.5))
    lines = int(np.clip(cell / (font * 1.25), 1, 3))  # for which a cell has room
    names = [wrapped(picture.classes[label], 72 // lines, lines) for label in named]
    longest = max(len(line) for name in names for line in name.split("\n"))
    turned = longest * font * 0.62 > cell
    for axes, split, title in ((left, TRAIN, "train"), (right, TEST, "test")):
        members = picture.split == split
        matrix = counts(picture.labels[members], picture.predicted[members], count)
        total, correct = int(matrix.sum()), int(np.trace(matrix))
        remark = f"{correct:,} of {total:,} right ({percent(correct / total)})" if total else ""
        layout.title(axes, title, remark)
        _cells(axes, matrix, theme)
        axes.set_xticks(named, names, rotation=90 if turned else 0, size=font)
        axes.set_yticks(named, names, size=font)
        axes.tick_params(length=0)
        axes.set_xlabel("predicted class")
        if not total:
            layout.empty(axes, "no rows")
    left.set_ylabel("true class")
    layout.join(left, right)
    share = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], 2, axis=1)
    layout.scale(
        figure,
        _colours(share, np.broadcast_to(np.array([True, False]), share.shape), theme),
        [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")],
        "share of the true class:\nblue right, red wrong",
    )
    return figure


def counts(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], count: int
) -> NDArray[np.int64]:
    """`[count, count]`: rows of class i that are predicted as class j."""
    cells = np.bincount(labels.astype(np.int64) * count + predicted, minlength=count * count)
    return cells.reshape(count, count)


def _cells(axes: Axes, matrix: NDArray[np.int64], theme: Theme) -> None:
    count = len(matrix)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    colours = _colours(share, np.eye(count, dtype=bool), theme)
    axes.imshow(colours, origin="upper", interpolation="nearest")
    edges = np.arange(1, count) - 0.5
    thin = 0.6 if count <= 20 else 0.3
    axes.hlines(edges, -0.5, count - 0.5, colors=theme.faint, linewidths=thin)
    axes.vlines(edges, -0.5, count - 0.5, colors=theme.faint, linewidths=thin)
    if count > _MOST:
        return
    cell = _SIDE * 72 / count
    font = float(np.clip(cell / (0.75 * max(len(f"{matrix.max():,}"), 2.4)), 2.5, 11.0))
    for i, j in np.argwhere(matrix).tolist():
        light = float(colours[i, j] @ np.array([0.299, 0.587, 0.114])) > 0.56
        ink = "#1d2530" if light else "#ffffff"
        shift = 0.06 * count / _SIDE if count <= 6 else 0.0
        style: dict[str, Any] = {"ha": "center", "va": "center"}
        axes.text(j, i - shift, f"{matrix[i, j]:,}", size=font, color=ink, **style)
        if count <= 6:
            quiet = blend(colours[i, j], ink, 0.8)
            below = i + 0.2 * count / _SIDE - shift
            axes.text(j, below, percent(share[i, j]), size=7.5, color=quiet, **style)


def _colours(
    share: NDArray[np.float64], right: NDArray[np.bool_], theme: Theme
) -> NDArray[np.float64]:
    """RGB `[..., 3]`: the page at a share of 0, the colour for right or for wrong at 1."""
    page, hues = np.array(to_rgb(theme.page)), (to_rgb(theme.right), to_rgb(theme.wrong))
    hue = np.where(right[..., None], *map(np.array, hues))
    mixed: NDArray[np.float64] = page + (hue - page) * share[..., None] ** _POWER
    return mixed

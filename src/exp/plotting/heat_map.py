"""A heat map: the mean of a metric for every pair of values of two parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.levels import Levels
from exp.plotting.metric import Metric
from exp.plotting.style import NORMAL, Theme, plain, wrapped

_CELL = (0.92, 0.52)  # inches
_LARGEST = (8.4, 6.6)  # inches of the whole table: of more cells, each is smaller
_READABLE = 0.34  # inches: the least width of a cell with a number
_COLOURS = colormaps["cividis"]  # its lightness rises evenly; good for any colour vision


def draw(
    across: Levels,
    up: Levels,
    mean: NDArray[np.float64],
    counts: NDArray[np.integer],
    metric: Metric,
    theme: Theme,
    *,
    best: tuple[int, int] | None = None,
    note: str = "",
) -> Figure:
    """One cell for each pair of values.

    Args:
        across, up: the parameters of the columns and of the rows.
        mean: `[rows, columns]`, the first row at the top; NaN where no run has a finite value.
        counts: `[rows, columns]`, the number of runs of each mean.
        best: row and column of the cell to mark.
    """
    down, columns = mean.shape
    cell = min(_CELL[0], _LARGEST[0] / columns), min(_CELL[1], _LARGEST[1] / down)
    figure = layout.figure()
    axes = layout.axes(figure, 0.0, 0.0, cell[0] * columns, cell[1] * down)
    finite = mean[np.isfinite(mean)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    shares = (mean - low) / (high - low) if high > low else np.where(np.isfinite(mean), 0.5, np.nan)
    axes.set_facecolor(theme.page)
    axes.patch.set(hatch="////", edgecolor=theme.faint)  # seen where a mean is missing
    axes.imshow(np.ma.masked_invalid(shares), cmap=_COLOURS, vmin=0.0, vmax=1.0, origin="upper")
    names = []
    for levels, room in zip((across, up), cell, strict=True):
        lines = int(np.clip(room / 0.14, 1, 3))
        names.append([wrapped(label, 60 // lines, lines) for label in levels.labels])
    longest = max(len(line) for name in names[0] for line in name.split("\n"))
    upright = longest * 0.075 + 0.1 > cell[0]
    axes.set_xticks(range(columns), names[0], rotation=90 if upright else 0)
    axes.set_yticks(range(down), names[1])
    axes.set(xlabel=plain(across.name), ylabel=plain(up.name))
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(1, columns) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, down) - 0.5, minor=True)
    thick = 1.2 if cell[0] > 0.3 else 0.4
    axes.grid(True, which="minor", color=theme.page, linewidth=thick)
    axes.tick_params(which="minor", length=0)
    axes.set_axisbelow(False)
    _numbers(axes, mean, counts, metric, shares, cell, theme)
    if best is not None:
        row, column = best
        for colour, width in ((theme.page, 4.0), (theme.ink, 2.0)):
            frame = Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, fill=False, zorder=7)
            frame.set(edgecolor=colour, linewidth=width)
            axes.add_patch(frame)
    if high > low:
        steps = _COLOURS(np.linspace(0.0, 1.0, 64)[:, None])[..., :3]
        marks = [(share, metric.text(low + share * (high - low))) for share in (0.0, 0.5, 1.0)]
        height = min(1.3, cell[1] * down - 0.2)
        layout.scale(figure, steps, marks, f"mean {metric.title}", height=max(0.5, height))
    layout.note(figure, note, below=0.6 + upright * 0.075 * max(map(len, names[0])))
    return figure


def _numbers(
    axes: Axes,
    mean: NDArray[np.float64],
    counts: NDArray[np.integer],
    metric: Metric,
    shares: NDArray[np.float64],
    cell: tuple[float, float],
    theme: Theme,
) -> None:
    """The means in the cells, with the number of runs where that varies."""
    widest = max((len(metric.text(value)) for value in mean[np.isfinite(mean)].tolist()), default=1)
    size = float(min(NORMAL, (cell[0] - 0.08) * 72 / widest / 0.62, cell[1] * 72 * 0.6))
    if cell[0] < _READABLE or size < 4.5:
        return
    with_count = cell[1] > 0.38 and len(set(counts[counts > 0].tolist())) > 1
    for row, column in np.ndindex(*mean.shape):
        middle: dict[str, Any] = {"ha": "center", "va": "center"}
        if not np.isfinite(mean[row, column]):
            text = "no value" if counts[row, column] else "no run"
            box = {"fc": theme.page, "ec": "none", "pad": 1.0}
            axes.text(column, row, text, size=min(size, 7.0), color=theme.muted, bbox=box, **middle)
            continue
        light = np.dot(_COLOURS(shares[row, column])[:3], [0.299, 0.587, 0.114]) > 0.5
        ink = "#1d2530" if light else "#ffffff"
        lift = 0.13 if with_count else 0.0
        text = metric.text(float(mean[row, column]))
        axes.text(column, row - lift, text, size=size, color=ink, **middle)
        if with_count:
            number = int(counts[row, column])
            about = f"{number} runs" if number != 1 else "1 run"
            axes.text(column, row + 0.25, about, size=6.5, color=ink, **middle)

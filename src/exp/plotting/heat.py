"""A heat map: the mean of a metric for every pair of values of two parameters."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from exp.plotting.board import Board, Look
from exp.plotting.levels import Levels
from exp.plotting.metric import Metric
from exp.plotting.panel import Panel
from exp.plotting.raster import Pixels
from exp.plotting.text import NORMAL, SMALL, shortened, width

_CELL, _KEY = (0.92, 0.52), 1.5  # inches
_LARGEST = (8.4, 6.6)  # inches of the whole table: of more cells, each is smaller
_LONGEST = 150.0  # points of a label
_READABLE = 0.34  # inches that a cell with numbers is wide


def sheet(
    across: Levels,
    up: Levels,
    mean: NDArray[np.float64],
    counts: NDArray[np.integer],
    metric: Metric,
    look: Look,
    *,
    heading: str,
    remark: str,
    note: str = "",
    best: tuple[int, int] | None = None,
) -> Board:
    """One cell for each pair of values.

    Args:
        across, up: the parameters of the columns and of the rows.
        mean: `[rows, columns]`, the first row at the top; NaN where no run has a finite value.
        counts: `[rows, columns]`, how many runs stand behind each mean, or 0.
        best: row and column of the cell to mark.
    """
    down, columns = mean.shape
    cell = min(_CELL[0], _LARGEST[0] / columns), min(_CELL[1], _LARGEST[1] / down)
    names = [shortened(label, SMALL, _LONGEST) for label in up.labels]
    beside = max((width(name, SMALL) for name in names), default=0.0) / 72
    ends = [shortened(label, SMALL, _LONGEST) for label in across.labels]
    widest = max((width(label, SMALL) for label in ends), default=0.0) / 72
    upright = widest + 0.1 > cell[0]
    room = widest + 0.1 if upright else 0.2
    board = Board(
        [(0.0, 0.0, cell[0] * columns, cell[1] * down)],
        heading=heading, remark=remark, look=look, key=_KEY, note=note,
        edge=(beside + 0.42, room + 0.22), titled=False,
    )  # fmt: skip
    panel = Panel(board, 0, (-0.5, columns - 0.5, down - 0.5, -0.5), "")
    scale = _scale(mean)
    panel.image(Pixels(_pixels(mean, scale, board)[::-1]))
    gaps = [np.array([[x, -0.5], [x, down - 0.5]]) for x in np.arange(1, columns) - 0.5]
    gaps += [np.array([[-0.5, y], [columns - 0.5, y]]) for y in np.arange(1, down) - 0.5]
    thick = 1.2 if cell[0] > 0.3 else 0.4
    panel.lines(gaps, colour=board.theme.page, width=thick)
    kept = [float(place) for place in range(columns)], ends
    panel.ticks(
        kept, ([float(place) for place in range(down)], names), marks=False, upright=upright
    )
    panel.labels(across.name, up.name, below=room + 0.22, beside=beside + 0.24)
    _numbers(panel, mean, counts, metric, scale, cell)
    if best is not None:
        _marked(panel, best)
    _key(board, metric, scale, mean)
    return board


def _scale(mean: NDArray[np.float64]) -> tuple[float, float]:
    finite = mean[np.isfinite(mean)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def _shares(mean: NDArray[np.float64], scale: tuple[float, float]) -> NDArray[np.float64]:
    low, high = scale
    if not high > low:
        return np.where(np.isfinite(mean), 0.5, np.nan)
    return (mean - low) / (high - low)


def _coloured(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """cividis: its lightness rises evenly, and it looks the same with any colour vision."""
    return np.asarray(colormaps["cividis"](np.nan_to_num(shares, nan=0.0))[..., :3])


def _pixels(
    mean: NDArray[np.float64], scale: tuple[float, float], board: Board
) -> NDArray[np.float64]:
    """`[rows * 24, columns * 24, 3]`: cells in colour, those without a value striped."""
    shares = _shares(mean, scale)
    cells = np.repeat(np.repeat(shares, 24, axis=0), 24, axis=1)
    y, x = np.indices(cells.shape)
    page, faint = np.array(to_rgb(board.theme.page)), np.array(to_rgb(board.theme.faint))
    stripes = np.asarray((x + y) % 12 < 4)[..., None]
    striped = np.where(stripes, faint, page)
    return np.where(np.isfinite(cells)[..., None], _coloured(cells), striped)


def _numbers(
    panel: Panel,
    mean: NDArray[np.float64],
    counts: NDArray[np.integer],
    metric: Metric,
    scale: tuple[float, float],
    cell: tuple[float, float],
) -> None:
    texts = [metric.text(value) for value in mean[np.isfinite(mean)].tolist()]
    widest = max((width(text, NORMAL) for text in texts), default=1.0) / 72
    size = float(min(NORMAL, NORMAL * (cell[0] - 0.08) / widest, cell[1] * 72 * 0.6))
    if cell[0] < _READABLE or size < 4.5:
        return
    colours = _coloured(_shares(mean, scale))
    with_count = cell[1] > 0.38 and len(set(counts[counts > 0].tolist())) > 1
    for row, column in np.ndindex(*mean.shape):
        x, y = panel.inches(column, row)
        if not np.isfinite(mean[row, column]):
            text, ink = ("no value" if counts[row, column] else "no run"), panel.sheet.theme.muted
            panel.sheet.text(
                x, y - 0.04, text, size=min(size, 7.0), colour=ink, align="center", limit=cell[0]
            )
            continue
        light = float(colours[row, column] @ np.array([0.299, 0.587, 0.114])) > 0.5
        ink = "#1d2530" if light else "#ffffff"
        text = metric.text(float(mean[row, column]))
        lift = 0.06 if with_count else 0.0
        panel.sheet.text(x, y + lift - size * 0.005, text, size=size, colour=ink, align="center")
        if with_count:
            about = f"{counts[row, column]} runs" if counts[row, column] != 1 else "1 run"
            panel.sheet.text(x, y - 0.14, about, size=6.5, colour=ink, align="center")


def _marked(panel: Panel, best: tuple[int, int]) -> None:
    row, column = best
    x0, x1, y0, y1 = column - 0.48, column + 0.48, row - 0.46, row + 0.46
    frame = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
    for colour, thick in ((panel.sheet.theme.page, 4.0), (panel.sheet.theme.ink, 2.0)):
        panel.lines([frame], layer=7.0, colour=colour, width=thick, join="miter", cap="projecting")


def _key(
    board: Board, metric: Metric, scale: tuple[float, float], mean: NDArray[np.float64]
) -> None:
    if np.isfinite(mean).any() and scale[1] > scale[0]:
        height = min(1.3, max(0.5, board.top - board.bottom - 0.4))
        strip = _coloured(np.linspace(0.0, 1.0, 64)[:, None])
        middle = (scale[0] + scale[1]) / 2
        marks = [(0.0, scale[0]), (0.5, middle), (1.0, scale[1])]
        said = [(share, metric.text(value)) for share, value in marks]
        board.scale(
            board.top - 0.22, height, strip, said, [f"mean {metric.title}"],
        )  # fmt: skip

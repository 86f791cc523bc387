"""A metric against each swept parameter: every run a point, mean and interval for each value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp.plotting.board import Board, Look, rows
from exp.plotting.levels import Levels
from exp.plotting.metric import Metric
from exp.plotting.panel import Panel
from exp.plotting.style import blend
from exp.plotting.text import SMALL, shortened, width

_COLUMNS, _SIZE, _ALONE = 3, (3.3, 2.7), (5.4, 3.0)  # inches; alone: of a single panel
_LONGEST = 80.0  # points of a turned label
_GOLDEN = 0.6180339887498949  # its multiples fill an interval evenly


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect:
    """A parameter and what the metric is for each of its C values.

    Attributes:
        levels: the parameter's values.
        mean, low, high: `[C]`, the mean and the ends of its interval; NaN where there is none.
    """

    levels: Levels
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def sheet(
    effects: Sequence[Effect],
    scores: NDArray[np.float64],
    metric: Metric,
    look: Look,
    *,
    heading: str,
    remark: str,
    note: str = "",
) -> Board:
    """A panel for each parameter, all with the same scale of the metric.

    Args:
        scores: `[runs]`, the metric of each run; NaN where it has none.
    """
    columns, size = min(_COLUMNS, max(len(effects), 1)), _SIZE if len(effects) > 1 else _ALONE
    below = 0.16 + max((_room_below(effect.levels, size[0]) for effect in effects), default=0.0)
    scale = _limits(scores, effects, metric)
    beside = max((width(label, SMALL) for label in metric.ticks(*scale)[1]), default=0.0) / 72
    board = Board(
        rows(len(effects), columns, size, (0.4 + beside, 0.4 + below)),
        heading=heading, remark=remark, look=look, note=note, edge=(beside + 0.2, below),
    )  # fmt: skip
    for index, effect in enumerate(effects):
        _panel(board, index, effect, scores, metric, scale)
    return board


def _room_below(levels: Levels, wide: float) -> float:
    """Inches that the labels of an axis take."""
    (_, labels), upright = levels.ticks(wide)
    if not upright:
        return 0.16
    return max(width(shortened(label, SMALL, _LONGEST), SMALL) for label in labels) / 72 + 0.04


def _limits(
    scores: NDArray[np.float64], effects: Sequence[Effect], metric: Metric
) -> tuple[float, float]:
    """Ends of the axis of the metric: it holds all runs, and intervals that are not very wide."""
    finite = scores[np.isfinite(scores)]
    if not len(finite):
        return metric.limits(finite)
    low, high = float(finite.min()), float(finite.max())
    most = (high - low) / 2
    ends = np.concatenate([end for effect in effects for end in (effect.low, effect.high)])
    ends = ends[np.isfinite(ends)].clip(low - most, high + most)
    return metric.limits(np.concatenate([finite, ends.clip(0.0, 1.0) if metric.share else ends]))


def _panel(
    board: Board,
    index: int,
    effect: Effect,
    scores: NDArray[np.float64],
    metric: Metric,
    scale: tuple[float, float],
) -> None:
    theme, levels = board.theme, effect.levels
    limits = (*levels.limits, *scale)
    panel = Panel(board, index, limits, levels.name, "log scale" if levels.log else "")
    wide = panel.right - panel.left
    (places, labels), upright = levels.ticks(wide)
    room = _LONGEST if upright else wide * 72 / max(len(labels), 1) - 4
    labels = [shortened(label, SMALL, room) for label in labels]
    panel.ticks((places, labels), metric.ticks(*scale), grid=True, upright=upright)
    finite = np.flatnonzero(np.isfinite(scores))
    if not len(finite):
        panel.empty("no finite value")
        return
    every = levels.places
    reach = (limits[1] - limits[0]) * (0.3 / len(every) if levels.numbers is None else 0.02)
    # The same run stands at the same side of its value in every panel.
    if len(every) == len(scores):  # nothing to tell apart
        reach = 0.0
    shift = ((finite * _GOLDEN) % 1.0 * 2.0 - 1.0) * reach
    points = np.column_stack([every[levels.codes[finite]] + shift, scores[finite]])
    size = float(np.clip(5.0 * (60 / len(finite)) ** 0.2, 2.2, 5.0))
    dot = blend(theme.page, theme.train, 0.65)
    panel.points(points, layer=3.0, shape="o", size=size, fill=dot, edge=theme.page, thickness=0.3)
    known = np.flatnonzero(np.isfinite(effect.mean))
    means = np.column_stack([every[known], effect.mean[known]])
    bars = [
        [(every[place], effect.low[place]), (every[place], effect.high[place])]
        for place in known.tolist()
        if np.isfinite(effect.low[place])
    ]
    colour = theme.test
    if levels.numbers is not None and len(known) > 1:
        panel.lines([means], layer=4.0, colour=colour, width=1.0, alpha=0.6)
    panel.lines(bars, layer=5.0, colour=colour, width=2.0)
    panel.points(means, layer=6.0, shape="D", size=5.4, fill=colour, edge=theme.page, thickness=0.6)

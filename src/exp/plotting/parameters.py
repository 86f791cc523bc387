"""A metric against each swept parameter: a point for each run, mean and interval for each value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.levels import Levels
from exp.plotting.metric import Metric
from exp.plotting.style import Theme, blend

_COLUMNS, _SIZE, _SINGLE = 3, (3.3, 2.7), (5.4, 3.0)  # inches; single: of one panel
_GOLDEN = 0.6180339887498949  # its multiples fill an interval evenly


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect:
    """A parameter, and the metric for each of its C values.

    Attributes:
        levels: the parameter's values.
        mean, low, high: `[C]`, the mean and the ends of its interval; NaN where there is none.
    """

    levels: Levels
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def draw(
    effects: Sequence[Effect],
    scores: NDArray[np.float64],
    metric: Metric,
    theme: Theme,
    note: str = "",
) -> Figure:
    """A panel for each parameter, all with the same scale of the metric.

    Args:
        scores: `[runs]`, NaN for a run without a score.
    """
    columns = min(_COLUMNS, len(effects))
    wide, high = _SIZE if len(effects) > 1 else _SINGLE
    figure = layout.figure()
    longest = max(len(label) for effect in effects for label in effect.levels.labels)
    below = 0.7 + (min(longest, 20) * 0.075 if longest > 6 else 0.0)
    lines = -(-len(effects) // columns)
    rows = layout.panels(figure, [wide] * columns, [high] * lines, gap=(0.85, below))
    panels = [axes for row in rows for axes in row]
    for axes in panels[len(effects) :]:
        axes.remove()
    scale = _limits(scores, effects, metric)
    for axes, effect in zip(panels, effects, strict=False):
        _panel(axes, effect, scores, theme)
        metric.scale(axes, scale)
    if note:
        layout.note(figure, note, below=below - 0.2)
    return figure


def _limits(
    scores: NDArray[np.float64], effects: Sequence[Effect], metric: Metric
) -> tuple[float, float]:
    """Ends of the axis of the metric: all runs, and intervals that are not very wide."""
    finite = scores[np.isfinite(scores)]
    if not len(finite):
        return metric.limits(finite)
    low, high = float(finite.min()), float(finite.max())
    most = (high - low) / 2
    ends = np.concatenate([end for effect in effects for end in (effect.low, effect.high)])
    ends = ends[np.isfinite(ends)].clip(low - most, high + most)
    return metric.limits(np.concatenate([finite, ends.clip(0.0, 1.0) if metric.share else ends]))


def _panel(axes: Axes, effect: Effect, scores: NDArray[np.float64], theme: Theme) -> None:
    levels = effect.levels
    layout.title(axes, levels.name, "log scale" if levels.log else "")
    axes.grid(True)
    levels.scale(axes)
    finite = np.flatnonzero(np.isfinite(scores))
    if not len(finite):
        layout.empty(axes, "no finite value")
        return
    x = levels.places
    low, high = axes.get_xlim()
    reach = (high - low) * (0.3 / len(x) if levels.numbers is None else 0.02)
    if len(x) == len(scores):  # one run for each value
        reach = 0.0
    # A run is on the same side of its value in every panel.
    shift = ((finite * _GOLDEN) % 1.0 * 2.0 - 1.0) * reach
    size = float(np.clip(5.0 * (60 / len(finite)) ** 0.2, 2.2, 5.0))
    dot: dict[str, Any] = {"color": blend(theme.page, theme.train, 0.65), "markersize": size}
    axes.plot(x[levels.codes[finite]] + shift, scores[finite], "o", zorder=3, mew=0.0, **dot)
    known = np.isfinite(effect.mean)
    look: dict[str, Any] = {"color": theme.test, "zorder": 5}
    if levels.numbers is not None:
        axes.plot(x[known], effect.mean[known], linewidth=1.0, alpha=0.6, **look)
    axes.vlines(x[known], effect.low[known], effect.high[known], linewidth=2.0, **look)
    edge = {"markersize": 5.4, "markeredgecolor": theme.page, "markeredgewidth": 0.6}
    axes.plot(x[known], effect.mean[known], "D", **look | edge)

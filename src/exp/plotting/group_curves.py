"""Learning curves of groups of runs: the mean of each, and its confidence interval."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.metric import Metric
from exp.plotting.points import handle
from exp.plotting.style import Theme, line, wrapped

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """One metric of one group over the epochs.

    Attributes:
        epochs: `[E]`, increasing.
        mean: `[E]`, NaN where there is none.
        low, high: `[E]`, the ends of the interval; NaN where there is none.
        runs: `[n, E]`, single runs that are drawn thin; may be empty.
    """

    epochs: Values
    mean: Values
    low: Values
    high: Values
    runs: Values


@dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """Runs that differ only in their seeds.

    Attributes:
        name: their common values.
        about: how many there are, and how they ended.
        curves: metric -> curve.
    """

    name: str
    about: str
    curves: dict[str, Curve]


def draw(
    groups: Sequence[Group], metrics: Sequence[Metric], theme: Theme, log: Collection[str] = ()
) -> Figure:
    """A panel for each metric, a line for each group.

    Args:
        groups: the best first; as many as can be distinguished.
        log: the metrics with a logarithmic scale.
    """
    figure = layout.figure()
    (row,) = layout.panels(figure, [4.2] * max(len(metrics), 1), [3.3], gap=(0.75, 0.0))
    for axes, metric in zip(row, metrics, strict=False):
        curves = [group.curves.get(metric.name) for group in groups]
        _panel(axes, metric, curves, theme, log=metric.name in log)
    entries = [
        handle(
            f"{wrapped(group.name, 40)}\n{wrapped(group.about, 44)}", **line(i, len(groups), theme)
        )
        for i, group in enumerate(groups)
    ]
    layout.legend(row[-1], entries)
    return figure


def _panel(
    axes: Axes, metric: Metric, curves: Sequence[Curve | None], theme: Theme, *, log: bool
) -> None:
    known = [curve for curve in curves if curve is not None and len(curve.epochs)]
    # The interval may reach beyond the axis.
    shown = np.concatenate(
        [np.zeros(0), *(_drawable(np.append(each.mean, each.runs)) for each in known)]
    )
    finite = shown[np.isfinite(shown)]
    layout.title(axes, metric.title, "log scale, geometric mean" if log else "")
    if not len(finite):
        layout.empty(axes, "no finite value")
        axes.set(xticks=[], yticks=[])
        return
    axes.grid(True)
    # The best group is drawn last, above the others.
    for place, curve in reversed(list(enumerate(curves))):
        if curve is None or not len(curve.epochs):
            continue
        style = line(place, len(curves), theme)
        for run in curve.runs:
            axes.plot(curve.epochs, _drawable(run), color=style["color"], linewidth=0.6, alpha=0.35)
        low, high = _drawable(curve.low), _drawable(curve.high)
        band = 0.22 if len(known) < 4 else 0.12
        axes.fill_between(curve.epochs, low, high, color=style["color"], alpha=band, linewidth=0)
        mean = _drawable(curve.mean)
        single = {"marker": "o"} if np.isfinite(mean).sum() == 1 else {}
        axes.plot(curve.epochs, mean, zorder=5, **style | single)
    first = min(float(curve.epochs[0]) for curve in known)
    last = max(float(curve.epochs[-1]) for curve in known)
    layout.epochs(axes, first, last)
    if log:
        lowest, highest = metric.limits(np.log10(finite))
        axes.set_ylim(10**lowest, 10 ** min(highest, 303.0))
        layout.log_scale(axes)
    else:
        lowest, highest = metric.limits(finite)
        metric.scale(axes, (lowest, 1.015 if metric.share else highest))


def _drawable(values: Values) -> Values:
    """NaN where a value is not finite, or so large that no margin can be added."""
    return np.where(np.abs(values) < 1e300, values, np.nan)

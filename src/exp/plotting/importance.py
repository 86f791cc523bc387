"""Which columns matter: how much worse a score becomes when a column is shuffled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from exp.plotting import layout
from exp.plotting.numbers import number
from exp.plotting.style import THEMES, Theme, plain, wrapped

MOST = 20
"""Columns that are shown."""
_WIDTH, _STEP = 5.2, 0.26  # inches


def draw(
    names: Sequence[str],
    means: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    label: str,
    note: str,
    theme: Theme = THEMES["light"],
) -> Figure:
    """A dot and an interval for each column.

    Args:
        names: of the columns, the most important one first.
        means: how much worse the score becomes.
        lows, highs: the ends of the intervals.
        label: what the numbers are.
        note: what the reader must know.
    """
    count = min(len(names), MOST)
    figure = layout.figure()
    axes = layout.axes(figure, 0.0, 0.0, _WIDTH, max(count, 2) * _STEP)
    places = np.arange(count)
    axes.grid(True, axis="x")
    axes.axvline(0.0, color=theme.muted, linewidth=0.9)
    axes.hlines(places, lows[:count], highs[:count], color=theme.test, linewidth=1.6, alpha=0.6)
    axes.plot(means[:count], places, "o", color=theme.test, markersize=5.2)
    axes.set_yticks(places, [wrapped(name, 40, 2) for name in names[:count]])
    axes.tick_params(axis="y", length=0, labelcolor=theme.ink)
    axes.set_ylim(max(count, 2) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.set_xlabel(plain(label, 80))
    layout.title(axes, "importance of the columns")
    more = (
        f"{len(names) - count} less important columns are not shown" if len(names) > count else ""
    )
    layout.note(figure, note, more)
    return figure

"""Activations and their derivatives, each in a panel, all on the same scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.numbers import number
from exp.plotting.points import handle
from exp.plotting.style import Theme

LIMITS = (-4.0, 4.0, -2.0, 4.0)
"""Of every panel: x from, to, y from, to."""
_COLUMNS, _SIZE, _GAP = 4, (2.4, 1.8), (0.5, 0.62)
_JUMP = 0.3  # a derivative that changes by more from one point to the next has a step there


@dataclass(frozen=True, eq=False, kw_only=True)
class Function:
    """One activation.

    Attributes:
        name: as in a config.
        about: its parameters, as text; may be empty.
        x, y, slope: `[points]` each, the derivative last.
    """

    name: str
    about: str
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    slope: NDArray[np.floating]


def apart(one: Function, other: Function) -> tuple[float, float]:
    """The largest difference of two functions at the same points, and of their derivatives."""
    return (
        float(np.abs(one.y.astype(np.float64) - other.y).max()),
        float(np.abs(one.slope.astype(np.float64) - other.slope).max()),
    )


def draw(functions: Sequence[Function], theme: Theme, *, same: Sequence[Function] = ()) -> Figure:
    """Each function with its derivative.

    Args:
        same: two that should be the same: they come last, with their difference in a third panel.
    """
    figure = layout.figure()
    # The three panels of `same` are in one row.
    start = len(functions)
    if same and start % _COLUMNS > _COLUMNS - 3:
        start += -start % _COLUMNS
    used = [*range(len(functions)), *(range(start, start + 3) if same else ())]
    lines = -(-(max(used, default=0) + 1) // _COLUMNS)
    rows = layout.panels(figure, [_SIZE[0]] * _COLUMNS, [_SIZE[1]] * lines, gap=_GAP)
    panels = [axes for row in rows for axes in row]
    for index, axes in enumerate(panels):
        if index not in used:
            axes.remove()
    looks = {
        "function": {"color": theme.test, "linewidth": 1.8},
        "derivative": {
            "color": theme.validation, "linewidth": 1.5, "linestyle": (0, (4, 1.6)),
        },
    }  # fmt: skip
    for index, function in zip(used, (*functions, *same), strict=False):
        axes = panels[index]
        layout.title(axes, function.name, function.about)
        axes.grid(True)
        axes.axhline(0.0, color=theme.muted, linewidth=0.6, alpha=0.6)
        axes.axvline(0.0, color=theme.muted, linewidth=0.6, alpha=0.6)
        axes.plot(function.x, function.y, zorder=4, **looks["function"])
        steps = np.flatnonzero(np.abs(np.diff(function.slope)) > _JUMP) + 1
        x, slope = (np.insert(v.astype(np.float64), steps, np.nan)
                    for v in (function.x, function.slope))  # fmt: skip
        axes.plot(x, slope, zorder=5, **looks["derivative"])
        axes.set(xlim=LIMITS[:2], ylim=LIMITS[2:])
    if same:
        _difference(panels[used[-1]], *same, theme=theme)
    entries = [handle(name, **look) for name, look in looks.items()]
    layout.legend(panels[_COLUMNS - 1 if _COLUMNS - 1 in used else used[-1]], entries)
    layout.heading(
        figure, "Activations and their derivatives", remark="the same scale in every panel"
    )
    return figure


def _difference(axes: Axes, one: Function, other: Function, *, theme: Theme) -> None:
    """The difference of two functions, on a scale of its own."""
    gap = other.y.astype(np.float64) - one.y
    largest = apart(one, other)[0]
    layout.title(axes, "difference", f"at most {number(largest)}" if largest else "none")
    axes.axhline(0.0, color=theme.muted, linewidth=0.6)
    axes.plot(one.x, gap, "o", color=theme.wrong, markersize=1.6, markeredgewidth=0.0)
    reach = largest * 1.5 or 1.0
    axes.set(xlim=LIMITS[:2], ylim=(-reach, reach))
    marks = [-largest, 0.0, largest] if largest else [0.0]
    axes.set_yticks(marks, [number(mark) if mark else "0" for mark in marks])
    axes.yaxis.tick_right()
    layout.corner(axes, f"{other.name} minus {one.name}, in float32")

"""Profiles: for each method, the share of data sets or runs that are within x, as a step curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.numbers import number
from exp.plotting.points import handle
from exp.plotting.style import Theme, line, plain, wrapped

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """
    Attributes:
        name: of the method.
        about: a number that sums it up, for the legend; may be empty.
        x: `[steps]`, increasing.
        share: `[steps]`, from each x on, 0 to 1.
    """

    name: str
    about: str
    x: Values
    share: Values


def draw(
    curves: Sequence[Curve],
    theme: Theme,
    *,
    title: str,
    x_label: str,
    y_label: str,
    begin: float,
    end: float,
    log: bool = False,
    remark: str = "",
    note: str = "",
) -> Figure:
    """A step curve for each method; higher and farther to the left is better.

    Args:
        curves: the best first.
        begin, end: of the horizontal axis.
        log: the horizontal axis is logarithmic; `begin` is greater than 0 then.
    """
    figure = layout.figure()
    axes = layout.axes(figure, 0.0, 0.0, 5.6, max(3.6, 0.36 * len(curves)))
    if log:
        axes.set_xscale("log")
        axes.minorticks_off()
        ticks = _round_numbers(begin, end)
        axes.set_xticks(ticks, [number(x) for x in ticks])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    margin = (end - begin) * 0.02
    axes.set_xlim(begin if log else begin - margin, end)
    axes.set_ylim(-0.015, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.grid(True)
    # The best method is drawn last, above the others.
    for place, curve in reversed(list(enumerate(curves))):
        shown = curve.x < end
        x = np.concatenate([[begin], curve.x[shown], [end]])
        share = np.concatenate([[0.0], curve.share[shown]])
        share = np.append(share, share[-1])
        style = line(place, len(curves), theme) | {"linewidth": 1.8}
        axes.step(x, share, where="post", zorder=5, **style)
    axes.set(xlabel=plain(x_label, 90), ylabel=plain(y_label, 60))
    entries = [
        handle(
            "\n".join(
                [wrapped(curve.name, 40), *([wrapped(curve.about, 50)] if curve.about else [])]
            ),
            **line(place, len(curves), theme) | {"linewidth": 1.8},
        )
        for place, curve in enumerate(curves)
    ]
    layout.legend(axes, entries)
    layout.heading(figure, title, remark=remark, above=0.16)
    layout.note(figure, note)
    return figure


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2, 5, 10 and so on: those between the ends of a logarithmic axis, at most ten."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 3, 4, 5), (1, 2, 5), (1,)):
        found = [step * 10.0**power for power in powers for step in steps]
        found = [each for each in found if low <= each <= high * (1 + 1e-9)]
        if len(found) <= 10:
            return found
    return found[:: -(-len(found) // 10)]

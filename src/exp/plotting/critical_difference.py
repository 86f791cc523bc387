"""The critical-difference diagram: methods on a line by their mean rank over data sets, and bars
over those that the test cannot tell apart.

J. Demšar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine
Learning Research 7, 2006.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exp.plotting import layout
from exp.plotting.style import NORMAL, SMALL, Theme, line, wrapped

_WIDTH = 6.6  # inches of the line
_MOST_WIDTH = 9.0
_STEP = 0.27  # inches between two names
_BAR = 0.13  # inches between two bars
_LONGEST = 60  # characters of a name


def draw(
    names: Sequence[str],
    mean_ranks: Sequence[float],
    bars: Sequence[tuple[int, int]],
    theme: Theme,
    *,
    difference: float | None = None,
    note: str = "",
) -> Figure:
    """The best method at the left; half of the names at each side.

    Args:
        names: of the methods, the best first.
        mean_ranks: `[methods]`, increasing.
        bars: the first and the last method of each row of methods that do not differ.
        difference: the critical difference, drawn as a scale above the line.
    """
    count = len(names)
    left = math.ceil(count / 2)
    width = min(_MOST_WIDTH, _WIDTH + 0.12 * max(0, count - 8))
    bars_end = 0.14 + _BAR * len(bars)
    depth = bars_end + 0.16 + _STEP * left
    above = 0.62 if difference is not None else 0.36
    figure = layout.figure()
    axes = layout.axes(figure, 0.0, 0.0, width, depth + above)
    # Inches, with the line at a height of 0.
    axes.set(xlim=(0.0, width), ylim=(-depth, above))
    axes.set_axis_off()
    first, last = 1, max(count, 2)

    def place(rank: float) -> float:
        return (rank - first) / (last - first) * width

    _line(axes, [place(rank) for rank in range(first, last + 1)], width, theme)
    for at, (name, rank) in enumerate(zip(names, mean_ranks, strict=True)):
        x, on_left = place(rank), at < left
        row = at if on_left else count - 1 - at
        y = -(bars_end + 0.16 + _STEP * row)
        end = -0.12 if on_left else width + 0.12
        colour = line(0, 2, theme)["color"] if at == 0 else theme.muted
        axes.plot(
            [x, x, end], [0.0, y, y], color=colour, linewidth=1.3 if at == 0 else 0.9,
            clip_on=False, solid_joinstyle="miter", zorder=3,
        )  # fmt: skip
        axes.plot([x], [0.0], "o", color=colour, markersize=4.2, clip_on=False, zorder=5)
        text = wrapped(name, _LONGEST, 1)
        side, gap = ("right", -0.06) if on_left else ("left", 0.06)
        label = f"{text}  {rank:.2f}" if on_left else f"{rank:.2f}  {text}"
        axes.text(
            end + gap, y, label, ha=side, va="center", size=NORMAL, color=theme.ink,
            weight="bold" if at == 0 else "normal",
        )  # fmt: skip
    for row, (one, other) in enumerate(bars):
        y = -(0.14 + _BAR * row)
        ends = [place(mean_ranks[one]) - 0.05, place(mean_ranks[other]) + 0.05]
        axes.plot(
            ends, [y, y], color=theme.ink, linewidth=3.4, clip_on=False, zorder=6,
            solid_capstyle="butt",
        )  # fmt: skip
    if difference is not None:
        _scale(axes, place(first + difference), width, difference, theme)
    layout.note(figure, note, below=0.16)
    return figure


def _line(axes: Axes, ticks: Sequence[float], width: float, theme: Theme) -> None:
    """The line of ranks, with a mark at each."""
    axes.plot([0.0, width], [0.0, 0.0], color=theme.ink, linewidth=1.1, clip_on=False, zorder=4)
    every = -(-len(ticks) // 20)
    for at, x in enumerate(ticks):
        long = at % every == 0
        axes.plot([x, x], [0.0, 0.08 if long else 0.05], color=theme.ink, linewidth=0.9, zorder=4)
        if long:
            axes.text(x, 0.13, str(at + 1), ha="center", size=SMALL, color=theme.muted)


def _scale(axes: Axes, end: float, width: float, difference: float, theme: Theme) -> None:
    """The critical difference as a length, above the line."""
    y = 0.48
    # One that is longer than the line says that no two methods differ.
    end = min(end, width)
    axes.plot([0.0, end], [y, y], color=theme.ink, linewidth=1.1, clip_on=False)
    for x in (0.0, end):
        axes.plot([x, x], [y - 0.05, y + 0.05], color=theme.ink, linewidth=1.1, clip_on=False)
    text = f"critical difference {difference:.2f}"
    axes.text(end + 0.08, y, text, va="center", size=SMALL, color=theme.muted)

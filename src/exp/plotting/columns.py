"""The columns of a table, each in a small panel: how its values differ between classes, or how the
target depends on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.numbers import number
from exp.plotting.style import THEMES, Theme, blend, palette, wrapped

MOST = 12
"""Panels of a figure, that of the target included."""
_ACROSS = 4
_WIDTH, _HEIGHT = 2.35, 1.55  # inches of a panel
_BARS = 6  # categories or classes with a bar of their own
_CLASSES = 7  # classes with a colour of their own
_DOTS = 1500  # rows of a scatter plot
_BINS = 10  # of the median line

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table.

    Attributes:
        name: of it.
        values: [rows] numbers, days since 1970-01-01, or the places of categories in `texts`; NaN
            where a value is missing.
        texts: the categories, or the classes of a target; None: the values are numbers or dates.
        date: whether they are days.
    """

    name: str
    values: Values
    texts: tuple[str, ...] | None = None
    date: bool = False

    @property
    def missing(self) -> int:
        return int(np.isnan(self.values).sum())


def draw(target: Column, columns: Sequence[Column], theme: Theme = THEMES["light"]) -> Figure:
    """The target, then the columns, as many as there is room for.

    Args:
        columns: the most important ones first.
    """
    shown = list(columns[: MOST - 1])
    count = 1 + len(shown)
    across = min(_ACROSS, count)
    rows = -(-count // across)
    figure = layout.figure()
    grid = layout.panels(figure, [_WIDTH] * across, [_HEIGHT] * rows, gap=(0.95, 0.8))
    panels = [axes for row in grid for axes in row]
    for axes in panels[count:]:
        axes.remove()
    first, *others = panels[:count]
    layout.title(first, wrapped(target.name, 30, 2), "target")
    if target.texts is None:
        _histogram(first, target, theme)
    else:
        target = _few_classes(target)
        _bars(first, target, target, theme)
    for axes, column in zip(others, shown, strict=True):
        layout.title(axes, wrapped(column.name, 30, 2), _missing(column))
        if column.missing == len(column.values):
            layout.empty(axes, "no values")
            continue
        if target.texts is None:
            (_against if column.texts is None else _ranges)(axes, column, target, theme)
        else:
            (_by_class if column.texts is None else _bars)(axes, column, target, theme)
    layout.note(figure, _key(target), _left_over(len(columns) - len(shown)))
    return figure


def _missing(column: Column) -> str:
    share = column.missing / max(len(column.values), 1)
    return f"{max(share * 100, 0.1):.2g} % missing" if share else ""


def _key(target: Column) -> str:
    if target.texts is None:
        return (
            "dots: rows, line: median of the target; of categories: median, and from the lower to "
            "the upper quartile"
        )
    return (
        "numbers: the share of the rows of each class; categories: rows, in the colours of the "
        "classes"
    )


def _left_over(count: int) -> str:
    return f"{count} less important columns are not shown" if count > 0 else ""


def _few_classes(target: Column) -> Column:
    """A target of at most `_CLASSES` classes, the most frequent ones first: all others are one."""
    assert target.texts is not None
    counts = np.bincount(target.values.astype(int), minlength=len(target.texts))
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order))
    place[order] = np.arange(len(order))
    names = [target.texts[at] for at in order]
    if len(names) > _CLASSES:
        place = np.minimum(place, _CLASSES - 1)
        names = [*names[: _CLASSES - 1], f"{len(names) - _CLASSES + 1} others"]
    return Column(target.name, place[target.values.astype(int)], tuple(names))


def _colours(target: Column, theme: Theme) -> list[tuple[float, ...]]:
    count = len(target.texts or ())
    return [tuple(colour) for colour in palette(max(count, 2), theme).tolist()][:count]


def _bars(axes: Axes, column: Column, target: Column, theme: Theme) -> None:
    """Rows of each category, divided by class."""
    assert column.texts is not None
    assert target.texts is not None
    names, groups = _frequent(column)
    left = np.zeros(len(names))
    for label, colour in enumerate(_colours(target, theme)):
        members = groups[(target.values == label) & (groups >= 0)]
        counts = np.bincount(members, minlength=len(names)).astype(float)
        axes.barh(np.arange(len(names)), counts, 0.72, left, color=colour, alpha=0.85, linewidth=0)
        left += counts
    _categories(axes, names)
    _numbers(axes)
    axes.set_xlim(0, left.max() * 1.03)
    axes.set_xlabel("rows")


def _ranges(axes: Axes, column: Column, target: Column, theme: Theme) -> None:
    """The target of the rows of each category: median and quartiles."""
    names, groups = _frequent(column)
    for at in range(len(names)):
        low, middle, high = np.quantile(target.values[groups == at], (0.25, 0.5, 0.75))
        axes.plot([low, high], [at, at], color=theme.test, linewidth=4.5, alpha=0.35)
        axes.plot([middle], [at], "o", color=theme.test, markersize=4.5)
    _categories(axes, names)
    _numbers(axes)
    axes.set_xlabel(wrapped(target.name, 32, 2))


def _frequent(column: Column) -> tuple[list[str], NDArray[np.int64]]:
    """The names of the most frequent categories, and for each row the place of its own; -1 where
    it is missing."""
    assert column.texts is not None
    codes = np.where(np.isnan(column.values), -1, column.values).astype(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(column.texts))
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    place = np.full(len(column.texts) + 1, -1)
    place[order] = np.arange(len(order))
    names = [column.texts[at] for at in order]
    if len(names) > _BARS:
        place = np.where(place >= _BARS - 1, _BARS - 1, place)
        names = [*names[: _BARS - 1], f"{len(names) - _BARS + 1} others"]
    return names, place[codes]


def _categories(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [wrapped(name, 14, 2) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(names), 3) - 0.4, -0.6)


def _numbers(axes: Axes, *, whole: bool = False) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=whole))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _written(value)))


def _written(value: float) -> str:
    """A number; without a separator where it may be a year."""
    return f"{value:.0f}" if value % 1 == 0 and abs(value) < 10_000 else number(value)


def _horizontal(axes: Axes, column: Column, ends: tuple[float, float]) -> None:
    """The horizontal axis of a column of numbers or dates."""
    if column.date:
        locator = AutoDateLocator(maxticks=4)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        form = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(form)
    else:
        there = column.values[~np.isnan(column.values)]
        _numbers(axes, whole=bool((there % 1 == 0).all()))
    axes.set_xlim(*ends)


def _ends(values: Values) -> tuple[float, float]:
    """Between which values most rows lie: all, unless a few are far away."""
    there = values[np.isfinite(values)]
    if not len(there):
        return 0.0, 1.0
    low, high = float(there.min()), float(there.max())
    inner = np.quantile(there, (0.01, 0.99))
    if high - low > 4 * (inner[1] - inner[0]) > 0:
        low, high = map(float, inner)
    margin = (high - low) * 0.03 or max(abs(high) * 0.1, 0.5)
    return low - margin, high + margin


def _edges(values: Values, ends: tuple[float, float]) -> Values:
    """The edges of the bins: one for each whole number where there are few."""
    within = values[(values >= ends[0]) & (values <= ends[1])]
    different = np.unique(within)
    if 0 < len(different) <= 12 and (different % 1 == 0).all() and np.ptp(different) <= 24:
        return np.arange(different.min() - 0.5, different.max() + 1.0)
    count = len(np.histogram_bin_edges(within, "auto")) - 1 if len(within) else 1
    return np.linspace(*ends, int(np.clip(count, 8, 30)) + 1)


def _histogram(axes: Axes, column: Column, theme: Theme) -> None:
    ends = _ends(column.values)
    edges = _edges(column.values, ends)
    axes.hist(column.values, edges.tolist(), color=theme.test, alpha=0.75, linewidth=0)
    _horizontal(axes, column, (min(ends[0], edges[0]), max(ends[1], edges[-1])))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.set_ylabel("rows")


def _by_class(axes: Axes, column: Column, target: Column, theme: Theme) -> None:
    """How the values of each class are distributed."""
    ends = _ends(column.values)
    edges = _edges(column.values, ends)
    for label, colour in enumerate(_colours(target, theme)):
        values = column.values[target.values == label]
        counts, _ = np.histogram(values[~np.isnan(values)], edges)
        share = counts / max(counts.sum(), 1)
        fill = (*blend(theme.page, colour, 0.9), 0.22)  # type: ignore[arg-type]
        axes.stairs(share, edges, fill=True, facecolor=fill, linewidth=0)
        axes.stairs(share, edges, edgecolor=colour, linewidth=1.3)
    _horizontal(axes, column, (min(ends[0], edges[0]), max(ends[1], edges[-1])))
    axes.set_ylim(0, None)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.3g} %"))


def _against(axes: Axes, column: Column, target: Column, theme: Theme) -> None:
    """The target over a column of numbers, with its median in bins of equally many rows."""
    there = np.flatnonzero(~np.isnan(column.values))
    x, y = column.values[there], target.values[there]
    ends, heights = _ends(x), _ends(target.values)
    some = np.random.default_rng(0).permutation(len(x))[:_DOTS]
    style: dict[str, Any] = {"color": theme.test, "markersize": 2.6, "markeredgewidth": 0.0}
    axes.plot(
        x[some], y[some], "o", alpha=float(np.clip(60 / len(some) ** 0.75, 0.12, 0.6)), **style
    )
    bins = np.unique(np.quantile(x, np.linspace(0, 1, _BINS + 1)))
    if len(bins) > 1:
        at = np.clip(np.searchsorted(bins, x, side="right") - 1, 0, len(bins) - 2)
        used = [n for n in range(len(bins) - 1) if (at == n).any()]
        middle = [float(np.median(x[at == n])) for n in used]
        axes.plot(middle, [float(np.median(y[at == n])) for n in used], color=theme.ink, lw=1.4)
    _horizontal(axes, column, ends)
    axes.set_ylim(*heights)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _written(value)))

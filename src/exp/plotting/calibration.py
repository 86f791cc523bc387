"""Calibration: whether what the model calls 80 % probable comes true in 80 of 100 cases."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from exp.plotting import layout
from exp.plotting.numbers import number, percent
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.points import handle
from exp.plotting.scores import BINS, Calibration, calibration
from exp.plotting.style import THEMES, Theme, plain, wrapped

_SIDE, _COUNTS = 3.5, 0.95  # inches
_DOT = {"marker": "o", "markersize": 5.2, "markeredgewidth": 0.6}


def draw(picture: Picture) -> Figure:
    """A reliability diagram, and how many rows each of its points stands for, for both splits."""
    theme, positive = THEMES[picture.theme], picture.positive
    name, share = "the predicted class", "share of right predictions"
    if positive is not None:
        name = f"class {plain(picture.classes[positive], 200)}"
        share = f"share of {name}"
    figure = layout.figure()
    uppers, lowers = layout.panels(figure, [_SIDE, _SIDE], [_SIDE, _COUNTS], gap=(0.34, 0.16))
    for upper, lower, split, title in zip(
        uppers, lowers, (TRAIN, TEST), ("train", "test"), strict=True
    ):
        members = picture.split == split
        if members.any() and len(picture.scores):
            found = calibration(
                picture.labels[members],
                picture.predicted[members],
                picture.scores[members],
                positive,
            )
            remark = f"{found.counts.sum():,} rows, calibration error {percent(found.error)}"
            layout.title(upper, title, remark)
            _curve(upper, found, theme)
            _bars(lower, found, theme)
        else:
            layout.title(upper, title)
            layout.empty(upper, "no rows" if not members.any() else "no probabilities")
        for axes in (upper, lower):
            axes.grid(True)
            axes.set_xlim(-0.025, 1.025)
        upper.set(ylim=(-0.025, 1.025), xlabel="", ylabel=wrapped(share, 48))
        upper.tick_params(labelbottom=False)
        lower.set(xlabel=wrapped(f"probability of {name}", 48), ylabel="rows, log")
    _logarithmic(lowers)
    layout.join(*uppers)
    layout.join(*lowers)
    _key(uppers[1], theme, binary=positive is not None)
    layout.note(figure, f"{BINS} bins of equal width; bars: 95 % Wilson intervals")
    return figure


def _curve(axes: Axes, found: Calibration, theme: Theme) -> None:
    from sklearn.calibration import CalibrationDisplay  # its import takes a second

    some = found.counts > 0
    x, y = found.predicted[some], found.observed[some]
    axes.vlines(x, found.low[some], found.high[some], colors=theme.test, alpha=0.55, zorder=3)
    display = CalibrationDisplay(prob_true=y, prob_pred=x, y_prob=x, estimator_name="model")
    dots = {"color": theme.test, "markeredgecolor": theme.page, "linewidth": 1.4, "zorder": 4}
    display.plot(ax=axes, ref_line=False, **dots, **_DOT)
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    axes.axline((0, 0), slope=1, color=theme.muted, linewidth=0.8, linestyle=(0, (2, 3)))
    axes.set_aspect("auto")


def _bars(axes: Axes, found: Calibration, theme: Theme) -> None:
    places = np.flatnonzero(found.counts)
    left, width = places / BINS + 0.006, 1 / BINS - 0.012
    axes.bar(left, found.counts[places], width, align="edge", color=theme.test, alpha=0.75)


def _logarithmic(lowers: list[Axes]) -> None:
    """Half a row is the floor: one row is still a bar."""
    most = max(axes.get_ylim()[1] for axes in lowers)
    for axes in lowers:
        axes.set_yscale("log")
        axes.set_ylim(0.5, max(most, 2.0) * 1.2)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.minorticks_off()


def _key(axes: Axes, theme: Theme, *, binary: bool) -> None:
    meaning = "below the diagonal: the\nmodel is too sure of itself;\nabove: not sure enough"
    if binary:
        meaning = "below the diagonal: rarer\nthan predicted;\nabove: more often"
    dots = {"color": theme.test, "markeredgecolor": theme.page, "linewidth": 1.4}
    entries = [
        handle("rows of a bin", **dots, **_DOT),
        handle("perfectly calibrated", color=theme.muted, linewidth=0.8, linestyle=(0, (2, 3))),
    ]
    layout.legend(axes, entries)
    width = float(axes.get_position().width)
    axes.text(
        1 + 0.28 / width, 1 - 0.62 / _SIDE, meaning, transform=axes.transAxes, va="top", size=8.0,
        color=theme.muted, linespacing=1.4,
    )  # fmt: skip

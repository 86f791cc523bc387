"""The figures of a bench, of all its optimizers and data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from exp.cli.bench.standings import Comparison
from exp.plotting import critical_difference, performance_profile
from exp.plotting.layout import encode
from exp.plotting.performance_profile import Curve
from exp.plotting.style import Theme, settings
from exp.report.statistics.profiles import MOST_RATIO, profile, profile_score
from exp.report.statistics.ranks import cliques, nemenyi
from exp.report.statistics.ranks import critical_difference as difference

END = 30.0
"""Where the axis of ratios ends, at most."""


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes:
        name: of its file.
        caption: what it shows.
        draw: draws it in the colours of a theme.
    """

    name: str
    caption: str
    draw: Callable[[Theme], Figure]

    def encoded(self, theme: str, suffix: str = "svg") -> bytes:
        with settings(theme) as colours:
            return encode(self.draw(colours), suffix, dpi=110)


def pictures(found: Comparison) -> Iterator[Picture]:
    """Those that can be drawn: of ranks with three optimizers or more, of times with targets."""
    if found.friedman is not None:
        caption = (
            "Mean rank over data sets by test accuracy; 1 is the best. Bars join optimizers that "
            "Nemenyi's test does not tell apart (5 %)."
        )
        yield Picture("ranks", caption, lambda theme: ranks(found, theme))
    if found.aimed:
        caption = (
            "The share of data sets on which an optimizer reaches the target in at most x times "
            "the gradients of the fastest, in the median over seeds."
        )
        yield Picture("profiles", caption, lambda theme: profiles(found, theme))
        caption = (
            "The share of all runs that have reached the target after a part of the budget; each "
            "data set counts the same."
        )
        yield Picture("times", caption, lambda theme: times(found, theme))


def ranks(found: Comparison, theme: Theme) -> Figure:
    mean = found.ranked.mean(axis=0)
    order = np.argsort(mean, kind="stable")
    p = nemenyi(found.ranked)[np.ix_(order, order)]
    return critical_difference.draw(
        [found.optimizers[place] for place in order],
        mean[order].tolist(),
        cliques(mean[order], p),
        theme,
        difference=difference(len(order), len(found.datasets)),
    )


def profiles(found: Comparison, theme: Theme) -> Figure:
    scores = [profile_score(column) for column in found.ratios.T]
    order = np.argsort(-np.array(scores), kind="stable")
    finite = found.ratios[np.isfinite(found.ratios)]
    curves = [
        curve(found.optimizers[place], f"score {scores[place]:.2f}", found.ratios[:, place])
        for place in order
    ]
    return performance_profile.draw(
        curves,
        theme,
        title="Time to target",
        x_label="gradients, relative to the fastest optimizer",
        y_label="data sets",
        begin=1.0,
        end=float(min(END, max(finite.max(initial=0.0), MOST_RATIO))),
        log=True,
        remark=f"score: mean height up to {MOST_RATIO:g} times the fastest (AlgoPerf)",
    )


def times(found: Comparison, theme: Theme) -> Figure:
    shares = found.times / found.budgets[:, :, None]
    reached = np.isfinite(shares).mean(axis=(0, 2))
    curves = [
        curve(found.optimizers[place], f"{reached[place]:.0%} in the end", shares[:, place])
        for place in np.argsort(-reached, kind="stable")
    ]
    return performance_profile.draw(
        curves,
        theme,
        title="Runs at the target",
        x_label="part of the budget",
        y_label="runs",
        begin=0.0,
        end=1.0,
    )


def curve(name: str, about: str, values: np.ndarray) -> Curve:
    found = profile(values.ravel())
    return Curve(name=name, about=about, x=found.x, share=found.share)

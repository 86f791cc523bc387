"""What runs that differ only in their seeds predict together, and where they disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import decision_map, layout
from exp.plotting.decision_map import DecisionMap, colours
from exp.plotting.field import Field
from exp.plotting.points import handle
from exp.plotting.style import Theme, wrapped

_SIDE = 4.1  # inches
_MOST_CLASSES = 8
LARGEST = 0.5  # no standard deviation of numbers between 0 and 1 is larger


def spread(fields: NDArray[np.floating]) -> NDArray[np.float64]:
    """`[G, G]`: the standard deviation, over the runs, of the probability of the class that they
    predict together.

    Args:
        fields: `[runs, K, G, G]`.
    """
    together = fields.mean(axis=0).argmax(axis=0)
    chosen = np.take_along_axis(fields, together[None, None], axis=1)[:, 0]
    return np.asarray(chosen.std(axis=0), dtype=np.float64)


def draw(
    fields: Sequence[Field],
    theme: Theme,
    *,
    classes: Sequence[str],
    axes: tuple[str, str],
    note: str = "",
) -> Figure:
    """The mean map with its boundary, and the spread with the boundary of every run.

    Args:
        fields: of the runs, all on one grid; at least one.
    """
    every = np.stack([field.probabilities for field in fields])
    mean = Field(xs=fields[0].xs, ys=fields[0].ys, probabilities=every.mean(axis=0))
    together = DecisionMap(mean, theme)
    figure = layout.figure()
    ((left, right),) = layout.panels(figure, [_SIDE] * 2, [_SIDE])
    layout.title(left, "mean probability", f"of {len(fields)} runs")
    together.shade(left)
    together.outline(left, certain=True)
    layout.title(right, "spread", "standard deviation over the runs")
    decision_map.fill(right, mean, _shades(spread(every)))
    faint = float(np.clip(4 / len(fields), 0.12, 0.6))
    single = [line for field in fields for line in DecisionMap(field, theme).boundary]
    decision_map.lines(right, single, colors=["#ffffff"], linewidths=0.7, alpha=faint)
    together.outline(right, width=1.8, colors=["#ffffff"])
    x0, x1, y0, y1 = mean.window
    for panel in (left, right):
        panel.set(
            xlim=(x0, x1),
            ylim=(y0, y1),
            xlabel=wrapped(axes[0], 56, 2),
            ylabel=wrapped(axes[1], 56, 2),
        )
    layout.join(left, right)
    count = len(mean.probabilities)
    tints = colours(np.ones(count), np.arange(count), count, theme)
    entries = [
        handle(wrapped(name), marker="s", linestyle="none", color=tints[label])
        for label, name in enumerate(classes[:_MOST_CLASSES])
    ]
    if len(classes) > _MOST_CLASSES:
        entries.append(handle(f"and {len(classes) - _MOST_CLASSES} more"))
    entries.append(handle("boundary", color=theme.ink, linewidth=1.6))
    dashes = (0, (4, 3))
    entries.append(handle("probability 0.9", color=theme.ink, linewidth=0.8, linestyle=dashes))
    layout.legend(right, entries)
    marks = [(0.0, "0 agreed"), (0.5, "0.25"), (1.0, "0.5 half and half")]
    strip = _shades(np.linspace(0.0, LARGEST, 64)[:, None])
    layout.scale(figure, strip, marks, "spread; white: mean\nboundary; thin:\nsingle runs")
    layout.note(figure, note)
    return figure


def _shades(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(colormaps["cividis"](np.clip(values / LARGEST, 0.0, 1.0))[..., :3])

"""What runs that differ only in their seeds say together, and where they disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from exp.plotting.board import Board, Look, rows
from exp.plotting.decision import Decision, colours
from exp.plotting.field import Field
from exp.plotting.panel import Panel, beside
from exp.plotting.raster import Pixels
from exp.plotting.text import plain
from exp.plotting.ticks import linear

_SIDE, _KEY = 4.1, 1.65
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


def sheet(
    fields: Sequence[Field],
    look: Look,
    *,
    classes: Sequence[str],
    axes: tuple[str, str],
    heading: str,
    remark: str,
    note: str = "",
) -> Board:
    """The mean map with its boundary, and the spread with the boundary of every run.

    Args:
        fields: of the runs, all on one grid; at least one.
    """
    xs, ys = fields[0].xs, fields[0].ys
    every = np.stack([field.probabilities for field in fields])
    mean = Field(xs=xs, ys=ys, probabilities=every.mean(axis=0))
    limits = mean.window
    across, up = linear(*limits[:2], room=_SIDE), linear(*limits[2:])
    aside = beside(up)
    board = Board(
        rows(2, 2, (_SIDE, _SIDE), (0.34, 0.0)),
        heading=heading, remark=remark, look=look, key=_KEY, note=note, edge=(aside + 0.1, 0.5),
    )  # fmt: skip
    theme = board.theme
    together = Decision(mean, theme)
    panel = Panel(board, 0, limits, "mean probability", f"of {len(fields)} runs")
    panel.ticks(across, up)
    panel.labels(*axes, beside=aside)
    panel.image(together.pixels)
    panel.lines(
        together.certain, colour=theme.ink, width=0.8, alpha=0.5, dashes=(4, 3), simplify=True
    )
    panel.lines(together.boundary, colour=theme.ink, width=1.6, cap="round", simplify=True)

    panel = Panel(board, 1, limits, "spread", "standard deviation over the runs")
    panel.ticks(across, (up[0], [""] * len(up[0])))
    panel.labels(axes[0], "")
    panel.image(Pixels(_heat(spread(every)), nodes=True))
    alone = [line for field in fields for line in Decision(field, theme).boundary]
    faint = float(np.clip(4 / len(fields), 0.12, 0.6))
    panel.lines(alone, colour="#ffffff", width=0.7, alpha=faint, cap="round", simplify=True)
    panel.lines(together.boundary, colour="#ffffff", width=1.8, cap="round", simplify=True)
    _key(board, classes, len(mean.probabilities))
    return board


def _heat(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(colormaps["cividis"](np.clip(values / LARGEST, 0.0, 1.0))[..., :3])


def _key(board: Board, classes: Sequence[str], count: int) -> None:
    theme, x, y = board.theme, board.key, board.top - 0.2
    for label, name in enumerate(classes[:8]):
        tint = colours(np.ones(1), np.array([label]), count, theme)[0]
        fill = tuple(tint.tolist())
        board.marker(x + 0.06, y + 0.04, shape="s", size=8.0, fill=fill, edge=fill, thickness=0.0)
        board.text(x + 0.2, y, plain(name))
        y -= 0.2
    if len(classes) > 8:
        board.text(x + 0.2, y, f"and {len(classes) - 8} more", colour=theme.muted)
        y -= 0.2
    y -= 0.06
    for text, style in (
        ("boundary", {"width": 1.6}),
        ("probability 0.9", {"width": 0.8, "dashes": (4, 3)}),
    ):
        board.line([(x, y + 0.04), (x + 0.26, y + 0.04)], colour=theme.ink, **style)
        board.text(x + 0.34, y, text)
        y -= 0.2
    strip = _heat(np.linspace(0.0, LARGEST, 64)[:, None])
    marks = [(0.0, "0 agreed"), (0.5, "0.25"), (1.0, "0.5 split in halves")]
    lines = ["spread; white: the", "boundary, thin: of", "each run by itself"]
    board.scale(board.bottom + 1.15, 1.15, strip, marks, lines)

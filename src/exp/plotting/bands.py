"""Learning curves of groups of runs: a mean line for each, and how sure it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.plotting.board import Board, Look, rows
from exp.plotting.metric import Metric
from exp.plotting.panel import Panel
from exp.plotting.style import palette
from exp.plotting.text import SMALL
from exp.plotting.ticks import linear, logarithmic

Values = NDArray[np.float64]

_SIZE, _GAP, _KEY = (4.2, 3.3), (0.75, 0.6), 2.7
_DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.2, 1.4), (5, 1.4, 1.2, 1.4))


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """One metric of one group over the epochs; powers of ten where the metric's scale is
    logarithmic.

    Attributes:
        epochs: `[E]`, increasing.
        mean: `[E]`, NaN where there is none.
        low, high: `[E]`, the ends of the band; NaN where there is none.
        runs: `[n, E]`, single runs that are drawn thin; may be empty.
    """

    epochs: Values
    mean: Values
    low: Values
    high: Values
    runs: Values


@dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """Runs that differ in nothing but their seeds.

    Attributes:
        name: what they have in common.
        about: how many they are, and how they ended.
        curves: metric -> curve.
    """

    name: str
    about: str
    curves: dict[str, Curve]


def sheet(
    groups: Sequence[Group],
    metrics: Sequence[Metric],
    look: Look,
    *,
    heading: str,
    remark: str,
    note: str = "",
    log: Collection[str] = (),
) -> Board:
    """A panel for each metric, a line for each group.

    Args:
        groups: the best first; as many as can be told apart.
        metrics: of which the groups have curves.
        log: those of them whose curves are given as powers of ten.
    """
    places = rows(max(len(metrics), 1), max(len(metrics), 1), _SIZE, _GAP)
    board = Board(
        places, heading=heading, remark=remark, look=look, key=_KEY, note=note, edge=(0.55, 0.5)
    )
    for index, metric in enumerate(metrics):
        curves = [group.curves.get(metric.name) for group in groups]
        _panel(board, index, metric, curves, metric.name in log)
    _key(board, groups)
    return board


def _panel(
    board: Board, index: int, metric: Metric, curves: Sequence[Curve | None], log: bool
) -> None:
    there = [curve for curve in curves if curve is not None and len(curve.epochs)]
    finite = np.concatenate([np.zeros(0), *(_shown(curve) for curve in there)])
    if not len(finite):
        Panel(board, index, (0.0, 1.0, 0.0, 1.0), metric.title).empty("no finite value")
        return
    first = min(float(curve.epochs[0]) for curve in there)
    last = max(float(curve.epochs[-1]) for curve in there)
    pad = (last - first) * 0.025 or 1.0
    low, high = metric.limits(finite)
    if metric.share:
        high = 1.015
    panel = Panel(
        board,
        index,
        (first - pad, last + pad, low, high),
        metric.title,
        "log scale, geometric mean" if log else "",
    )
    across = linear(first - pad, last + pad, room=_SIZE[0])
    panel.ticks(across, logarithmic(low, high) if log else metric.ticks(low, high), grid=True)
    panel.labels("epoch", "", below=0.38)
    # The best is drawn last, on top of the others.
    for place, curve in reversed(list(enumerate(curves))):
        if curve is not None and len(curve.epochs):
            _curve(
                panel,
                curve,
                _style(board, place, len(curves)),
                0.22 if len(there) < 4 else 0.12,
            )


def _shown(curve: Curve) -> Values:
    """The finite values that an axis holds; a band may reach beyond it."""
    every = _drawable(np.concatenate([curve.mean, curve.runs.ravel()]))
    return every[np.isfinite(every)]


def _drawable(values: Values) -> Values:
    """NaN for what is none: the last numbers before infinity cannot even be given a margin."""
    return np.where(np.abs(values) < 1e300, values, np.nan)


def _curve(panel: Panel, curve: Curve, style: dict[str, Any], alpha: float) -> None:
    thin = [np.column_stack([curve.epochs, _drawable(run)]) for run in curve.runs]
    colour = style["colour"]
    panel.lines(thin, layer=2.0, colour=colour, width=0.6, alpha=0.35, simplify=True)
    low, high = _drawable(curve.low), _drawable(curve.high)
    for piece in _pieces(np.isfinite(low) & np.isfinite(high)):
        x = curve.epochs[piece]
        outline = np.concatenate(
            [np.column_stack([x, low[piece]]), np.column_stack([x, high[piece]])[::-1]]
        )
        panel.fill(outline, colour=colour, alpha=alpha, layer=3.0)
    line = np.column_stack([curve.epochs, _drawable(curve.mean)])
    panel.lines([line], layer=5.0, simplify=True, **style)
    if np.isfinite(line[:, 1]).sum() == 1:
        alone = line[np.isfinite(line[:, 1])]
        panel.points(alone, layer=5.0, shape="o", size=5.5, fill=colour, edge=colour, thickness=1.0)


def _pieces(there: NDArray[np.bool_]) -> list[slice]:
    """Where values follow one another without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    return [slice(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


def _style(board: Board, place: int, count: int) -> dict[str, Any]:
    """Colour and dashes of a group: neither carries the difference alone."""
    colour = tuple(palette(max(count, 2), board.theme)[place].tolist())
    return {"colour": colour, "width": 1.7, "dashes": _DASHES[place % len(_DASHES)]}


def _key(board: Board, groups: Sequence[Group]) -> None:
    theme, x, y = board.theme, board.key, board.top - 0.12
    for place, group in enumerate(groups):
        style = _style(board, place, len(groups))
        board.line([(x, y + 0.04), (x + 0.34, y + 0.04)], **style)
        board.text(x + 0.44, y, group.name, limit=_KEY - 0.44)
        board.text(
            x + 0.44, y - 0.16, group.about, size=SMALL, colour=theme.muted, limit=_KEY - 0.44
        )
        y -= 0.39

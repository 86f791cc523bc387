"""Activations and their derivatives, each in a panel of its own on the same scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.plotting.board import Board, Look, rows
from exp.plotting.numbers import number
from exp.plotting.panel import Panel
from exp.plotting.ticks import linear

LIMITS = (-4.0, 4.0, -2.0, 4.0)  # of every panel: x from, to, y from, to; one inch means the same
_COLUMNS, _SIZE, _GAP = 4, (2.4, 1.8), (0.3, 0.62)
_JUMP = 0.3  # a derivative that changes by more from one point to the next has a step there


@dataclass(frozen=True, eq=False, kw_only=True)
class Function:
    """One activation.

    Attributes:
        name: as a config names it.
        about: its parameters, as text; may be empty.
        x, y, slope: `[points]` each, the derivative last.
    """

    name: str
    about: str
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    slope: NDArray[np.floating]


def apart(one: Function, other: Function) -> tuple[float, float]:
    """The largest difference of two functions on the same points, and that of their derivatives."""
    return (
        float(np.abs(one.y.astype(np.float64) - other.y).max()),
        float(np.abs(one.slope.astype(np.float64) - other.slope).max()),
    )


def sheet(functions: Sequence[Function], look: Look, *, twins: Sequence[Function] = ()) -> Board:
    """Each function with its derivative.

    Args:
        twins: two that ought to be the same: they come last, side by side, and their difference
            in a panel of its own.
    """
    # Twins and their difference stand in one row: they begin a new one if they have to.
    spare = (-len(functions)) % _COLUMNS
    first = len(functions) if spare == 0 or spare >= 3 else len(functions) + spare
    cells = [*range(len(functions)), *((first, first + 1, first + 2) if twins else ())]
    every = rows(max(cells, default=-1) + 1, _COLUMNS, _SIZE, _GAP)
    board = Board(
        [every[cell] for cell in cells],
        heading="Activations and their derivatives",
        remark="the same scale in every panel",
        look=look,
        key=1.2,
        edge=(0.35, 0.3),
    )
    for index, function in enumerate((*functions, *twins)):
        _panel(board, index, function)
    if twins:
        _difference(board, len(cells) - 1, *twins)
    theme, x, y = board.theme, board.key, board.top - 0.13
    for text, style in (("function", _solid(board)), ("derivative", _dashed(board))):
        board.line([(x, y + 0.04), (x + 0.26, y + 0.04)], **style)
        board.text(x + 0.35, y, text, colour=theme.ink)
        y -= 0.23
    return board


def _panel(board: Board, index: int, function: Function) -> None:
    panel = Panel(board, index, LIMITS, function.name, function.about)
    panel.ticks(linear(*LIMITS[:2]), linear(*LIMITS[2:]), grid=True)
    axes = [[(LIMITS[0], 0.0), (LIMITS[1], 0.0)], [(0.0, LIMITS[2]), (0.0, LIMITS[3])]]
    panel.lines(axes, colour=board.theme.muted, width=0.6, alpha=0.6, layer=0.8)
    panel.lines([np.column_stack([function.x, function.y])], layer=4.0, **_solid(board))
    steps = np.flatnonzero(np.abs(np.diff(function.slope)) > _JUMP)
    x, slope = function.x.astype(np.float64), function.slope.astype(np.float64)
    broken = np.insert(np.column_stack([x, slope]), steps + 1, np.nan, axis=0)
    panel.lines([broken], layer=5.0, **_dashed(board))


def _difference(board: Board, index: int, one: Function, other: Function) -> None:
    """What two functions differ by, on a scale of its own."""
    gap = other.y.astype(np.float64) - one.y
    largest = apart(one, other)[0]
    reach = largest * 1.5 or 1.0
    remark = f"at most {number(largest)}" if largest else "none: the same numbers"
    panel = Panel(board, index, (*LIMITS[:2], -reach, reach), "difference", remark)
    marks = [-largest, 0.0, largest] if largest else [0.0]
    labels = [number(mark) if mark else "0" for mark in marks]
    panel.ticks(linear(*LIMITS[:2]), (marks, [""] * len(marks)))
    for mark, label in zip(marks, labels, strict=True):
        x, y = panel.inches(LIMITS[1], mark)
        board.text(x + 0.06, y - 0.04, label, size=8.0, colour=board.theme.muted)
    panel.lines([[(LIMITS[0], 0.0), (LIMITS[1], 0.0)]], colour=board.theme.muted, width=0.6)
    dots = {"shape": "o", "size": 1.6, "thickness": 0.0}
    points = np.column_stack([one.x, gap])
    panel.points(points, layer=4.0, fill=board.theme.wrong, edge=board.theme.wrong, **dots)
    corner, room = (panel.left + 0.05, panel.bottom + 0.05), panel.right - panel.left - 0.1
    about = f"{other.name} minus {one.name}, in float32"
    board.text(*corner, about, size=8.0, colour=board.theme.muted, limit=room)


def _solid(board: Board) -> dict[str, Any]:
    return {"colour": board.theme.test, "width": 1.8, "cap": "projecting"}


def _dashed(board: Board) -> dict[str, Any]:
    return {"colour": board.theme.validation, "width": 1.5, "dashes": (4, 1.6)}

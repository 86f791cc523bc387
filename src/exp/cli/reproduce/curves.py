"""The losses of a table as small pictures: the curves of our runs, dots where it was published."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from exp.cli.reproduce.measure import Reproduction
from exp.cli.reproduce.published import Part
from exp.cli.reproduce.verdict import Judged

WIDTH, HEIGHT = 420, 200
LEFT, BOTTOM, TOP, RIGHT = 52, 26, 10, 12
POINTS = 400
"""Of a curve, at most: more than that no eye tells apart at this size."""

Dots = list[tuple[int, float]]


def pictures(judged: Judged, runs: Reproduction) -> Iterator[tuple[str, str]]:
    """The caption and the SVG of each loss that was published at several epochs."""
    found: dict[tuple[tuple[str, ...], str], tuple[Part, Dots]] = {}
    for row in judged.rows:
        if row.line.epoch is None:
            continue
        for number in row.numbers:
            if number is not None and number.column.endswith("/loss"):
                key = (row.part.words, number.column)
                found.setdefault(key, (row.part, []))[1].append((row.line.epoch, number.cell.value))
    for (_, column), (part, dots) in found.items():
        if len(dots) < 2:
            continue
        lines = []
        for run in runs.runs(judged.table, part):
            if run.run.status == "done" and column in run.history:
                lines.append((run.history["epoch"], run.history[column]))
        if lines:
            several = f", {len(lines)} seeds" if len(lines) > 1 else ""
            yield f"{column}{several}", drawn(lines, dots)


def drawn(lines: Sequence[tuple[np.ndarray, np.ndarray]], dots: Dots) -> str:
    """An SVG; the loss on a logarithmic scale if it falls by more than a half."""
    shown = [thinned(*line) for line in lines]
    last = max(float(x[-1]) for x, _ in shown) or 1.0
    numbers = np.concatenate([y for _, y in shown] + [np.array([y for _, y in dots])])
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    low, high = float(numbers.min()), float(numbers.max())
    wide = high > 2 * low
    scaled = math.log10 if wide else float
    bottom, top = scaled(low), scaled(high)
    top += (top == bottom) * 1e-6

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + x / last * (WIDTH - LEFT - RIGHT)
        part = (scaled(max(y, low)) - bottom) / (top - bottom)
        return across, HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP)

    body = [
        f'<text x="{LEFT - 6}" y="{at(0, value)[1] + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        for value in (low, high)
    ]
    body += [
        f'<text x="{LEFT}" y="{HEIGHT - 8}">0</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">epoch {last:.0f}</text>',
        f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>',
    ]
    for x, y in shown:
        places = (at(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True) if b > 0)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        body.append(f'<polyline points="{points}"/>')
    for a, b in (at(epoch, value) for epoch, value in dots if value > 0):
        body.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(body)}</svg>'


def thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(int))
    return x[keep], y[keep]

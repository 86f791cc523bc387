"""The losses of a table as small pictures: the curves of our runs, dots where it was published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from exp.cli.reproduce.measure import Reproduction
from exp.cli.reproduce.published import Table
from exp.plotting.layout import encode, log_scale
from exp.plotting.style import settings
from exp.runs.metrics_file import Columns

Dots = list[tuple[int, float]]


def pictures(table: Table, runs: Reproduction) -> Iterator[tuple[str, bytes]]:
    """The caption and the SVG of each loss that was published at several epochs."""
    for part in table.parts:
        found: dict[str, Dots] = defaultdict(list)
        for number in (number for row in part.rows for number in row if number is not None):
            if number.epoch is not None and number.column.endswith("/loss"):
                found[number.column].append((number.epoch, number.value))
        for column, dots in found.items():
            done = [run for run in runs.runs(table, part) if run.run.status == "done"]
            lines = [run.history for run in done if column in run.history]
            if len(dots) > 1 and lines:
                several = f", {len(lines)} seeds" if len(lines) > 1 else ""
                yield f"{column}{several}", drawn(column, lines, dots)


def drawn(column: str, lines: list[Columns], dots: Dots) -> bytes:
    """An SVG; the loss on a logarithmic scale."""
    with settings("light") as colours:
        figure = Figure(figsize=(4.2, 2.2))
        axes = figure.add_subplot(xlabel="epoch")
        for line in lines:
            axes.plot(line["epoch"], line[column], color=colours.test, linewidth=1)
        axes.plot(*zip(*dots, strict=True), "o", mfc="none", mec=colours.validation, gid="dots")
        losses = np.concatenate([line[column] for line in lines])
        losses = losses[np.isfinite(losses) & (losses > 0)]
        if len(losses):
            axes.set_ylim(losses.min() / 1.1, losses.max() * 1.1)
            log_scale(axes)
        return encode(figure, "svg", dpi=100)

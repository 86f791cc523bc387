"""Calibration: whether what the model calls 80 % probable comes true in 80 of 100 cases."""

from __future__ import annotations

import numpy as np

from exp.plotting.numbers import percent
from exp.plotting.panel import Panel
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.scores import BINS, Calibration, calibration
from exp.plotting.sheet import Sheet
from exp.plotting.text import plain
from exp.plotting.ticks import SHARES, logarithmic, unlabelled

_SIDE, _COUNTS = 3.5, 0.95  # inches
_EDGE = 0.025
_FLOOR = -0.3  # of the counts' logarithmic scale: one row is still a bar


def sheet(picture: Picture) -> Sheet:
    """A reliability diagram, and how many rows each of its points stands for, for both splits."""
    positive = picture.positive
    binary = positive is not None
    name = (
        "the predicted class" if positive is None else f"class {plain(picture.classes[positive])}"
    )
    page = Sheet(
        picture,
        panels=[_SIDE, _SIDE],
        height=[_SIDE, _COUNTS],
        row_gap=0.16,
        note=f"{BINS} bins of equal width; bars: 95 % intervals of Wilson",
    )
    found: dict[int, Calibration] = {}
    for split in (TRAIN, TEST):
        members = picture.split == split
        if members.any() and len(picture.scores):
            found[split] = calibration(
                picture.labels[members],
                picture.predicted[members],
                picture.scores[members],
                positive,
            )
    most = max((int(each.counts.max()) for each in found.values()), default=1)
    top = float(np.log10(max(most, 2))) * 1.08
    for index, (split, title) in enumerate(((TRAIN, "train"), (TEST, "test"))):
        each = found.get(split)
        remark = (
            f"{each.counts.sum():,} rows, calibration error {percent(each.error)}" if each else ""
        )
        panel = Panel(page, index, (-_EDGE, 1 + _EDGE, -_EDGE, 1 + _EDGE), title, remark)
        blank = unlabelled(SHARES)
        panel.ticks(blank, SHARES if index == 0 else blank, grid=True)
        came = f"share of {name}" if binary else "share that is right"
        panel.labels("", came if index == 0 else "", beside=0.56)
        panel.lines([[(0, 0), (1, 1)]], colour=page.theme.muted, width=0.8, dashes=(2, 3))
        below = Panel(page, index + 2, (-_EDGE, 1 + _EDGE, _FLOOR, top), "")
        up = logarithmic(0.0, top, most=4)
        below.ticks(SHARES, up if index == 0 else unlabelled(up), grid=True)
        below.labels(f"probability of {name}", "rows, log" if index == 0 else "", beside=0.56)
        if each is None:
            panel.empty("no rows" if not (picture.split == split).any() else "no probabilities")
        else:
            _draw(panel, below, each)
    _key(page, binary=binary)
    return page


def _draw(panel: Panel, below: Panel, each: Calibration) -> None:
    theme = panel.sheet.theme
    some = each.counts > 0
    places = np.column_stack([each.predicted, each.observed])[some]
    spans = zip(each.predicted[some], each.low[some], each.high[some], strict=True)
    panel.lines(
        [np.array([[x, low], [x, high]]) for x, low, high in spans],
        colour=theme.test, width=1.0, alpha=0.55, layer=3.0,
    )  # fmt: skip
    panel.lines([places], colour=theme.test, width=1.4, layer=4.0)
    panel.points(
        places, layer=5.0, shape="o", size=5.2, fill=theme.test, edge=theme.page, thickness=0.6
    )
    for place in np.flatnonzero(some).tolist():
        left, right = place / BINS + 0.006, (place + 1) / BINS - 0.006
        bar = [(left, _FLOOR), (right, float(np.log10(each.counts[place])))]
        below.fill(bar, colour=theme.test, alpha=0.75, layer=3.0)


def _key(sheet: Sheet, *, binary: bool) -> None:
    x, y, theme = sheet.key, sheet.top - 0.13, sheet.theme
    sheet.line([(x, y + 0.04), (x + 0.26, y + 0.04)], colour=theme.test, width=1.4)
    dot = {"shape": "o", "size": 5.2, "fill": theme.test, "edge": theme.page, "thickness": 0.6}
    sheet.marker(x + 0.13, y + 0.04, **dot)
    sheet.text(x + 0.34, y, "rows of a bin")
    y -= 0.23
    sheet.line([(x, y + 0.04), (x + 0.26, y + 0.04)], colour=theme.muted, width=0.8, dashes=(2, 3))
    sheet.text(x + 0.34, y, "perfectly calibrated")
    lines = ("below the diagonal: the", "model is too sure of itself;", "above: not sure enough")
    if binary:
        lines = ("below the diagonal: rarer", "than the model says;", "above: more often")
    for line in lines:
        y -= 0.17 if line != lines[0] else 0.3
        sheet.text(x, y, line, size=8.0, colour=theme.muted)

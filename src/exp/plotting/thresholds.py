"""What every threshold on a class's probability gives: ROC, and precision over recall."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from exp.plotting.panel import Panel
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.scores import Curve, precision_recall, roc
from exp.plotting.sheet import KEY, Sheet
from exp.plotting.style import DASHES, stroke
from exp.plotting.text import plain
from exp.plotting.ticks import SHARES, unlabelled

_SIDE = 3.7  # inches
_EDGE = 0.025

Rule = Callable[[NDArray[np.bool_], NDArray[np.floating]], Curve]


def roc_sheet(picture: Picture) -> Sheet:
    """Right alarms over false alarms, one curve for each class against the rest."""
    return _sheet(picture, roc, "false positive rate", "true positive rate", "area under the curve")


def precision_recall_sheet(picture: Picture) -> Sheet:
    """Precision over recall, one curve for each class against the rest."""
    return _sheet(picture, precision_recall, "recall", "precision", "average precision")


def _sheet(picture: Picture, rule: Rule, x: str, y: str, value: str) -> Sheet:
    page = Sheet(picture, panels=[_SIDE, _SIDE], height=_SIDE)
    limits = (-_EDGE, 1 + _EDGE, -_EDGE, 1 + _EDGE)
    listed, told = "", [np.nan] * len(picture.classes)
    for index, (split, name) in enumerate(((TRAIN, "train"), (TEST, "test"))):
        members = picture.split == split
        total = int(members.sum())
        panel = Panel(page, index, limits, name, f"{total:,} rows" if total else "")
        panel.ticks(SHARES, SHARES if index == 0 else unlabelled(SHARES), grid=True)
        panel.labels(x, y if index == 0 else "", beside=0.56)
        if not total or not len(picture.scores):
            panel.empty("no rows" if not total else "no probabilities")
            continue
        if rule is roc:
            panel.lines([[(0, 0), (1, 1)]], colour=page.theme.muted, width=0.8, dashes=(2, 3))
        labels, scores = picture.labels[members], picture.scores[members]
        curves = [rule(labels == label, scores[:, label]) for label in range(len(told))]
        # Solid lines first: where curves lie on each other, dashes show what is below.
        for label, curve in sorted(enumerate(curves), key=lambda each: each[0] % len(DASHES)):
            if len(curve.x):
                line = _steps(curve) if rule is precision_recall else (curve.x, curve.y)
                style = stroke(label, len(curves), page.theme)
                panel.lines([np.column_stack(line)], layer=4.0, simplify=True, **style)
        listed, told = name, [curve.value for curve in curves]
    _key(page, picture, value, listed, told)
    return page


def _steps(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As the average precision has it: a precision holds from the recall before to its own."""
    return np.repeat(curve.x, 2)[:-1], np.repeat(curve.y, 2)[1:]


def _key(sheet: Sheet, picture: Picture, value: str, split: str, told: list[float]) -> None:
    x, y, theme = sheet.key, sheet.top - 0.13, sheet.theme
    sheet.text(x, y, f"{value}, {split}" if split else value, size=8.0, colour=theme.muted)
    about = "each class against the rest"
    if picture.positive is not None:
        about = f"positive class: {plain(picture.classes[picture.positive])}"
    sheet.text(x, y - 0.15, about, size=8.0, colour=theme.muted, limit=KEY)
    y -= 0.4
    shown = min(len(told), int((y - sheet.bottom - 0.4) / 0.2) + 1)
    shown = shown if shown == len(told) else shown - 1
    for label in range(shown):
        style = stroke(label, len(told), theme)
        sheet.line([(x, y + 0.04), (x + 0.26, y + 0.04)], **style)
        sheet.text(x + 0.34, y, plain(picture.classes[label]), limit=KEY - 0.34 - 0.4)
        number = "-" if np.isnan(told[label]) else _rounded(told[label])
        sheet.text(x + KEY, y, number, colour=theme.muted, align="right", limit=0.5)
        y -= 0.2
    if shown < len(told):
        sheet.text(x + 0.34, y, f"and {len(told) - shown} more", colour=theme.muted)
        y -= 0.2
    known = [number for number in told if not np.isnan(number)]
    if len(known) > 2:
        sheet.text(x + 0.34, y - 0.06, "mean", colour=theme.muted)
        mean = _rounded(float(np.mean(known)))
        sheet.text(x + KEY, y - 0.06, mean, colour=theme.muted, align="right", limit=0.5)


def _rounded(value: float) -> str:
    """Three decimals; 1 is said only where it is meant."""
    return "1" if value == 1 else f"{min(value, 0.999):.3f}"

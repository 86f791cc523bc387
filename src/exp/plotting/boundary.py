"""The decision boundary: what the model says everywhere in the plane."""

from __future__ import annotations

import numpy as np

from exp.plotting import rows
from exp.plotting.decision import CERTAIN, Decision, colours
from exp.plotting.numbers import percent
from exp.plotting.panel import Panel, beside
from exp.plotting.picture import TEST, TRAIN, Picture
from exp.plotting.sheet import Sheet
from exp.plotting.ticks import linear, unlabelled

_SIDE = 4.1  # inches
_BOUNDARY = 1.5  # points


def sheet(picture: Picture) -> Sheet:
    """The map, the boundary and the rows, train and test side by side."""
    notes = [picture.note, picture.map_note]
    if not np.isfinite(picture.probabilities).all():
        notes.append("striped grey: the model gives no finite probability")
    limits = rows.window(picture)
    across, up = linear(*limits[:2], room=_SIDE), linear(*limits[2:])
    aside = beside(up)
    page = Sheet(
        picture,
        panels=[_SIDE, _SIDE],
        height=_SIDE,
        left=aside + 0.24,
        note="; ".join(note for note in notes if note),
    )
    ink = page.theme.ink
    mapped = len(picture.xs) > 1 and len(picture.ys) > 1
    decision = Decision(picture, page.theme) if mapped else None
    for index, (split, name) in enumerate(((TRAIN, "train"), (TEST, "test"))):
        members = picture.split == split
        total = int(members.sum())
        wrong = int((picture.predicted[members] != picture.labels[members]).sum())
        share = f" ({percent(wrong / total)})" if total else ""
        panel = Panel(page, index, limits, name, f"{total:,} rows, {wrong:,} misclassified{share}")
        panel.ticks(across, up if index == 0 else unlabelled(up))
        panel.labels(picture.axes[0], picture.axes[1] if index == 0 else "", beside=aside)
        if decision is not None:
            panel.image(decision.pixels)
            panel.lines(
                decision.certain, colour=ink, width=0.8, alpha=0.5, dashes=(4, 3), simplify=True
            )
            panel.lines(decision.boundary, colour=ink, width=_BOUNDARY, cap="round", simplify=True)
        rows.scatter(panel, picture, split)
        rows.cross_out(panel, picture, split)
        shown = len(rows.drawn(picture, split))
        if shown < total:
            panel.corner(f"{shown:,} of {total:,} rows drawn")
        if not total:
            panel.corner("no rows")
    _key(page, picture, scale=mapped)
    return page


def _key(page: Sheet, picture: Picture, *, scale: bool) -> None:
    height = 1.15
    floor = page.bottom + (height + 0.92 if scale else 0.52)
    y = rows.legend(page, picture, top=page.top - 0.09, floor=floor) - 0.03
    x, ink = page.key + 0.06, page.theme.ink
    rows.crossed(page, x, y)
    page.text(x + 0.13, y - 0.044, "misclassified")
    if not scale:
        return
    y -= 0.215
    page.line([(x - 0.07, y), (x + 0.07, y)], colour=ink, width=_BOUNDARY)
    page.text(x + 0.13, y - 0.044, "decision boundary")
    count = len(picture.classes)
    strength = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], count, axis=1)
    dashed = (CERTAIN - 1 / count) / (1 - 1 / count)
    page.scale(
        page.bottom + height,
        height,
        colours(strength, np.arange(count), count, page.theme),
        [(0.0, f"1/{count} undecided"), (dashed, f"{CERTAIN}"), (1.0, "1 certain")],
        ["probability of the", "predicted class"],
        dashed=dashed,
    )

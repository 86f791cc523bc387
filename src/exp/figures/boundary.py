"""The decision boundary: what the model says everywhere in the plane."""

from __future__ import annotations

import numpy as np
from contourpy import contour_generator
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.figures import rows
from exp.figures.panel import Panel
from exp.figures.picture import TEST, TRAIN, Picture
from exp.figures.sheet import Sheet
from exp.figures.style import Theme, palette
from exp.figures.text import percent
from exp.figures.ticks import linear

CERTAIN = 0.9  # the probability of the dashed contours
_STEEPEST = 16.0  # log-odds beyond this are "certain": float32 cannot say how certain

Paths = list[NDArray[np.float64]]


def figure(picture: Picture) -> Figure:
    """The map, the boundary and the rows, train and test side by side."""
    notes = [picture.note]
    if not np.isfinite(picture.probabilities).all():
        notes.append("striped grey: the model gives no finite probability")
    note = "; ".join(note for note in notes if note)
    sheet = Sheet(picture, panels=[4.1, 4.1], height=4.1, note=note)
    ink = sheet.theme.ink
    drawn = _map(picture, sheet.theme)
    limits = rows.window(picture)
    for index, (split, name) in enumerate(((TRAIN, "train"), (TEST, "test"))):
        members = picture.split == split
        total = int(members.sum())
        wrong = int((picture.predicted[members] != picture.labels[members]).sum())
        share = f" ({percent(wrong / total)})" if total else ""
        panel = Panel(sheet, index, limits, name, f"{total:,} rows, {wrong:,} misclassified{share}")
        across, up = linear(*limits[:2]), linear(*limits[2:])
        panel.ticks(across, up if index == 0 else (up[0], [""] * len(up[0])))
        panel.labels(picture.axes[0], picture.axes[1] if index == 0 else "")
        if drawn is not None:
            image, boundary, certain = drawn
            panel.image(image, nodes=True)
            panel.lines(certain, colors=ink, linewidths=0.8, alpha=0.5, linestyles=[(0, (4, 3))])
            panel.lines(boundary, colors=ink, linewidths=1.4, capstyle="round")
        rows.scatter(panel, picture, split)
        rows.cross(panel, picture, split)
        shown = len(rows.drawn(picture, split))
        if shown < total:
            panel.corner(f"{shown:,} of {total:,} rows drawn")
        if not total:
            panel.corner("no rows")
    _key(sheet, picture, scale=drawn is not None)
    return sheet.figure


def colours(strength: NDArray[np.floating], label: NDArray[np.integer], count: int, theme: Theme
) -> NDArray[np.float64]:  # fmt: skip
    """The map's RGB `[..., 3]`: the page's colour at strength 0, a tint of the class's at 1."""
    page = np.array(to_rgb(theme.page))
    mixed: NDArray[np.float64] = page + (palette(count, theme)[label] - page) * (
        theme.tint * strength[..., None]
    )
    return mixed


def _map(picture: Picture, theme: Theme) -> tuple[NDArray[np.uint8], Paths, Paths] | None:
    """The map `[G, G, 3]`, the boundary's lines and those where a class reaches `CERTAIN`."""
    if len(picture.xs) < 2 or len(picture.ys) < 2:
        return None
    p = picture.probabilities
    count = len(p)
    finite = np.isfinite(p).all(axis=0)
    p = np.where(finite, p, np.float32(1 / count))
    winner = p.argmax(axis=0)
    first, second = _two_largest(p)
    # The scale is the same in every run: 1/K is undecided, 1 is certain.
    strength = np.clip((first - 1 / count) / (1 - 1 / count), 0.0, 1.0)
    image = colours(strength, winner, count, theme)
    if not finite.all():
        y, x = np.indices(finite.shape)
        stripe = np.where((x + y) % 8 < 2, 0.55, 0.25)[..., None]
        grey = np.array(to_rgb(theme.page)) * (1 - stripe) + np.array(to_rgb(theme.muted)) * stripe
        image = np.where(finite[..., None], image, grey)

    boundary: Paths = []
    certain: Paths = []
    winners = np.unique(winner[finite]).tolist()
    for place, label in enumerate(winners):
        # The zero of p_k - max(other p), taken of their logarithms: these run nearly straight
        # where probabilities are steps, so that the line between grid points is smooth.
        other = np.where(winner == label, second, first)
        if place:  # the boundary of the first class is drawn by its neighbours
            boundary += _contour(picture, _odds(p[label], other), finite, 0.0)
        rest = np.maximum(p.sum(axis=0) - p[label], other)
        certain += _contour(
            picture, _odds(p[label], rest), finite, float(np.log(CERTAIN / (1 - CERTAIN)))
        )
    return (image * 255.0 + 0.5).astype(np.uint8), boundary, certain


def _two_largest(p: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if len(p) == 2:
        return np.maximum(p[0], p[1]), np.minimum(p[0], p[1])
    ordered = np.partition(p, len(p) - 2, axis=0)
    return ordered[-1], ordered[-2]


def _odds(p: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    tiny = np.float32(1e-30)
    ratio = np.log(np.maximum(p, tiny)) - np.log(np.maximum(other, tiny))
    clipped: NDArray[np.float32] = np.clip(ratio, -_STEEPEST, _STEEPEST)
    return clipped


def _contour(
    picture: Picture, values: NDArray[np.float32], finite: NDArray[np.bool_], level: float
) -> Paths:
    if not values.min() < level < values.max():
        return []
    masked = values if finite.all() else np.ma.masked_array(values, ~finite)
    lines = contour_generator(x=picture.xs, y=picture.ys, z=masked).lines(level)
    return [np.asarray(line, dtype=np.float64) for line in lines]


def _key(sheet: Sheet, picture: Picture, *, scale: bool) -> None:
    height = 1.15
    floor = sheet.bottom + (height + 0.7 if scale else 0.3)
    y = rows.legend(sheet, picture, top=sheet.top - 0.09, floor=floor)
    x = sheet.key + 0.06
    sheet.line([x], [y], marker="x", markersize=6.5, markeredgewidth=1.2, color=sheet.theme.ink)
    sheet.text(x + 0.13, y - 0.044, "misclassified")
    if not scale:
        return
    count = len(picture.classes)
    strength = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], count, axis=1)
    dashed = (CERTAIN - 1 / count) / (1 - 1 / count)
    marks = [(0.0, f"1/{count} undecided"), (1.0, "1 certain"), (dashed, "")]
    if height * (1 - dashed) > 0.13:
        marks[-1] = (dashed, f"{CERTAIN}")
    sheet.scale(
        sheet.bottom + height,
        height,
        colours(strength, np.arange(count), count, sheet.theme),
        marks,
        ["probability of the", "predicted class"],
        dashed=dashed,
    )

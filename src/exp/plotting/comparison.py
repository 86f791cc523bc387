"""Two models over one plane: both boundaries, and where the models disagree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from exp.plotting import rows
from exp.plotting.decision import Decision
from exp.plotting.numbers import percent
from exp.plotting.panel import Panel, beside
from exp.plotting.picture import TEST, Picture
from exp.plotting.png import png
from exp.plotting.raster import Pixels
from exp.plotting.sheet import Sheet
from exp.plotting.style import Theme, settings
from exp.plotting.ticks import linear
from exp.util.files import write_through

_SIDE = 3.6  # inches
_BOUNDARY = 1.5  # points
_DASHES = (4, 3)


def draw(one: Picture, other: Picture, path: Path) -> None:
    """Writes the figure as a PNG; the same pictures give the same bytes.

    Args:
        one, other: on one grid, with the same rows, all of them test rows.

    Raises:
        ValueError: they are not.
        OSError: the file cannot be written.
    """
    with settings():
        write_through(path, png(sheet(one, other)))


def sheet(one: Picture, other: Picture) -> Sheet:
    """Both maps, and how far apart the probabilities are."""
    for name in ("xs", "ys", "points", "labels", "split"):
        if not np.array_equal(getattr(one, name), getattr(other, name)):
            raise ValueError(f"{name}: expected the same in both pictures")
    if one.classes != other.classes:
        raise ValueError("classes: expected the same in both pictures")
    differ = one.predicted != other.predicted
    total = len(one.labels)
    heading: dict[str, Any] = {
        name: a if (a := getattr(one, name)) == (b := getattr(other, name)) else f"{a} / {b}"
        for name in ("dataset", "model", "optimizer", "seed")
    }
    said = f"A: {one.metric}; B: {other.metric}"
    notes = [one.note, one.map_note]
    limits = rows.window(one)
    across, up = linear(*limits[:2], room=_SIDE), linear(*limits[2:])
    aside = beside(up)
    page = Sheet(
        replace(one, **heading, metric=said),
        panels=[_SIDE] * 3,
        height=_SIDE,
        left=aside + 0.24,
        note="; ".join(note for note in notes if note),
    )
    ink = page.theme.ink
    found = [Decision(picture, page.theme) for picture in (one, other)]
    blank = (up[0], [""] * len(up[0]))
    for index, (name, picture) in enumerate((("A", one), ("B", other))):
        wrong = int((picture.predicted != picture.labels).sum())
        panel = Panel(page, index, limits, name, f"{wrong:,} of {total:,} rows misclassified")
        panel.ticks(across, blank if index else up)
        panel.labels(one.axes[0], "" if index else one.axes[1], beside=aside)
        panel.image(found[index].pixels)
        lines(panel, found[index], dashed=bool(index), colour=ink)
        rows.scatter(panel, picture, TEST)
        rows.cross_out(panel, picture, TEST)
    count = int(differ.sum())
    share = f" ({percent(count / total)})" if total else ""
    remark = f"{count:,} of {total:,} rows{share}"
    panel = Panel(page, 2, limits, "A and B differ", remark)
    panel.ticks(across, blank)
    panel.labels(one.axes[0], "", beside=aside)
    panel.image(Pixels(shades(apart(one, other), page.theme), nodes=True))
    for index in (0, 1):
        lines(panel, found[index], dashed=bool(index), colour=ink)
    only = {name: getattr(one, name)[differ] for name in ("points", "labels", "predicted", "split")}
    rows.scatter(panel, replace(one, **only), TEST)
    _key(page, one)
    return page


def lines(panel: Panel, decision: Decision, *, dashed: bool, colour: str) -> None:
    """A boundary: solid that of A, dashed that of B."""
    dashes: dict[str, Any] = {"dashes": _DASHES} if dashed else {"cap": "round"}
    panel.lines(decision.boundary, colour=colour, width=_BOUNDARY, simplify=True, **dashes)


def apart(one: Picture, other: Picture) -> NDArray[np.float64]:
    """`[G, G]` in 0..1: the total variation distance of the two distributions over the classes,
    half the sum of absolute differences."""
    difference = np.abs(one.probabilities.astype(np.float64) - other.probabilities)
    distance: NDArray[np.float64] = np.nan_to_num(difference.sum(axis=0) / 2, nan=1.0)
    return np.clip(distance, 0.0, 1.0)


def shades(distance: NDArray[np.float64], theme: Theme) -> NDArray[np.float64]:
    """RGB `[..., 3]`: the page where the models agree, a tint of the colour for wrong where not."""
    page, hue = np.array(to_rgb(theme.page)), np.array(to_rgb(theme.wrong))
    mixed: NDArray[np.float64] = page + (hue - page) * 0.75 * distance[..., None]
    return mixed


def _key(page: Sheet, picture: Picture) -> None:
    height = 1.15
    floor = page.bottom + height + 1.15
    y = rows.legend(page, picture, top=page.top - 0.09, floor=floor) - 0.03
    x, ink = page.key + 0.06, page.theme.ink
    rows.crossed(page, x, y)
    page.text(x + 0.13, y - 0.044, "misclassified")
    for name, dashes in (("A", ()), ("B", _DASHES)):
        y -= 0.215
        page.line([(x - 0.1, y), (x + 0.1, y)], colour=ink, width=_BOUNDARY, dashes=dashes)
        page.text(x + 0.16, y - 0.044, f"boundary of {name}")
    steps = np.linspace(0.0, 1.0, 64)[:, None]
    page.scale(
        page.bottom + height,
        height,
        shades(steps, page.theme),
        [(0.0, "0 the same"), (1.0, "1 opposite")],
        ["distance of the", "probabilities"],
    )

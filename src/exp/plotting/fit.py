"""The fit of a model whose target is a number: a line, a surface, or what it leaves over."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import contour_generator
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from exp.plotting import rows
from exp.plotting.decision import striped
from exp.plotting.numbers import number
from exp.plotting.panel import Panel, beside
from exp.plotting.picture import TEST, TRAIN, VALIDATION, Picture
from exp.plotting.raster import Pixels
from exp.plotting.sheet import KEY, Sheet
from exp.plotting.style import blend
from exp.plotting.ticks import linear, unlabelled

_SIDE = 4.1  # inches, as of the boundary's panels
_LINES = 8  # contours at most
_SPLITS = ((TRAIN, "train, filled"), (VALIDATION, "validation, pale"), (TEST, "test, hollow"))
_RINGS = ((TRAIN, "train"), (VALIDATION, "validation, pale ring"), (TEST, "test, ringed"))
_COLUMNS = ((TRAIN, "train"), (TEST, "test"))

Values = NDArray[np.float64]
Limits = tuple[float, float, float, float]


def sheet(picture: Picture) -> Sheet:
    """The fitted line of one feature, the surface over two, the residuals of more."""
    if picture.features == 1:
        return _line(picture)
    return _surface(picture) if picture.features == 2 else _residuals(picture)


def data_sheet(picture: Picture) -> Sheet:
    """The rows by themselves: the target over one feature, as a colour over two."""
    if picture.features == 1:
        return _line(picture, fitted=False)
    limits = rows.window(picture)
    across, up = linear(*limits[:2], room=_SIDE), linear(*limits[2:])
    aside = beside(up)
    page = Sheet(picture, panels=[_SIDE], height=_SIDE, left=aside + 0.24, note=picture.note)
    panel = Panel(page, 0, limits, "data", _counted(picture))
    panel.ticks(across, up, grid=True)
    panel.labels(*picture.axes, beside=aside)
    scale = _scale(picture)
    for split, _ in _SPLITS:
        _coloured(panel, picture, split, scale)
    _thinned(panel, picture, *(split for split, _ in _SPLITS))
    y = page.top - 0.09
    for split, name in _RINGS:
        count = int((picture.split == split).sum())
        if count:
            look = _ringed(page, picture, split, page.theme.faint) | {"size": 6.2}
            page.marker(page.key + 0.06, y, **look)
            page.text(page.key + 0.24, y - 0.044, f"{name}: {count:,}", colour=page.theme.muted)
            y -= 0.215
    _bar(page, scale)
    return page


def _line(picture: Picture, *, fitted: bool = True) -> Sheet:
    """The target over the one feature, with what the model says everywhere."""
    x0, x1, *_ = rows.window(picture)
    line = picture.probabilities[0, 0].astype(np.float64) if fitted and len(picture.xs) else None
    low, high = _padded(picture.targets)
    across, up = linear(x0, x1, room=5.2), linear(low, high)
    aside = beside(up)
    page = Sheet(picture, panels=[5.2], height=3.6, left=aside + 0.24)
    remark = _counted(picture)
    panel = Panel(page, 0, (x0, x1, low, high), "fit" if fitted else "data", remark)
    panel.ticks(across, up, grid=True)
    panel.labels(picture.axes[0], "target", beside=aside)
    x = picture.points[:, 0]
    for split, _ in _SPLITS:
        kept = rows.drawn(picture, split)
        places = np.column_stack([x[kept], picture.targets[kept]])
        colour = page.theme.train if split == TRAIN else page.theme.test
        colour = page.theme.validation if split == VALIDATION else colour
        panel.points(places, layer=4.0, **_look(page, picture, split, colour))
    _thinned(panel, picture, *(split for split, _ in _SPLITS))
    y = _legend(page, picture, page.top - 0.09)
    if line is not None:
        shown = np.where(np.isfinite(line), line, np.nan)
        fit = np.column_stack([picture.xs, shown])
        panel.lines([fit], layer=5.0, colour=page.theme.ink, width=1.6, simplify=True)
        page.line([(page.key, y), (page.key + 0.16, y)], colour=page.theme.ink, width=1.6)
        page.text(page.key + 0.24, y - 0.044, "the model")
        if not np.isfinite(line).all():
            panel.corner("the model gives no finite number where the line is missing")
    return page


def _surface(picture: Picture) -> Sheet:
    """The model's value as a colour with contours, and the rows in the colours of their targets."""
    limits = rows.window(picture)
    across, up = linear(*limits[:2], room=_SIDE), linear(*limits[2:])
    aside = beside(up)
    mapped = len(picture.xs) > 1 and len(picture.ys) > 1
    field = picture.probabilities[0].astype(np.float64) if mapped else np.zeros((0, 0))
    notes = [picture.note, picture.map_note]
    if not np.isfinite(field).all():
        notes.append("striped grey: the model gives no finite number")
    page = Sheet(
        picture, panels=[_SIDE, _SIDE], height=_SIDE, left=aside + 0.24,
        note="; ".join(note for note in notes if note),
    )  # fmt: skip
    scale = _scale(picture)
    pixels = _pixels(field, scale, page) if mapped else None
    levels = linear(*scale, most=_LINES)[0]
    contours = _contours(picture, field, levels) if mapped else []
    for index, (split, name) in enumerate(_COLUMNS):
        panel = Panel(page, index, limits, name, _told(picture, split))
        panel.ticks(across, up if index == 0 else unlabelled(up))
        panel.labels(picture.axes[0], picture.axes[1] if index == 0 else "", beside=aside)
        if pixels is not None:
            panel.image(pixels)
            panel.lines(contours, colour=page.theme.ink, width=0.8, alpha=0.75, simplify=True)
        _coloured(panel, picture, split, scale)
        _thinned(panel, picture, split)
    _bar(page, scale, lines=levels)
    return page


def _residuals(picture: Picture) -> Sheet:
    """How far each target is from its prediction, over the prediction."""
    left_over = picture.targets - picture.fitted
    kept = np.isfinite(left_over) & np.isfinite(picture.fitted)
    x0, x1 = _padded(picture.fitted[kept])
    y0, y1 = _padded(np.append(left_over[kept], 0.0))
    across, up = linear(x0, x1, room=_SIDE), linear(y0, y1)
    aside = beside(up)
    note = "" if kept.all() else f"{int((~kept).sum()):,} predictions are not finite"
    page = Sheet(picture, panels=[_SIDE, _SIDE], height=_SIDE, left=aside + 0.24, note=note)
    theme = page.theme
    for index, (split, name) in enumerate(_COLUMNS):
        panel = Panel(page, index, (x0, x1, y0, y1), name, _told(picture, split))
        panel.ticks(across, up if index == 0 else unlabelled(up), grid=True)
        label = "residual: target \N{MINUS SIGN} prediction" if index == 0 else ""
        panel.labels("prediction", label, beside=aside)
        panel.lines([[(x0, 0.0), (x1, 0.0)]], colour=theme.ink, width=1.2, layer=3.0)
        shown = rows.drawn(picture, split)
        shown = shown[kept[shown]]
        places = np.column_stack([picture.fitted[shown], left_over[shown]])
        colour = theme.train if split == TRAIN else theme.test
        panel.points(places, layer=4.0, **_look(page, picture, split, colour))
        _thinned(panel, picture, split)
    y = page.top - 0.13
    page.line([(page.key, y + 0.04), (page.key + 0.26, y + 0.04)], colour=theme.ink, width=1.2)
    page.text(page.key + 0.35, y, "target = prediction", limit=KEY - 0.3)
    return page


def _padded(values: Values) -> tuple[float, float]:
    """Ends of an axis that shows these values, with a margin."""
    finite = values[np.abs(values) < 1e300]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = (high - low) * 0.08 or max(abs(high) * 0.1, 0.5)
    return low - margin, high + margin


def _scale(picture: Picture) -> tuple[float, float]:
    """The targets at the two ends of the colours."""
    if not len(picture.targets):
        return 0.0, 1.0
    low, high = float(picture.targets.min()), float(picture.targets.max())
    return (low, high) if high > low else _padded(picture.targets)


def _colours(values: NDArray[Any], scale: tuple[float, float]) -> Values:
    """RGB `[..., 3]`, cividis; values beyond the scale have the colours of its ends."""
    share = np.clip((values - scale[0]) / (scale[1] - scale[0]), 0.0, 1.0)
    return np.asarray(colormaps["cividis"](np.nan_to_num(share, nan=0.0)))[..., :3]


def _pixels(field: Values, scale: tuple[float, float], page: Sheet) -> Pixels:
    image, finite = _colours(field, scale), np.isfinite(field)
    # Lighter than the rows' own colours, so that rows stand out where the fit is good.
    image = image + (np.array(to_rgb(page.theme.page)) - image) * 0.25
    if not finite.all():
        image = np.where(finite[..., None], image, striped(finite.shape, page.theme))
    return Pixels(image, nodes=True)


def _contours(picture: Picture, field: Values, levels: list[float]) -> list[Values]:
    finite = np.isfinite(field)
    if not finite.any():
        return []
    masked = np.ma.masked_array(field, ~finite)
    seeker: Any = contour_generator(x=picture.xs, y=picture.ys, z=masked)
    return [line for level in levels for line in seeker.lines(level)]


def _coloured(panel: Panel, picture: Picture, split: int, scale: tuple[float, float]) -> None:
    """The rows of one split, each in the colour of its target: 32 of them, one mark for each."""
    kept = rows.drawn(picture, split)
    share = (picture.targets[kept] - scale[0]) / (scale[1] - scale[0])
    steps = np.clip(np.rint(share * 31), 0, 31)
    for step in np.unique(steps).tolist():
        value = np.array(scale[0] + step / 31 * (scale[1] - scale[0]))
        style = _ringed(panel.sheet, picture, split, tuple(_colours(value, scale).tolist()))
        panel.points(picture.points[kept[steps == step]], layer=4.0, **style)


def _ringed(page: Any, picture: Picture, split: int, colour: Any) -> dict[str, Any]:
    """How a row is drawn that has the colour of its target: the edge says its split."""
    theme = page.theme
    edge, thickness = {TRAIN: (theme.page, 0.45), VALIDATION: (theme.muted, 0.9)}.get(
        split, (theme.ink, 0.7)
    )
    return {
        "shape": "o", "size": rows.size(picture), "fill": colour, "edge": edge,
        "thickness": thickness,
    }  # fmt: skip


def _look(page: Any, picture: Picture, split: int, colour: Any) -> dict[str, Any]:
    """How a row is drawn: filled for train, pale for validation, hollow for test."""
    paper, points = page.theme.page, rows.size(picture)
    own = to_rgb(colour)
    fill = {TEST: paper, VALIDATION: blend(paper, own, 0.45)}.get(split, own)
    hollow = split in (TEST, VALIDATION)
    return {
        "shape": "o", "size": points, "fill": fill, "edge": own if hollow else paper,
        "thickness": (0.9 + points * 0.06) if hollow else 0.45,
    }  # fmt: skip


def _counted(picture: Picture) -> str:
    return f"{len(picture.targets):,} rows"


def _told(picture: Picture, split: int) -> str:
    """How many rows a split has, and how far its targets are from their predictions."""
    members = picture.split == split
    if not members.any():
        return "no rows"
    apart = picture.fitted[members] - picture.targets[members]
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.sqrt(np.square(apart).mean()))
    said = number(error, places=True) if np.isfinite(error) else "not finite"
    return f"{int(members.sum()):,} rows, RMSE {said}"


def _thinned(panel: Panel, picture: Picture, *splits: int) -> None:
    total = int(np.isin(picture.split, splits).sum())
    shown = sum(len(rows.drawn(picture, split)) for split in splits)
    if shown < total:
        panel.corner(f"{shown:,} of {total:,} rows drawn")
    if not total:
        panel.empty("no rows")


def _legend(page: Sheet, picture: Picture, y: float) -> float:
    """How the rows of each split are drawn, and how many they are; gives where the list ended."""
    theme = page.theme
    for split, name in _SPLITS:
        count = int((picture.split == split).sum())
        if count:
            colour = {TRAIN: theme.train, VALIDATION: theme.validation}.get(split, theme.test)
            page.marker(page.key + 0.06, y, **{**_look(page, picture, split, colour), "size": 6.2})
            page.text(page.key + 0.24, y - 0.044, f"{name}: {count:,}", colour=theme.muted)
            y -= 0.215
    return y


def _bar(page: Sheet, scale: tuple[float, float], *, lines: list[float] | None = None) -> None:
    """The colours and their numbers, in the key."""
    height, (low, high) = 1.8, scale
    strip = _colours(np.linspace(low, high, 64)[:, None], scale)
    places, labels = linear(low, high, most=_LINES)
    marks = [
        ((place - low) / (high - low), label) for place, label in zip(places, labels, strict=True)
    ]
    caption = ["target of a row;", "the model's number,", "with lines at the marks"]
    page.scale(
        page.bottom + height, height, strip, marks, caption if lines else ["target of a row"]
    )

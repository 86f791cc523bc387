"""The boundary over time: stills on one sheet, and an animation."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exp.plotting import rows
from exp.plotting.decision import Decision, Map
from exp.plotting.frames import Frames
from exp.plotting.numbers import percent
from exp.plotting.panel import Panel, beside, notice
from exp.plotting.picture import TRAIN, Picture
from exp.plotting.png import pixels
from exp.plotting.sheet import Sheet
from exp.plotting.ticks import linear

_STILLS, _ACROSS, _SIDE = 8, 4, 1.5  # inches
_MOST_ROWS = 300
_LARGE = 4.1
_FLAT, _BLUR = 8 / 255, 3  # the steepest step of a flat map; points on both sides
_FINER = 4  # points of an animated map for each of a frame's
_QUALITY = 85  # without loss it takes six times as long, or three times as much room
_SHOWN, _HELD = 280, 2000  # milliseconds of a frame, and of the last one


def strip(picture: Picture) -> Sheet:
    """Up to eight stills, the first and the last frame among them."""
    frames = picture.frames
    if frames is None or not len(frames):
        return notice(picture, "boundary over time", "no frames were kept (figures.frames=0)")
    chosen = np.unique(np.linspace(0, len(frames) - 1, _STILLS).round().astype(int)).tolist()
    page = Sheet(
        picture,
        panels=[_SIDE] * _ACROSS,
        height=[_SIDE] * -(-len(chosen) // _ACROSS),
        left=0.4,
        bottom=0.3,
        gap=0.14,
        row_gap=0.38,
        note="; ".join(note for note in (picture.note, picture.map_note) if note),
    )
    limits = _limits(frames)
    for place, index in enumerate(chosen):
        title, remark = _told(picture, int(frames.epochs[index]))
        panel = Panel(page, place, limits, title, remark)
        _draw(panel, _map(frames, index), width=1.1)
        _rows(panel, picture, 1.7)
    y = rows.legend(page, picture, top=page.top - 0.09, floor=page.bottom + 0.2)
    ink = page.theme.ink
    page.line([(page.key - 0.01, y - 0.03), (page.key + 0.13, y - 0.03)], colour=ink, width=1.1)
    page.text(page.key + 0.19, y - 0.074, "decision boundary")
    split = _scored(picture)
    if split:
        told, muted = f"percent: {split} accuracy", page.theme.muted
        page.text(page.key, y - 0.34, told, size=8.0, colour=muted)
    return page


def animation(picture: Picture) -> bytes:
    """The frames as the bytes of an animated WebP; it repeats for ever."""
    frames = picture.frames
    assert frames is not None
    images = [Image.fromarray(pixels(_still(picture, frames, i))) for i in range(len(frames))]
    target = io.BytesIO()
    images[0].save(
        target, "WEBP", save_all=True, append_images=images[1:], loop=0, quality=_QUALITY,
        method=0, duration=[_SHOWN] * (len(images) - 1) + [_HELD],
    )  # fmt: skip
    return target.getvalue()


def _still(picture: Picture, frames: Frames, index: int) -> Sheet:
    limits = _limits(frames)
    across, up = linear(*limits[:2], room=_LARGE), linear(*limits[2:])
    aside = beside(up)
    page = Sheet(
        picture, panels=[_LARGE], height=_LARGE, left=aside + 0.24,
        note="; ".join(note for note in (picture.note, picture.map_note) if note),
    )  # fmt: skip
    title, remark = _told(picture, int(frames.epochs[index]))
    if remark:
        remark = f"{_scored(picture)} accuracy {remark}"
    panel = Panel(page, 0, limits, title, remark)
    panel.ticks(across, up)
    panel.labels(*picture.axes, beside=aside)
    _draw(panel, _finer(_map(frames, index), _FINER), width=1.5)
    rows.scatter(panel, picture, TRAIN)
    rows.legend(page, picture, top=page.top - 0.09, floor=page.bottom + 0.2)
    return page


def _limits(frames: Frames) -> tuple[float, float, float, float]:
    x, y = frames.xs, frames.ys
    return float(x[0]), float(x[-1]), float(y[0]), float(y[-1])


def _told(picture: Picture, epoch: int) -> tuple[str, str]:
    """A frame's title, and its accuracy where that epoch was evaluated."""
    at = np.flatnonzero(picture.history.get("epoch", np.zeros(0)) == epoch)
    split = _scored(picture)
    if not split or not len(at):
        return f"epoch {epoch:,}", ""
    share = float(picture.history[f"{split}/accuracy"][at[0]])
    return f"epoch {epoch:,}", percent(share) if np.isfinite(share) else ""


def _scored(picture: Picture) -> str:
    """The split whose accuracy is told: test, or train where there is none."""
    return next((s for s in ("test", "train") if f"{s}/accuracy" in picture.history), "")


def _map(frames: Frames, index: int) -> Map:
    return Map(frames.xs, frames.ys, _unstepped(frames.map(index)))


def _draw(panel: Panel, given: Map, *, width: float) -> None:
    theme = panel.sheet.theme
    decision = Decision(given, theme)
    panel.image(decision.pixels)
    panel.lines(decision.boundary, colour=theme.ink, width=width, cap="round", simplify=True)


def _rows(panel: Panel, picture: Picture, size: float) -> None:
    """Some training rows as small dots, enough to see where each class lies."""
    members = np.flatnonzero(picture.split == TRAIN)
    if len(members) > _MOST_ROWS:
        members = members[np.linspace(0, len(members) - 1, _MOST_ROWS).astype(np.intp)]
    labels = picture.labels[members]
    for label in np.unique(labels).tolist():
        look: dict[str, Any] = rows.look(panel.sheet, picture, label, TRAIN, size)
        look |= {"thickness": 0.0, "edge": look["fill"]}
        panel.points(picture.points[members[labels == label]], layer=4.0, **look)


def _finer(given: Map, factor: int) -> Map:
    """A map with `factor` points for each step of its grid, bent smoothly between.

    In logarithms, which run nearly straight where probabilities are steps.
    """
    xs, ys = (
        np.linspace(line[0], line[-1], factor * (len(line) - 1) + 1)
        for line in (given.xs, given.ys)
    )
    edge = 0.5 - 0.5 / factor
    box = (edge, edge, edge + len(xs) / factor, edge + len(ys) / factor)
    logs = [
        np.asarray(Image.fromarray(layer).resize((len(xs), len(ys)), Image.Resampling.BICUBIC, box))
        for layer in np.log(given.probabilities)
    ]
    found = np.exp(np.stack(logs) - np.max(logs, axis=0))
    return Map(xs, ys, found / found.sum(axis=0))


def _unstepped(chances: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of 255 levels; blurred where it is so flat that these would show as terraces."""
    if max(float(np.abs(np.diff(chances, axis=axis)).max()) for axis in (1, 2)) > _FLAT:
        return chances
    for axis in (1, 2):
        room = [(0, 0), (0, 0), (0, 0)]
        room[axis] = (_BLUR, _BLUR)
        total = np.cumsum(np.pad(chances, room, mode="edge"), axis=axis, dtype=np.float64)
        total = np.insert(total, 0, 0.0, axis=axis)
        width, side = 2 * _BLUR + 1, chances.shape[axis]
        ends = np.take(total, range(width, width + side), axis)
        mean = (ends - np.take(total, range(side), axis)) / width
        chances = mean.astype(np.float32)
    return chances

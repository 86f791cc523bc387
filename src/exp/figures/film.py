"""The boundary over time: stills on one sheet, and an animation."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exp.figures import rows
from exp.figures.decision import Decision, Map
from exp.figures.frames import Frames
from exp.figures.numbers import percent
from exp.figures.panel import Panel, beside
from exp.figures.picture import TRAIN, Picture
from exp.figures.png import pixels
from exp.figures.sheet import Sheet
from exp.figures.ticks import linear

_STILLS, _SIDE = 8, 1.72  # inches
_MOST_ROWS = 300
_LARGE = 4.1
_FINER = 4  # points of an animated map for each of a frame's
_SHOWN, _HELD = 280, 2000  # milliseconds of a frame, and of the last one


def strip(picture: Picture) -> Sheet:
    """Up to eight stills, the first and the last frame among them."""
    frames = picture.frames
    if frames is None or not len(frames):
        page = Sheet(picture, panels=[5.0], height=1.0, left=0.4, bottom=0.4)
        Panel(page, 0, (0.0, 1.0, 0.0, 1.0), "boundary over time").empty(
            "no frames were kept (figures.frames=0)"
        )
        return page
    chosen = np.unique(np.linspace(0, len(frames) - 1, _STILLS).round().astype(int)).tolist()
    across = min(len(chosen), 4)
    page = Sheet(
        picture,
        panels=[_SIDE] * across,
        height=[_SIDE] * -(-len(chosen) // across),
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
        given = Map(frames.xs, frames.ys, _finer(frames.map(index), 2))
        _draw(panel, picture, _spread(given, 2), width=1.1)
        _rows(panel, picture, 1.7)
    y = rows.legend(page, picture, top=page.top - 0.09, floor=page.bottom + 0.2)
    ink = page.theme.ink
    page.line([(page.key - 0.01, y - 0.03), (page.key + 0.13, y - 0.03)], colour=ink, width=1.1)
    page.text(page.key + 0.19, y - 0.074, "decision boundary")
    split = _scored(picture)
    if split:
        page.text(page.key, y - 0.34, f"percent: {split} accuracy", size=8.0, colour=page.theme.muted)
    return page


def animation(picture: Picture) -> bytes:
    """The frames as the bytes of an animated WebP, without loss; it repeats for ever."""
    frames = picture.frames
    assert frames is not None
    images = [Image.fromarray(pixels(_still(picture, frames, i))) for i in range(len(frames))]
    target = io.BytesIO()
    images[0].save(
        target, "WEBP", save_all=True, append_images=images[1:], loop=0, lossless=True, quality=30,
        method=2, duration=[_SHOWN] * (len(images) - 1) + [_HELD],
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
    panel = Panel(page, 0, limits, title, remark)
    panel.ticks(across, up)
    panel.labels(*picture.axes, beside=aside)
    given = Map(frames.xs, frames.ys, _finer(frames.map(index), _FINER))
    _draw(panel, picture, _spread(given, _FINER), width=1.5)
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


def _draw(panel: Panel, picture: Picture, given: Map, *, width: float) -> None:
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


def _finer(chances: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """A map `[K, G, G]` with `factor` points for each step of its grid, bent smoothly between.

    In logarithms, which run nearly straight where probabilities are steps.
    """
    chances = _unstepped(chances)
    sides = [factor * (side - 1) + 1 for side in chances.shape[1:]]
    edge = 0.5 - 0.5 / factor
    box = (edge, edge, edge + sides[1] / factor, edge + sides[0] / factor)
    logs = [
        np.asarray(
            Image.fromarray(layer).resize((sides[1], sides[0]), Image.Resampling.BICUBIC, box)
        )
        for layer in np.log(chances)
    ]
    found = np.exp(np.stack(logs) - np.max(logs, axis=0))
    shares: NDArray[np.float32] = found / found.sum(axis=0)
    return shares


def _unstepped(chances: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of 255 levels made smooth where it is so flat that these show as terraces."""
    blurred = chances
    for axis in (1, 2):
        padded = np.pad(blurred, [(0, 0) if a != axis else (3, 3) for a in range(3)], mode="edge")
        parts = [np.take(padded, range(i, i + chances.shape[axis]), axis) for i in range(7)]
        blurred = np.mean(parts, axis=0, dtype=np.float32)
    steep = sum(np.abs(np.gradient(blurred, axis=axis)) for axis in (1, 2)).max(axis=0)
    share = np.exp(-((steep * np.float32(255 / 3)) ** 2))
    mixed: NDArray[np.float32] = chances + (blurred - chances) * share
    return mixed


def _spread(given: Map, factor: int) -> Map:
    """With as many grid lines as the finer map has."""
    xs, ys = (
        np.linspace(line[0], line[-1], factor * (len(line) - 1) + 1)
        for line in (given.xs, given.ys)
    )
    return Map(xs, ys, given.probabilities)

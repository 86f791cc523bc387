"""How the decision boundary came about: stills on one figure."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exp.plotting import layout, points
from exp.plotting.decision_map import DecisionMap, Map
from exp.plotting.frames import Frames
from exp.plotting.numbers import percent
from exp.plotting.picture import TRAIN, Picture
from exp.plotting.style import THEMES

_STILLS, _ACROSS, _SIDE = 8, 4, 1.5  # inches
_MOST_ROWS = 300
_ALIKE = 0.02  # the mean distance of probabilities below which two maps look the same
_FLAT = 8 / 255  # the steepest step of a flat map


def draw(picture: Picture) -> Figure:
    """Up to eight stills, the first and the last frame among them."""
    frames, theme = picture.frames, THEMES[picture.theme]
    if frames is None or not len(frames):
        return layout.notice("boundary over time", "no frames were saved (figures.frames=0)")
    chosen = different(frames, _STILLS)
    figure = layout.figure()
    rows = -(-len(chosen) // _ACROSS)
    grid = layout.panels(figure, [_SIDE] * _ACROSS, [_SIDE] * rows, gap=(0.14, 0.38))
    every = [axes for row in grid for axes in row]
    for axes, index in zip(every, chosen, strict=False):
        layout.title(axes, *epoch_and_score(picture, int(frames.epochs[index])))
        decision = DecisionMap(still(frames, index), theme)
        decision.shade(axes)
        decision.outline(axes, width=1.1)
        _dots(axes, picture)
        axes.set(xlim=frames.xs[[0, -1]], ylim=frames.ys[[0, -1]], xticks=[], yticks=[])
    entries = points.handles(picture.classes, theme, 8 * rows)
    entries.append(points.handle("decision boundary", color=theme.ink, linewidth=1.1))
    if split := scored(picture):
        entries.append(points.handle(f"percent: {split} accuracy"))
    layout.legend(grid[0][-1], entries)
    for unused in every[len(chosen) :]:
        unused.remove()
    layout.note(figure, picture.note, picture.map_note, below=0.2)
    return figure


def different(frames: Frames, most: int) -> list[int]:
    """Frames that look different, at most so many, the first and the last among them.

    From each to the next the map changes about as much: where it hardly changes for a long time,
    there is one frame of that time.
    """
    probabilities = frames.probabilities[:, :, ::2, ::2].astype(np.float32) / 255
    # The distance of two neighbours: the mean over the plane of their total variation distance.
    share = 1.0 if len(frames.classes) == 2 else 0.5
    steps = np.abs(np.diff(probabilities, axis=0)).sum(axis=1).mean(axis=(1, 2)) * share
    way = np.concatenate([[0.0], np.cumsum(steps)])
    marks = np.linspace(0.0, way[-1], most)
    chosen = np.unique(np.abs(way[:, None] - marks).argmin(axis=0))
    last, kept = len(frames) - 1, [0]

    def alike(one: int, other: int) -> bool:
        apart = np.abs(probabilities[one] - probabilities[other]).sum(axis=0).mean()
        return float(apart) * share < _ALIKE

    for place in chosen.tolist():
        if not alike(place, kept[-1]) and not alike(place, last):
            kept.append(place)
    return [*kept, last] if last else kept


def still(frames: Frames, index: int, *, finer: int = 1) -> Map:
    """One frame, of which only 255 levels of probability were kept.

    Args:
        finer: points for each of the frame's, along each side; curved smoothly between.
    """
    from scipy import ndimage  # most runs draw no stills

    p = frames.map(index)
    if max(float(np.abs(np.diff(p, axis=axis)).max()) for axis in (1, 2)) <= _FLAT:
        # So flat that the levels would show as terraces.
        p = ndimage.uniform_filter(p, size=(1, 7, 7), mode="nearest")
    xs, ys = frames.xs, frames.ys
    if finer > 1:
        xs, ys = (np.linspace(line[0], line[-1], finer * len(line)) for line in (xs, ys))
        # In logarithms, which run nearly straight where probabilities are steps.
        logs = ndimage.zoom(np.log(p), (1, finer, finer), order=3, mode="nearest")
        p = np.exp(logs - logs.max(axis=0))
        p /= p.sum(axis=0)
    return Map(xs, ys, p)


def epoch_and_score(picture: Picture, epoch: int) -> tuple[str, str]:
    """A frame's title, and its accuracy where that epoch was evaluated."""
    at = np.flatnonzero(picture.history.get("epoch", np.zeros(0)) == epoch)
    split = scored(picture)
    if not split or not len(at):
        return f"epoch {epoch:,}", ""
    share = float(picture.history[f"{split}/accuracy"][at[0]])
    return f"epoch {epoch:,}", percent(share) if np.isfinite(share) else ""


def scored(picture: Picture) -> str:
    """The split whose accuracy is shown: test, or train where there is none; or neither."""
    return next((s for s in ("test", "train") if f"{s}/accuracy" in picture.history), "")


def _dots(axes: Axes, picture: Picture) -> None:
    """Some training rows as small dots, enough to see where each class lies."""
    members, theme = np.flatnonzero(picture.split == TRAIN), THEMES[picture.theme]
    if len(members) > _MOST_ROWS:
        members = members[np.linspace(0, len(members) - 1, _MOST_ROWS).astype(np.intp)]
    labels = picture.labels[members]
    for label in np.unique(labels).tolist():
        x, y = picture.points[members[labels == label]].T
        look = points.class_look(label, len(picture.classes), TRAIN, 1.7, theme)
        axes.plot(x, y, zorder=4, **look | {"markeredgewidth": 0.0})

"""The network as one diagram: each unit's map of the plane is a node, each weight a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from exp.plotting import layout, points
from exp.plotting.decision_map import DecisionMap, colours
from exp.plotting.hidden_units import shades, share
from exp.plotting.picture import TRAIN, Picture
from exp.plotting.points import handle
from exp.plotting.style import NORMAL, SMALL, THEMES, Theme, palette, wrapped

_MOST = 16
"""Units of a layer that are drawn, those with the largest weights."""
_HEIGHT, _LARGEST, _SMALLEST = 5.6, 0.74, 0.28  # inches of a column, of a node at most and at least
_GAP = 0.16  # between two nodes, as a share of a node
_BETWEEN, _WIDE = 1.15, 1.7  # inches between columns, and of the map of a single output
_THIN, _THICK = 0.25, 4.0  # points: a line of no weight, and of the largest one
_DOTS = 200  # rows on the map of a single output


@dataclass(frozen=True, eq=False)
class _Column:
    """A layer as it is drawn.

    Attributes:
        title, remark: above it.
        kept: `[nodes]` which of its units are drawn.
        images: of each node, RGB `[G, G, 3]`.
        names: beside each node; may be empty.
    """

    title: str
    remark: str
    kept: NDArray[np.intp]
    images: Sequence[NDArray[np.floating]]
    names: list[str]


def draw(picture: Picture) -> Figure:
    """Inputs left, outputs right; a line is the thicker the larger its weight is."""
    if picture.no_units or not picture.weights:
        reason = picture.no_units or "this model is not a chain of linear layers"
        return layout.notice("network", reason)
    theme = THEMES[picture.theme]
    figure, columns = layout.figure(), _columns(picture, theme)
    sizes = [_side(len(column.kept)) for column in columns]
    single = len(columns[-1].kept) == 1 and len(picture.classes) == 2
    if single:
        sizes[-1] = _WIDE
    lefts = np.cumsum([0.0, *(size + _BETWEEN for size in sizes)]).tolist()
    width = lefts[-1] - _BETWEEN
    counts = [len(column.kept) for column in columns]
    height = max(_tall(n, size) for n, size in zip(counts, sizes, strict=True))
    sheet = layout.axes(figure, 0.0, 0.0, width, height)
    sheet.set(xlim=(0.0, width), ylim=(0.0, height))
    sheet.axis("off")
    nodes = [_places(n, size, height) for n, size in zip(counts, sizes, strict=True)]
    _lines(sheet, picture.weights, columns, nodes, lefts, sizes, theme)
    for place, column in enumerate(columns):
        left, size = lefts[place], sizes[place]
        top = max(nodes[place]) + size
        sheet.text(left, top + 0.29, column.title, weight="bold", size=NORMAL)
        sheet.text(left, top + 0.13, column.remark, size=SMALL, color=theme.muted)
        last = place == len(columns) - 1
        for bottom, image, name in zip(nodes[place], column.images, column.names, strict=True):
            box = (left, left + size, bottom, bottom + size)
            sheet.imshow(image, extent=box, interpolation="bilinear", zorder=3, aspect="auto")
            x, side = (left + size + 0.08, "left") if last else (left - 0.08, "right")
            middle = bottom + size / 2
            sheet.text(x, middle, name, ha=side, va="center", size=SMALL, color=theme.muted)
        frames = [Rectangle((left, bottom), size, size) for bottom in nodes[place]]
        edges = PatchCollection(frames, facecolor="none", edgecolor=theme.muted, zorder=4)
        edges.set(linewidth=0.8, clip_on=False)
        sheet.add_collection(edges)
    if single:
        _rows(sheet, picture, lefts[-2], nodes[-1][0], _WIDE, theme)
    _key(sheet, picture, theme, rows=single)
    left_out = sum(len(w) for w in picture.weights[:-1]) - sum(len(c.kept) for c in columns[1:-1])
    some = f"not drawn: {left_out:,} units with small weights" if left_out else ""
    axes = f"every map: {picture.axes[0]} across, {picture.axes[1]} up"
    layout.note(figure, axes, some, below=0.2)
    return figure


def _columns(picture: Picture, theme: Theme) -> list[_Column]:
    """The layers from the inputs to the outputs."""
    count = picture.inputs.shape[0]
    inputs = _largest(picture.weights[0].T)
    found = [
        _Column(
            "inputs", "", inputs, [shades(share(picture.inputs[i]), theme) for i in inputs],
            [wrapped(picture.input_names[i], 16, 2) for i in inputs],
        )
    ]  # fmt: skip
    if len(inputs) < count:
        found[0] = _Column("inputs", f"{len(inputs)} of {count}", *_content(found[0]))
    start = 0
    for layer, weights in enumerate(picture.weights[:-1]):
        units = len(weights)
        kept = _largest(np.vstack([weights.T, picture.weights[layer + 1]]).T)
        about = f"{units} units" if len(kept) == units else f"{len(kept)} of {units} units"
        images = [shades(share(picture.units[start + unit]), theme) for unit in kept]
        names = [""] * len(kept)
        found.append(_Column(f"layer {layer + 1}", about, kept, images, names))
        start += units
    return [*found, _outputs(picture, theme)]


def _content(column: _Column) -> tuple[NDArray[np.intp], Sequence[NDArray[np.floating]], list[str]]:
    return column.kept, column.images, column.names


def _largest(weights: NDArray[np.floating]) -> NDArray[np.intp]:
    """Which units `[units, weights]` are drawn, in their order."""
    sums = np.abs(np.nan_to_num(weights)).sum(axis=1)
    return np.sort(np.argsort(-sums, kind="stable")[:_MOST])


def _outputs(picture: Picture, theme: Theme) -> _Column:
    """The last layer: probabilities in the colours of the classes, or a number."""
    outputs, count = len(picture.weights[-1]), len(picture.classes)
    if not count:
        values = picture.probabilities[0]
        return _Column("output", "", np.arange(1), [shades(share(values), theme)], ["prediction"])
    if outputs == 1:
        return _Column(
            "output", "prediction", np.arange(1), [DecisionMap(picture, theme).image], [""]
        )
    kept = _largest(picture.weights[-1])
    images = [
        colours(np.nan_to_num(picture.probabilities[k]), np.full((1, 1), k), count, theme)
        for k in kept
    ]
    names = [wrapped(picture.classes[k], 20, 2) for k in kept]
    about = "probabilities" if len(kept) == outputs else f"{len(kept)} of {outputs}"
    return _Column("outputs", about, kept, images, names)


def _side(nodes: int) -> float:
    """How large a node is in a column of so many."""
    return float(np.clip(_HEIGHT / (nodes * (1 + _GAP)), _SMALLEST, _LARGEST))


def _tall(nodes: int, size: float) -> float:
    """How tall a column is."""
    return size * (nodes * (1 + _GAP) - _GAP)


def _places(nodes: int, size: float, height: float) -> list[float]:
    """Where the lower edges of a column's nodes are, the first node at the top."""
    top = (height + _tall(nodes, size)) / 2 - size
    return [top - size * (1 + _GAP) * node for node in range(nodes)]


def _lines(
    sheet: Axes,
    weights: Sequence[NDArray[np.floating]],
    columns: Sequence[_Column],
    nodes: Sequence[Sequence[float]],
    lefts: Sequence[float],
    sizes: Sequence[float],
    theme: Theme,
) -> None:
    """The weights between the drawn nodes, the largest on top."""
    largest = max(float(np.abs(np.nan_to_num(w)).max(initial=0.0)) for w in weights) or 1.0
    ends, values = [], []
    for at, layer in enumerate(weights):
        x0, x1 = lefts[at] + sizes[at], lefts[at + 1]
        for row, unit in enumerate(columns[at + 1].kept.tolist()):
            for column, source in enumerate(columns[at].kept.tolist()):
                y0 = nodes[at][column] + sizes[at] / 2
                y1 = nodes[at + 1][row] + sizes[at + 1] / 2
                ends.append(_curve(x0, y0, x1, y1))
                values.append(float(np.nan_to_num(layer[unit, source])) / largest)
    size = np.abs(values)
    order = np.argsort(size)
    hues = palette(2, theme)[np.where(np.array(values) >= 0, 1, 0)]
    look = {
        "colors": [(*hues[i], 0.25 + 0.7 * size[i]) for i in order],
        "linewidths": (_THIN + (_THICK - _THIN) * size[order]).tolist(),
        "zorder": 2,
    }
    sheet.add_collection(LineCollection([ends[i] for i in order], **look), autolim=False)


def _curve(x0: float, y0: float, x1: float, y1: float) -> NDArray[np.float64]:
    """A line that leaves and arrives horizontally."""
    t = np.linspace(0.0, 1.0, 24)
    return np.column_stack([x0 + (x1 - x0) * t, y0 + (y1 - y0) * t * t * (3 - 2 * t)])


def _rows(
    sheet: Axes, picture: Picture, left: float, bottom: float, size: float, theme: Theme
) -> None:
    """The boundary and some training rows on the map of the output."""
    x0, x1, y0, y1 = points.window(picture)
    scale = np.array([size / (x1 - x0), size / (y1 - y0)])
    corner = np.array([left, bottom]) - np.array([x0, y0]) * scale
    found = [corner + line * scale for line in DecisionMap(picture, theme).boundary]
    sheet.add_collection(LineCollection(found, colors=[theme.ink], linewidths=1.2, zorder=3.5))
    for label, places in points.some(picture, TRAIN, _DOTS):
        look = points.class_look(label, len(picture.classes), TRAIN, 2.6, theme)
        sheet.plot(*(corner + places * scale).T, **look | {"zorder": 3.6, "markeredgewidth": 0.3})


def _key(sheet: Axes, picture: Picture, theme: Theme, *, rows: bool) -> None:
    """What colours and lines mean."""
    negative, positive = (palette(2, theme)[k].tolist() for k in (0, 1))
    square = {"marker": "s", "linestyle": "none", "markersize": 7.0}
    entries = [
        handle("weight above 0", color=positive, linewidth=3.0),
        handle("weight below 0", color=negative, linewidth=3.0),
        handle("unit above 0", color=positive, **square),
        handle("unit below 0", color=negative, **square),
    ]
    if rows:
        entries += points.handles(picture.classes, theme, 8)
        entries.append(handle("decision boundary", color=theme.ink, linewidth=1.2))
    width = sheet.get_position().width
    layout.legend(sheet, entries, bbox_to_anchor=(1.0 + (0.28 if rows else 1.4) / width, 1.0))

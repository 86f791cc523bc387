"""How large the weights and the gradients of each layer were, over the epochs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.numbers import number
from exp.plotting.picture import Picture
from exp.plotting.points import MOST_LISTED, handle
from exp.plotting.style import THEMES, Theme, line, wrapped

_LOG_FROM = 20.0  # values that differ by this factor are shown on a logarithmic scale

Values = NDArray[np.float64]


def draw(picture: Picture) -> Figure:
    """Euclidean norms of weights and of their gradients, a line for each layer."""
    figure, table, theme = layout.figure(), picture.norms, THEMES[picture.theme]
    ((left, right),) = layout.panels(figure, [4.0, 4.0], [3.3], gap=(0.62, 0.0))
    layers = [name.partition("/")[2] for name in table if name.startswith("weight/")]
    for axes, what in ((left, "weight"), (right, "gradient")):
        lines = [table[f"{what}/{layer}"] for layer in layers]
        _panel(axes, f"norm of {what}s", table.get("epoch", np.zeros(0)), lines, theme)
    if layers:
        entries = [
            handle(_described(table, layers, place), **line(place, len(layers), theme))
            for place in range(min(len(layers), MOST_LISTED // 2))
        ]
        if len(entries) < len(layers):
            entries.append(handle(f"and {len(layers) - len(entries)} more layers"))
        layout.legend(right, [*entries, handle("numbers: norms after the last epoch")])
    return figure


def _panel(axes: Axes, title: str, epochs: Values, lines: list[Values], theme: Theme) -> None:
    found = np.concatenate([np.zeros(0), *lines])
    found = found[np.isfinite(found) & (found < 1e300)]
    if not len(epochs) or not len(found):
        layout.title(axes, title)
        layout.empty(axes, "not recorded" if not len(epochs) else "no finite value")
        axes.set(xticks=[], yticks=[])
        return
    positive = found[found > 0]
    log = len(positive) > 0 and found.max() > _LOG_FROM * positive.min()
    for place, values in enumerate(lines):
        shown = np.where(values > 0, values, np.nan) if log else values
        look = line(place, len(lines), theme)
        if np.isfinite(shown).sum() == 1:
            look |= {"marker": "o", "markersize": 5.5}
        axes.plot(epochs, shown, zorder=4, **look)
    layout.epochs(axes, float(epochs.min()), float(epochs.max()))
    if log:
        margin = (found.max() / positive.min()) ** 0.05
        axes.set_ylim(positive.min() / margin, found.max() * margin)
        layout.log_scale(axes)
    else:
        axes.set_ylim(0.0, max(float(found.max()) * 1.05, 1e-30))
    axes.grid(True)
    layout.title(axes, title, "log scale" if log else "")


def _described(table: dict[str, Values], layers: list[str], place: int) -> str:
    """A layer, by its number or by its name, and its last norms."""
    layer = layers[place]
    name = layer.removesuffix(".weight")
    if not name.replace(".", "").isdigit():
        name = wrapped(name)
    else:
        name = "output layer" if place == len(layers) - 1 else f"hidden layer {place + 1}"
    weight, gradient = (_last(table[f"{what}/{layer}"]) for what in ("weight", "gradient"))
    return f"{name}\nweights {weight}\ngradients {gradient}"


def _last(values: Values) -> str:
    last = float(values[-1]) if len(values) else np.nan
    return number(last, places=True) if np.isfinite(last) else "not finite"

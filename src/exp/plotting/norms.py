"""How large the weights and the gradients of each layer were, over the epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.plotting.numbers import number
from exp.plotting.panel import Panel
from exp.plotting.picture import Picture
from exp.plotting.sheet import KEY, Sheet
from exp.plotting.style import stroke
from exp.plotting.text import plain
from exp.plotting.ticks import linear, logarithmic

_LOG_FROM = 20.0
_MOST = 2000  # points of a line


def sheet(picture: Picture) -> Sheet:
    """Euclidean norms of weights and of their gradients, a line for each layer."""
    page = Sheet(picture, panels=[4.0, 4.0], height=3.3, gap=0.62, bottom=0.62)
    table = picture.norms
    layers = [name.partition("/")[2] for name in table if name.startswith("weight/")]
    for index, what in enumerate(("weight", "gradient")):
        title = {"weight": "norm of weights", "gradient": "norm of gradients"}[what]
        lines = [table[f"{what}/{layer}"] for layer in layers]
        _panel(page, index, title, table.get("epoch", np.zeros(0)), lines)
    _key(page, layers, table)
    return page


def _panel(
    sheet: Sheet, index: int, title: str, epochs: NDArray[Any], lines: list[NDArray[Any]]
) -> None:
    found = np.concatenate([np.zeros(0), *lines])
    found = found[np.isfinite(found) & (found < 1e300)]
    if not len(epochs) or not len(found):
        panel = Panel(sheet, index, (0.0, 1.0, 0.0, 1.0), title)
        panel.empty("not recorded" if not len(epochs) else "no finite value")
        return
    positive = found[found > 0]
    log = len(positive) > 0 and found.max() > _LOG_FROM * positive.min()
    if log:
        low, high = np.log10(positive.min()), np.log10(found.max())
    else:
        low, high = 0.0, max(float(found.max()), 1e-30)
    margin = max((high - low) * 0.05, 1e-9 if log else 0.0)
    low = float(low - margin) if log else 0.0
    high = float(high + margin)
    first, last = float(epochs.min()), float(epochs.max())
    pad = (last - first) * 0.025 if last > first else 1.0
    limits = (first - pad, last + pad, low, high)
    panel = Panel(sheet, index, limits, title, "log scale" if log else "")
    across = linear(first - pad, last + pad, room=sheet.widths[index])
    panel.ticks(across, logarithmic(low, high) if log else linear(low, high), grid=True)
    panel.labels("epoch", "", below=0.38)
    stride = max(1, len(epochs) // _MOST)
    for place, values in enumerate(lines):
        with np.errstate(divide="ignore", invalid="ignore"):
            shown = np.log10(values) if log else values
        shown = np.where(np.isfinite(shown), shown, np.nan)
        line = np.column_stack([epochs, shown])[::stride]
        style = stroke(place, len(lines), sheet.theme)
        panel.lines([line], layer=4.0, simplify=True, **style)
        if np.isfinite(line[:, 1]).sum() == 1:
            colour = style["colour"]
            dot = {"shape": "o", "size": 5.5, "fill": colour, "edge": colour, "thickness": 1.0}
            panel.points(line[np.isfinite(line[:, 1])], layer=4.0, **dot)


def _key(sheet: Sheet, layers: list[str], table: dict[str, NDArray[Any]]) -> None:
    x, y, theme = sheet.key, sheet.top - 0.13, sheet.theme
    for place, layer in enumerate(layers):
        if y < sheet.bottom + 0.3:
            sheet.text(x, y, f"and {len(layers) - place} more layers", colour=theme.muted)
            return
        sheet.line([(x, y + 0.04), (x + 0.26, y + 0.04)], **stroke(place, len(layers), theme))
        sheet.text(x + 0.34, y, _named(layer, place, len(layers)))
        for what in ("weight", "gradient"):
            y -= 0.165
            sheet.text(x + 0.34, y, what, size=8.0, colour=theme.muted)
            values = table[f"{what}/{layer}"]
            last = float(values[-1]) if len(values) else np.nan
            text = number(last, places=True) if np.isfinite(last) else "not finite"
            sheet.text(x + KEY, y, text, size=8.0, colour=theme.muted, align="right", limit=0.9)
        y -= 0.25
    if layers:
        sheet.text(x, y, "numbers: after the last epoch", size=8.0, colour=theme.muted)


def _named(layer: str, place: int, count: int) -> str:
    """A layer by its number; one with a name of its own by that."""
    name = layer.removesuffix(".weight")
    if not name.replace(".", "").isdigit():
        return plain(name)
    return "output layer" if place == count - 1 else f"hidden layer {place + 1}"

"""Learning curves: loss and accuracy or RMSE, and the learning rate where it changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.plotting.numbers import number, percent
from exp.plotting.panel import Panel
from exp.plotting.picture import Picture
from exp.plotting.sheet import KEY, Sheet
from exp.plotting.style import Theme
from exp.plotting.ticks import Ticks, linear, logarithmic

Values = NDArray[np.float64]

SPLITS = ("train", "validation", "test")
_MOST = 2000  # points of a line: more than its panel has pixels
_LOG_FROM = 20.0  # a value that changes by this factor is shown on a logarithmic scale


def sheet(picture: Picture) -> Sheet:
    """Each metric over the epochs, for every split that has it."""
    history = picture.history
    metrics = ["loss", _second(picture)]
    rate = history.get("lr", np.zeros(0))
    if np.isfinite(rate).any() and np.nanmin(rate) < np.nanmax(rate):
        metrics.append("learning rate")
    widths = [4.0, 4.0] if len(metrics) == 2 else [3.3, 3.3, 1.9]
    page = Sheet(picture, panels=widths, height=3.3, gap=0.62, bottom=0.62)
    for index, metric in enumerate(metrics):
        if metric == "learning rate":
            lines = {"": rate}
        else:
            names = {split: f"{split}/{metric}" for split in SPLITS}
            lines = {split: history[name] for split, name in names.items() if name in history}
        _panel(page, index, picture, metric, lines)
    _key(page, picture)
    return page


def _second(picture: Picture) -> str:
    """The metric beside the loss."""
    return "rmse" if picture.numeric else "accuracy"


def _title(metric: str) -> str:
    return "RMSE" if metric == "rmse" else metric


def _panel(
    sheet: Sheet, index: int, picture: Picture, metric: str, lines: dict[str, Values]
) -> None:
    theme = sheet.theme
    epochs = picture.history.get("epoch", np.zeros(0))
    finite = np.concatenate([np.zeros(0), *lines.values()])
    finite = finite[_finite(finite)]
    if not len(epochs) or not len(finite):
        panel = Panel(sheet, index, (0.0, 1.0, 0.0, 1.0), _title(metric))
        panel.empty("no epochs" if not len(epochs) else "no finite value")
        return

    log = _is_log(finite, metric)
    first, last = float(epochs.min()), float(epochs.max())
    pad = (last - first) * 0.025 if last > first else 1.0
    low, high = _limits(np.log10(finite) if log else finite, metric, from_zero=not log)
    broken = _diverged(epochs, lines)
    remarks = ["log scale"] if log else []
    if broken is not None:
        remarks.append(f"not finite from epoch {broken:,.0f} on")
    limits = (first - pad, last + pad, low, high)
    panel = Panel(sheet, index, limits, _title(metric), ", ".join(remarks))
    across = _epochs(epochs, first - pad, last + pad, sheet.widths[index])
    panel.ticks(across, _ticks(low, high, metric, log), grid=True)
    panel.labels("epoch", "", below=0.38)
    if broken is not None:
        rest = [(broken, low), (last + pad, high)]
        panel.fill(rest, colour=theme.wrong, alpha=0.13, layer=0.5)
    best = picture.best_epoch
    if best is not None:
        panel.lines([[(best, low), (best, high)]], **_best(theme))
    for split, values in lines.items():
        shown = np.where(_finite(values), values, np.nan)
        shown = np.log10(shown) if log else shown
        x, y = _thinned(epochs, shown)
        style = _style(theme, split)
        line = np.column_stack([x, y])
        panel.lines([line], layer=4.0, simplify=True, **style)
        dot = {"shape": "o", "fill": style["colour"], "thickness": 1.0}
        if np.isfinite(y).sum() == 1:
            alone = line[np.isfinite(y)]
            panel.points(alone, layer=4.0, size=5.5, edge=style["colour"], **dot)
        at = epochs == best
        if split in ("validation", "test") and at.any():
            best_point = np.column_stack([epochs[at], shown[at]])
            panel.points(best_point, layer=5.0, size=5.8, edge=theme.page, **dot)


def _is_log(finite: Values, metric: str) -> bool:
    if metric == "accuracy" or not (finite.min() > 0 and finite.max() > _LOG_FROM * finite.min()):
        return False
    # A learning rate that only ends near nothing, as a cosine does, would be all fall.
    return metric in ("loss", "rmse") or bool(np.quantile(finite, 0.25) < finite.max() / 8)


def _finite(values: Values) -> NDArray[np.bool_]:
    """What can be drawn: the last numbers before infinity cannot even be given a margin."""
    return np.abs(values) < 1e300  # NaN is not


def _style(theme: Theme, split: str) -> dict[str, Any]:
    if split == "train":
        return {"colour": theme.train, "width": 1.5, "cap": "projecting"}
    if split == "validation":
        return {"colour": theme.validation, "width": 1.5, "dashes": (4, 1.6)}
    colour = theme.test if split == "test" else theme.ink
    return {"colour": colour, "width": 1.6, "cap": "projecting"}


def _best(theme: Theme) -> dict[str, Any]:
    return {"colour": theme.muted, "width": 0.9, "dashes": (1, 2.5)}


def _limits(finite: Values, metric: str, *, from_zero: bool) -> tuple[float, float]:
    low, high = float(finite.min()), float(finite.max())
    if metric == "accuracy":
        high = max(high, 1.0)
    if not high > low:
        low, high = low - max(abs(low) * 0.1, 0.01), high + max(abs(high) * 0.1, 0.01)
    margin = (high - low) * 0.05
    if metric != "accuracy" and from_zero and 0 <= low < high / 2:
        return 0.0, high + margin
    return low - margin, high + margin


def _epochs(epochs: Values, low: float, high: float, room: float) -> Ticks:
    if high - low < 6:  # no ticks between whole epochs
        places = sorted({float(epoch) for epoch in epochs})
        return places, [f"{place:.0f}" for place in places]
    return linear(low, high, room=room)


def _ticks(low: float, high: float, metric: str, log: bool) -> Ticks:
    if log:
        return logarithmic(low, high)
    if metric == "accuracy":
        marks, labels = linear(max(low, 0.0) * 100, min(high, 1.0) * 100)
        return [mark / 100 for mark in marks], [f"{label} %" for label in labels]
    return linear(low, high)


def _diverged(epochs: Values, lines: dict[str, Values]) -> float | None:
    """The first epoch from which on a line has no finite value any more."""
    firsts = []
    for values in lines.values():
        finite = np.flatnonzero(_finite(values))
        if len(finite) and finite[-1] + 1 < len(values):
            firsts.append(float(epochs[finite[-1] + 1]))
    return min(firsts, default=None)


def _thinned(x: Values, y: Values) -> tuple[Values, Values]:
    """A line of at most about `_MOST` points that keeps every peak."""
    if len(x) <= _MOST:
        return x, y
    size = -(-len(x) // (_MOST // 2))
    keep = {0, len(x) - 1}
    for start in range(0, len(x), size):
        part = y[start : start + size]
        if np.isfinite(part).any():
            keep |= {start + int(np.nanargmin(part)), start + int(np.nanargmax(part))}
        if not np.isfinite(part).all():
            keep.add(start + int(np.isnan(part).argmax()))  # where the line breaks off
    index = np.array(sorted(keep))
    return x[index], y[index]


def _key(sheet: Sheet, picture: Picture) -> None:
    epochs, theme, x = picture.history.get("epoch", np.zeros(0)), sheet.theme, sheet.key
    if not len(epochs):
        return
    y = sheet.top - 0.13
    for split in SPLITS:
        if any(f"{split}/{name}" in picture.history for name in ("loss", _second(picture))):
            sheet.line([(x, y + 0.04), (x + 0.26, y + 0.04)], **_style(theme, split))
            sheet.text(x + 0.35, y, split)
            y -= 0.23
    last, best = len(epochs) - 1, np.flatnonzero(epochs == picture.best_epoch)
    blocks = [(f"last epoch, {epochs[last]:,.0f}", last)]
    if len(best) and best[0] == last:
        blocks = [(f"last and best epoch, {epochs[last]:,.0f}", last)]
    elif len(best):
        blocks.append((f"best epoch, {picture.best_epoch:,}", int(best[0])))
    for title, place in blocks:
        y -= 0.1
        best_too = "best" in title
        if best_too:
            sheet.line([(x + 0.04, y - 0.04), (x + 0.04, y + 0.13)], **_best(theme))
        sheet.text(x + (0.12 if best_too else 0.0), y, title)
        if best_too and picture.monitor:
            y -= 0.165
            by = "by " + picture.monitor.replace("/", " ")
            sheet.text(x + 0.12, y, by, size=8.0, colour=theme.muted)
        y -= 0.19
        for metric in ("loss", _second(picture)):
            for split in SPLITS:
                values = picture.history.get(f"{split}/{metric}")
                if values is not None:
                    sheet.text(x, y, f"{split} {_title(metric)}", size=8.0, colour=theme.muted)
                    sheet.text(
                        x + KEY, y, _shown(float(values[place]), metric), size=8.0,
                        colour=theme.muted, align="right", limit=1.0,
                    )  # fmt: skip
                    y -= 0.165


def _shown(value: float, metric: str) -> str:
    if not _finite(np.array(value)):
        return "not finite"
    return percent(value) if metric == "accuracy" else number(value, places=True)

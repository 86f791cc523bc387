"""Learning curves: loss and accuracy or RMSE, and the learning rate where it changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from exp.plotting import layout
from exp.plotting.numbers import number, percent
from exp.plotting.picture import Picture
from exp.plotting.points import handle
from exp.plotting.style import THEMES, Theme

Values = NDArray[np.float64]

SPLITS = ("train", "validation", "test")
_LOG_FROM = 20.0  # a value that changes by this factor is shown on a logarithmic scale


def draw(picture: Picture) -> Figure:
    """Each metric over the epochs, for every split that has it."""
    history = picture.history
    metrics = ["loss", _second(picture)]
    rate = history.get("lr", np.zeros(0))
    if np.isfinite(rate).any() and np.nanmin(rate) < np.nanmax(rate):
        metrics.append("learning rate")
    figure = layout.figure()
    widths = [4.0, 4.0] if len(metrics) == 2 else [3.3, 3.3, 1.9]
    (row,) = layout.panels(figure, widths, [3.3], gap=(0.62, 0.0))
    for axes, metric in zip(row, metrics, strict=True):
        lines = {"": rate}
        if metric != "learning rate":
            names = {split: f"{split}/{metric}" for split in SPLITS}
            lines = {split: history[name] for split, name in names.items() if name in history}
        _panel(axes, picture, metric, lines)
    if len(history.get("epoch", ())):
        _key(figure, row[-1], picture)
    return figure


def _second(picture: Picture) -> str:
    """The metric beside the loss."""
    return "rmse" if picture.numeric else "accuracy"


def _title(metric: str) -> str:
    return "RMSE" if metric == "rmse" else metric


def _panel(axes: Axes, picture: Picture, metric: str, lines: dict[str, Values]) -> None:
    theme = THEMES[picture.theme]
    epochs = picture.history.get("epoch", np.zeros(0))
    values = np.concatenate([np.zeros(0), *lines.values()])
    finite = values[_finite(values)]
    if not len(epochs) or not len(finite):
        layout.title(axes, _title(metric))
        layout.empty(axes, "no epochs" if not len(epochs) else "no finite value")
        axes.set(xticks=[], yticks=[])
        return
    axes.grid(True)
    for split, column in lines.items():
        style = _style(theme, split)
        y = np.where(_finite(column), column, np.nan)
        single = {"marker": "o", "markersize": 5.5} if np.isfinite(y).sum() == 1 else {}
        axes.plot(epochs, y, zorder=4, **style | single)
        at = epochs == picture.best_epoch
        if split in ("validation", "test"):
            dot = {"color": style["color"], "markersize": 5.8, "markeredgecolor": theme.page}
            axes.plot(epochs[at], y[at], "o", zorder=5, **dot)
    log = _is_log(finite, metric)
    _set_limits(axes, epochs, finite, metric, log)
    remarks = ["log scale"] if log else []
    if (broken := _diverged(epochs, lines)) is not None:
        remarks.append(f"not finite from epoch {broken:,.0f} on")
        axes.axvspan(broken, axes.get_xlim()[1], color=theme.wrong, alpha=0.13, zorder=0.5)
    if picture.best_epoch is not None:
        axes.axvline(picture.best_epoch, **_best(theme))
    layout.title(axes, _title(metric), ", ".join(remarks))


def _set_limits(axes: Axes, epochs: Values, finite: Values, metric: str, log: bool) -> None:
    layout.epochs(axes, float(epochs.min()), float(epochs.max()))
    values = np.log10(finite) if log else finite
    low, high = float(values.min()), float(values.max())
    if metric == "accuracy":
        high = max(high, 1.0)
    if not high > low:
        low, high = low - max(abs(low) * 0.1, 0.01), high + max(abs(high) * 0.1, 0.01)
    margin = (high - low) * 0.05
    if log:
        axes.set_ylim(10 ** (low - margin), 10 ** min(high + margin, 303.0))
        layout.log_scale(axes)
        return
    from_zero = metric != "accuracy" and 0 <= low < high / 2
    axes.set_ylim(0.0 if from_zero else low - margin, high + margin)
    if metric == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))


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
        return {"color": theme.train, "linewidth": 1.5}
    if split == "validation":
        return {"color": theme.validation, "linewidth": 1.5, "linestyle": (0, (4, 1.6))}
    return {"color": theme.test if split == "test" else theme.ink, "linewidth": 1.6}


def _best(theme: Theme) -> dict[str, Any]:
    return {"color": theme.muted, "linewidth": 0.9, "linestyle": (0, (1, 2.5)), "zorder": 1}


def _diverged(epochs: Values, lines: dict[str, Values]) -> float | None:
    """The first epoch from which on a line has no finite value any more."""
    firsts = []
    for values in lines.values():
        finite = np.flatnonzero(_finite(values))
        if len(finite) and finite[-1] + 1 < len(values):
            firsts.append(float(epochs[finite[-1] + 1]))
    return min(firsts, default=None)


def _key(figure: Figure, axes: Axes, picture: Picture) -> None:
    """Which line is which, and the numbers of the last epoch and the best one."""
    epochs, theme = picture.history["epoch"], THEMES[picture.theme]
    scores = [f"{split}/{metric}" for metric in ("loss", _second(picture)) for split in SPLITS]
    scores = [name for name in scores if name in picture.history]
    entries = [
        handle(split, **_style(theme, split))
        for split in SPLITS
        if any(name.startswith(f"{split}/") for name in scores)
    ]
    last, best = len(epochs) - 1, np.flatnonzero(epochs == picture.best_epoch).tolist()
    blocks = [(f"last epoch, {epochs[last]:,.0f}", last)]
    if best == [last]:
        blocks = [(f"last and best epoch, {epochs[last]:,.0f}", last)]
    elif best:
        blocks.append((f"best epoch, {picture.best_epoch:,}", best[0]))
    if best:
        entries.append(handle("best epoch", **_best(theme)))
    layout.legend(axes, entries)
    x, y = layout.right(figure) + 0.28, layout.top(figure) - 0.3 - 0.22 * len(entries)
    for title, place in blocks:
        figure.text(x, y, title)
        if "best" in title and picture.monitor:
            by = "by " + picture.monitor.replace("/", " ")
            y -= 0.165
            figure.text(x, y, by, size=8.0, color=theme.muted)
        y -= 0.19
        rows = []
        for name in scores:
            split, _, metric = name.partition("/")
            value = _shown(float(picture.history[name][place]), metric)
            rows.append((f"{split} {_title(metric)}", value))
        y = layout.table(figure, x, y, rows) - 0.1


def _shown(value: float, metric: str) -> str:
    if not _finite(np.array(value)):
        return "not finite"
    return percent(value) if metric == "accuracy" else number(value, places=True)

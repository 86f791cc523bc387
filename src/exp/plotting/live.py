"""A training as it is seen in a notebook: loss curves and the decision map, as one SVG.

Without matplotlib: a picture takes a few milliseconds, so it can be drawn while a model trains.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray
from PIL import Image

from exp.plotting.numbers import number, percent
from exp.plotting.theme import THEMES, Theme, colours, palette

WIDTH, HEIGHT, SIDE, LEFT, TOP = 720, 318, 236, 46, 52
"""Pixels: of the whole, of a panel's height, and of what stands beside and above the first."""
MOST_LISTED = 6
"""Classes that are named below the map."""
LOG_FROM = 20.0
STEEPEST = 16.0


@dataclass(frozen=True, eq=False)
class MapView:
    """Where a map lies, and some rows on it.

    Attributes:
        limits: (x0, x1, y0, y1).
        axes: the labels of the axes.
        classes: names of the classes.
        points: [rows, 2], some training rows.
        labels: [rows] 0..K-1.
    """

    limits: tuple[float, float, float, float]
    axes: tuple[str, str]
    classes: tuple[str, ...]
    points: NDArray[np.float64]
    labels: NDArray[np.integer]


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """A training at some moment.

    Attributes:
        title: what is trained.
        epoch, epochs: how many are done, and how many there will be at most.
        state: what else is to be said of it, such as "stopped early"; may be empty.
        seen: the epochs of the curves, counted from 0.
        curves: split -> [seen] its loss.
        scores: split -> its accuracy; {} where the target is a number.
        loss: the name of what the curves show.
        view, chances: the map, [K, G, G] probabilities; None: there is none.
        theme: light or dark.
    """

    title: str
    epoch: int
    epochs: int
    state: str = ""
    seen: NDArray[np.float64]
    curves: Mapping[str, NDArray[np.float64]]
    scores: Mapping[str, float] = field(default_factory=dict)
    loss: str = "loss"
    view: MapView | None = None
    chances: NDArray[np.float32] | None = None
    theme: str = "light"

    def text(self) -> str:
        """One line of text, which a screen reader reads as well."""
        curves = {split: values for split, values in self.curves.items() if len(values)}
        last = [f"{split} {self.loss} {number(float(v[-1]))}" for split, v in curves.items()]
        last += [f"{split} accuracy {percent(value)}" for split, value in self.scores.items()]
        state = f", {self.state}" if self.state else ""
        return f"{self.title}, epoch {self.epoch} of {self.epochs}{state}: {', '.join(last)}"


def html(moment: Moment, *, last: bool = False) -> str:
    """The picture as an element of a page.

    Args:
        last: whether it stays. It is an `img` then, which notebooks also show when somebody else
            opens them; but it would flicker where one picture follows the other.
    """
    if not last:
        return svg(moment)
    data, text = base64.b64encode(svg(moment).encode()).decode(), escape(moment.text(), quote=True)
    size = f'width="{WIDTH}" height="{HEIGHT}" style="max-width:100%;height:auto"'
    return f'<img alt="{text}" {size} src="data:image/svg+xml;base64,{data}">'


def svg(moment: Moment) -> str:
    """The picture as SVG."""
    theme, label = THEMES[moment.theme], escape(moment.text(), quote=True)
    body = "".join([*header(moment, theme), *curves(moment, theme), *decision(moment, theme)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" style="max-width:100%;height:auto;background:{theme.page};'
        f'border-radius:6px" font-family="system-ui,sans-serif" font-size="12" '
        f'fill="{theme.ink}"><rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.page}"/>'
        f"{body}</svg>"
    )


def header(moment: Moment, theme: Theme) -> Iterator[str]:
    """Title, epoch, and a bar that fills up."""
    done = moment.epoch / max(1, moment.epochs)
    state = f", {moment.state}" if moment.state else ""
    yield words(14, 22, moment.title, weight="bold", size=13)
    epoch = f"epoch {moment.epoch:,} of {moment.epochs:,}{state}"
    yield words(WIDTH - 14, 22, epoch, anchor="end", fill=theme.muted)
    bar = 'x="14" y="30" height="3" rx="1.5"'
    yield f'<rect {bar} width="{WIDTH - 28}" fill="{theme.faint}"/>'
    yield f'<rect {bar} width="{(WIDTH - 28) * done:.1f}" fill="{theme.test}"/>'


def curves(moment: Moment, theme: Theme) -> Iterator[str]:
    """The loss of every split so far, over all epochs that there will be."""
    width = WIDTH - LEFT - 14 - (SIDE + 40 if moment.view is not None else 0)
    bottom = TOP + SIDE
    values = np.concatenate([np.zeros(0), *moment.curves.values()])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    log = low > 0 and high > LOG_FROM * low
    if not log:
        low = 0.0 if 0 <= low < high / 2 else low
        high = high if high > low else low + 1.0

    def up(value: float) -> float:
        share = (value - low) / (high - low)
        if log:
            share = math.log(value / low) / math.log(high / low)
        return bottom - share * (SIDE - 8)

    for tick in ticks(low, high, log=log) if len(values) else ():
        y = up(tick)
        yield line(f"M{LEFT} {y:.1f}h{width}", theme.faint, 1)
        yield words(LEFT - 6, y + 4, number(tick), anchor="end", fill=theme.muted, size=11)
    yield words(LEFT, bottom + 17, "0", anchor="middle", fill=theme.muted, size=11)
    yield words(LEFT + width, bottom + 17, f"{moment.epochs:,}", anchor="middle",
                fill=theme.muted, size=11)  # fmt: skip
    yield words(LEFT + width / 2, bottom + 17, "epoch", anchor="middle", fill=theme.muted, size=11)
    looks = {"train": theme.train, "validation": theme.validation, "test": theme.test}
    yield words(LEFT, TOP, moment.loss, fill=theme.muted)
    at = LEFT + 44
    for split, loss in moment.curves.items():
        across = LEFT + width * (moment.seen + 1) / moment.epochs
        places = [
            f"{x:.1f} {up(float(value)):.1f}"
            for x, value in zip(across, loss, strict=True)
            if np.isfinite(value)
        ]
        if places:
            yield line("M" + "L".join(places), looks[split], 2)
            cx, cy = places[-1].split()
            yield f'<circle cx="{cx}" cy="{cy}" r="3" fill="{looks[split]}"/>'
        last = f"{split} {float(loss[-1]):.3g}" if len(loss) else split
        yield line(f"M{at} {TOP - 4}h14", looks[split], 2.5)
        yield words(at + 19, TOP, last)
        at += 32 + int(6.3 * len(last))


def decision(moment: Moment, theme: Theme) -> Iterator[str]:
    """The decision map with its boundary and some rows."""
    view, chances = moment.view, moment.chances
    if view is None or chances is None:
        return
    left, count, side = WIDTH - 14 - SIDE, len(chances), chances.shape[1]
    share = np.clip((chances.max(axis=0) - 1 / count) / (1 - 1 / count), 0.0, 1.0)
    image = (colours(share, chances.argmax(axis=0), count, theme) * 255).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(image[::-1]).save(file, "PNG", compress_level=1)
    data = base64.b64encode(file.getvalue()).decode()
    yield (
        f'<image x="{left}" y="{TOP}" width="{SIDE}" height="{SIDE}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>'
    )
    yield line(boundary(chances, left, SIDE / (side - 1)), theme.ink, 1.5)
    yield from rows(view, left, theme)
    at = left
    looks = palette(count, theme)
    for label, name in enumerate(view.classes[:MOST_LISTED]):
        shown = name if len(name) <= 12 else f"{name[:11]}\N{HORIZONTAL ELLIPSIS}"
        if at + 16 + 6.6 * len(shown) > WIDTH:
            break
        yield f'<circle cx="{at + 5}" cy="{TOP + SIDE + 13}" r="4" fill="{hexed(looks[label])}"/>'
        yield words(at + 13, TOP + SIDE + 17, shown, fill=theme.muted, size=11)
        at += 24 + int(6.4 * len(shown))
    best = next((split for split in ("test", "validation", "train") if split in moment.scores), "")
    if best:
        yield words(left, TOP - 5, f"{best} accuracy {percent(moment.scores[best])}")


def boundary(chances: NDArray[np.float32], left: float, pixel: float) -> str:
    """The lines on which two classes are equally probable, as a path."""
    logs = np.log(np.maximum(chances, np.float32(1e-30)))
    fields = [logs[1] - logs[0]] if len(logs) == 2 else []
    if len(logs) > 2:
        second, first = np.partition(logs, len(logs) - 2, axis=0)[-2:]
        winner = logs.argmax(axis=0)
        for label in np.unique(winner).tolist():
            fields.append(logs[label] - np.where(winner == label, second, first))
    parts = []
    for each in fields:
        seeker = contour_generator(z=np.clip(np.nan_to_num(each), -STEEPEST, STEEPEST))
        for found in seeker.lines(0.0):
            points = np.asarray(found)
            x, y = left + points[:, 0] * pixel, TOP + SIDE - points[:, 1] * pixel
            parts.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)))
    return "".join(parts)


def rows(view: MapView, left: float, theme: Theme) -> Iterator[str]:
    """The rows as dots: those of a class are one path, which takes little space."""
    x0, x1, y0, y1 = view.limits
    x = left + (view.points[:, 0] - x0) / (x1 - x0) * SIDE
    y = TOP + SIDE - (view.points[:, 1] - y0) / (y1 - y0) * SIDE
    looks = palette(len(view.classes), theme)
    for label in np.unique(view.labels).tolist():
        some = view.labels == label
        dots = "".join(f"M{a:.0f} {b:.0f}h0" for a, b in zip(x[some], y[some], strict=True))
        yield line(dots, theme.page, 5.4)
        yield line(dots, hexed(looks[label]), 4)


def ticks(low: float, high: float, *, log: bool) -> list[float]:
    """Round numbers between two."""
    if log:
        first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
        if last > first:
            return [10.0**power for power in range(first, last + 1, -(-(last - first) // 4))]
        fine = [step * 10.0**power for power in range(first - 1, last + 1) for step in (1, 2, 5)]
        return [value for value in fine if low <= value <= high]
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    pace = next(step * size for step in (1, 2, 5, 10) if step * size >= rough)
    return [pace * at for at in range(math.ceil(low / pace), math.floor(high / pace) + 1)]


def line(path: str, colour: str, width: float) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def words(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal",
    fill: str = "", size: int = 12,
) -> str:  # fmt: skip
    colour = f' fill="{fill}"' if fill else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'font-size="{size}"{colour}>{escape(text)}</text>'
    )


def hexed(colour: Sequence[float] | NDArray[np.float64]) -> str:
    """RGB 0..1 as `#rrggbb`."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)

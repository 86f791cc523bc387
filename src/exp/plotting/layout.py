"""Panels, headings, legends and notes, and the file that is written of a figure.

    with style.settings("dark") as theme:
        figure = layout.figure()
        ((left, right),) = layout.panels(figure, [4.1, 4.1], [4.1])
        layout.heading(figure, "moons", "mlp", remark="test accuracy 99 %")
        layout.title(left, "train", "800 rows")
        left.plot(x, y, color=theme.ink)
        content = layout.encode(figure, "png", dpi=120)

A figure's coordinates are inches, with the lower left panel at (0, 0). A file is as large as what
was drawn, so labels and legends may stand anywhere and are never cut.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import BboxBase
from numpy.typing import NDArray

from exp.plotting.numbers import number
from exp.plotting.style import HEADING, NORMAL, SMALL, TITLE, plain


def _muted() -> Any:
    """The theme's colour for lesser text."""
    return rcParams["axes.labelcolor"]


def figure() -> Figure:
    """An empty figure, whose coordinates are inches."""
    made = Figure(figsize=(1.0, 1.0))
    FigureCanvasAgg(made)
    return made


def axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place in inches."""
    made = figure.add_axes((left, bottom, width, height))
    made.locator_params(nbins=6)
    return made


def panels(
    figure: Figure,
    widths: Sequence[float],
    heights: Sequence[float],
    *,
    gap: tuple[float, float] = (0.34, 0.5),
) -> list[list[Axes]]:
    """Axes in rows from the top down, each row from left to right.

    Args:
        widths, heights: of the columns and the rows, in inches.
        gap: between two columns and between two rows.
    """
    lefts = np.cumsum([0.0, *(width + gap[0] for width in widths)])
    bottoms = np.cumsum([0.0, *(height + gap[1] for height in reversed(heights))])[-2::-1]
    columns = list(zip(lefts.tolist(), widths, strict=False))
    return [
        [axes(figure, left, bottom, width, height) for left, width in columns]
        for bottom, height in zip(bottoms.tolist(), heights, strict=True)
    ]


def join(left: Axes, *others: Axes) -> None:
    """Panels of one row with the same vertical axis: only the first of them has its labels."""
    for each in others:
        each.set_ylabel("")
        each.tick_params(labelleft=False)
        each.set_ylim(left.get_ylim())


def top(figure: Figure) -> float:
    """Where the highest panel ends, in inches."""
    return max(float(each.get_position().y1) for each in figure.axes)


def right(figure: Figure) -> float:
    """Where the panel farthest to the right ends, in inches."""
    return max(float(each.get_position().x1) for each in figure.axes)


def heading(figure: Figure, *parts: str, remark: str = "", above: float = 0.44) -> None:
    """What the figure is of, above all panels.

    Args:
        parts: of the first line, which are separated by dots.
        remark: a second line, which is quieter.
        above: how far the remark stands above the panels, in inches.
    """
    y = top(figure) + above
    text = " · ".join(plain(part, 90 // len(parts)) for part in parts)
    figure.text(0.0, y + 0.23, text, weight="bold", size=HEADING)
    if remark:
        figure.text(0.0, y, plain(remark, 120), color=_muted(), size=TITLE)


def title(axes: Axes, text: str, remark: str = "") -> None:
    """A panel's title, and a quieter remark on the same line."""
    drawn = axes.set_title(plain(text))
    if remark:
        axes.annotate(
            plain(remark, 80), xy=(1.0, 0.0) if text else (0.0, 0.0), xycoords=drawn,
            xytext=(8.0 if text else 0.0, 2.3), textcoords="offset points", va="baseline",
            color=_muted(), size=NORMAL, annotation_clip=False,
        )  # fmt: skip


def note(figure: Figure, text: str, *, below: float = 0.56) -> None:
    """What the reader must know, at the foot; long text is wrapped.

    Args:
        below: how far below the panels it begins, in inches: under the labels of the axes.
    """
    if not text:
        return
    lines = textwrap.wrap(plain(text, 400), max(30, int(right(figure) * 17)))
    figure.text(
        0.0, -below, "\n".join(lines), va="top", size=SMALL, color=_muted(), linespacing=1.4
    )


def legend(axes: Axes, handles: Sequence[Any], **options: Any) -> Any:
    """A legend at the upper right of a panel, outside of it; the handles have labels."""
    width = axes.get_position().width
    place = {"loc": "upper left", "bbox_to_anchor": (1.0 + 0.28 / width, 1.0)}
    return axes.legend(handles=list(handles), **(place | options))


def scale(
    figure: Figure,
    colours: NDArray[Any],
    marks: Sequence[tuple[float, str]],
    caption: str,
    *,
    height: float = 1.15,
    dashed: float | None = None,
) -> None:
    """Colours and what they mean, at the lower right of all panels: strips that go up from 0 to 1.

    Args:
        colours: `[steps, strips, 3]` RGB 0..1, the lowest step first.
        marks: (share of the height, label).
        caption: above the strips.
        height: of the strips, in inches.
        dashed: the share at which a dashed line crosses the strips.
    """
    strip = axes(figure, right(figure) + 0.28, 0.0, min(0.72, 0.22 * colours.shape[1]), height)
    strip.imshow(colours, extent=(0.0, 1.0, 0.0, 1.0))
    strip.set_title(caption, size=SMALL, weight="normal", color=_muted())
    strip.set_xticks([])
    strip.yaxis.tick_right()
    strip.set_yticks([share for share, _ in marks], [label for _, label in marks])
    if dashed is not None:
        strip.axhline(dashed, color=rcParams["text.color"], linewidth=0.9, linestyle=(0, (3, 2)))


def log_scale(axes: Axes) -> None:
    """Make a panel's vertical axis logarithmic, with plain numbers at round values; its limits are
    set already."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    # Not LogLocator, which overflows where a loss comes near the largest numbers there are.
    if last - first >= 2:
        places = [10.0**power for power in range(first, last + 1, -(-(last - first + 1) // 6))]
    else:
        fine = [step * 10.0**power for power in range(first - 1, last + 1) for step in (1, 2, 5)]
        places = [place for place in fine if low <= place <= high]
    axes.set_yticks(places, [number(place) for place in places])
    axes.minorticks_off()


def table(figure: Figure, x: float, y: float, rows: Sequence[tuple[str, str]]) -> float:
    """Names and numbers in two columns of small text, from `y` inches down; gives where it ends."""
    for name, value in rows:
        figure.text(x, y, name, size=SMALL, color=_muted())
        figure.text(x + 1.65, y, value, size=SMALL, color=_muted(), ha="right")
        y -= 0.165
    return y


def empty(axes: Axes, text: str) -> None:
    """Say in the middle of a panel why it shows nothing."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=_muted())


def notice(text: str, reason: str) -> Figure:
    """A figure that only says why there is nothing to draw."""
    made = figure()
    only = axes(made, 0.0, 0.0, 5.0, 1.0)
    only.set(xticks=[], yticks=[])
    title(only, text)
    empty(only, reason)
    return made


def corner(axes: Axes, text: str) -> None:
    """A quiet remark at a panel's lower left, legible over what is drawn there."""
    axes.text(
        0.015, 0.015, text, transform=axes.transAxes, size=SMALL, color=_muted(),
        zorder=9, bbox={"fc": rcParams["axes.facecolor"], "ec": "none", "alpha": 0.8, "pad": 2.0},
    )  # fmt: skip


_MARGIN = 0.18  # inches around all that is drawn
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None},
}  # fmt: skip


def extent(figure: Figure, *, dpi: int) -> BboxBase:
    """What a figure's file shows, in inches: all that is drawn, with a margin."""
    figure.set_dpi(dpi)
    return figure.get_tightbbox().padded(_MARGIN)


def encode(figure: Figure, suffix: str, *, dpi: int, size: BboxBase | None = None) -> bytes:
    """The figure as a file; the same figure gives the same bytes.

    Args:
        suffix: png, svg or pdf.
        dpi: pixels per inch of a PNG, and of the maps inside SVG and PDF.
        size: what is shown; None: its `extent`.
    """
    # As bbox_inches="tight" does, without drawing everything once more to find its size.
    size = extent(figure, dpi=dpi) if size is None else size
    target = io.BytesIO()
    options: dict[str, Any] = {"metadata": _METADATA[suffix]}
    if suffix == "png":
        options["pil_kwargs"] = {"compress_level": 3}  # fast; level 9 saves a tenth
    figure.savefig(target, format=suffix, dpi=dpi, bbox_inches=size, **options)
    return target.getvalue()

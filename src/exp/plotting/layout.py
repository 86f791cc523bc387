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
from matplotlib.image import BboxImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox, BboxBase, TransformedBbox
from numpy.typing import NDArray
from PIL import Image

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


def clear(figure: Figure) -> None:
    """Remove all that was drawn, but for the panels with their titles, limits and ticks."""
    drawn = [*figure.texts, *figure.artists]
    for each in figure.axes:
        drawn += [*each.lines, *each.images, *each.collections, *each.texts]
        if (key := each.get_legend()) is not None:
            drawn.append(key)
    for artist in drawn:
        artist.remove()


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


def note(figure: Figure, *texts: str, below: float = 0.56) -> None:
    """What the reader must know, at the foot; long text is wrapped.

    Args:
        texts: which are joined; empty ones are left out.
        below: how far below the panels it begins, in inches: under the labels of the axes.
    """
    text = "; ".join(each for each in texts if each)
    if not text:
        return
    lines = textwrap.wrap(plain(text, 400), max(30, int(right(figure) * 19)))
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
    # Not Axes, which take longer to make and to draw than all the rest of the scale.
    left, width = right(figure) + 0.28, min(1.2, 0.22 * colours.shape[1])
    muted, place = _muted(), figure.transFigure
    strip = BboxImage(TransformedBbox(Bbox.from_bounds(left, 0.0, width, height), place))
    strip.set_data(colours)
    figure.add_artist(strip)
    frame: dict[str, Any] = {"transform": place, "linewidth": 0.9, "clip_on": False}
    edge = rcParams["axes.edgecolor"]
    figure.add_artist(Rectangle((left, 0.0), width, height, fill=False, edgecolor=edge, **frame))
    end = left + width
    for share, label in marks:
        y = share * height
        figure.add_artist(Line2D([end, end + 0.05], [y, y], color=edge, **frame))
        figure.text(end + 0.09, y, label, va="center", size=SMALL, color=muted)
    if dashed is not None:
        y, ink = dashed * height, rcParams["text.color"]
        dashes = {"color": ink, "linestyle": (0, (3, 2))}
        figure.add_artist(Line2D([left, end], [y, y], **frame | dashes))
    figure.text(left, height + 0.12, caption, size=SMALL, color=muted)


def epochs(axes: Axes, first: float, last: float) -> None:
    """Make a panel's horizontal axis that of these epochs."""
    margin = (last - first) * 0.025 or 1.0
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("epoch")


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
    """A figure that only shows why there is nothing to draw."""
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


MARGIN = 0.18
"""Inches around all that is drawn."""
_ROOM = np.array([-1.0, -1.5, 2.5, 1.0])  # inches that labels and legends mostly need
_MORE = np.array([-2.0, -2.0, 2.0, 2.0])  # and inches that are added where they need more
_METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def encode(figure: Figure, suffix: str, *, dpi: int) -> bytes:
    """The figure as a file, as large as what is drawn; the same figure gives the same bytes.

    Args:
        suffix: png, svg or pdf.
        dpi: pixels per inch of a PNG, and of the maps inside SVG and PDF.
    """
    target = io.BytesIO()
    if suffix == "png":
        page = image(_trimmed(figure, dpi=dpi))
        page.save(
            target, "PNG", dpi=(dpi, dpi), compress_level=1
        )  # 6: a third smaller, in twice the time
    else:
        figure.savefig(
            target, format=suffix, dpi=dpi, bbox_inches="tight", pad_inches=MARGIN,
            metadata=_METADATA[suffix],
        )  # fmt: skip
    return target.getvalue()


def pixels(figure: Figure, box: BboxBase, *, dpi: int) -> NDArray[np.uint32]:
    """`[height, width]` pixels of a part of the figure, each of the four bytes of an RGBA.

    Args:
        box: the part, in inches.
    """
    target = io.BytesIO()
    figure.savefig(target, format="rgba", dpi=dpi, bbox_inches=box)
    width, height = int(box.width * dpi), int(box.height * dpi)  # as matplotlib rounds
    return np.frombuffer(target.getbuffer(), np.uint32).reshape(height, width)


def image(drawn: NDArray[np.uint32]) -> Image.Image:
    """Pixels as a picture without transparency."""
    return Image.fromarray(drawn[..., None].view(np.uint8)).convert("RGB")


def _trimmed(figure: Figure, *, dpi: int) -> NDArray[np.uint32]:
    """The pixels of all that is drawn, with a margin.

    The page is cut after drawing: to compute where every label ends takes as long as to draw it.
    """
    box = np.array([0.0, 0.0, right(figure), top(figure)]) + _ROOM
    box = np.concatenate([np.floor(box[:2]), np.ceil(box[2:])])
    margin = round(MARGIN * dpi)
    for _ in range(8):  # of which one or two are needed, unless something is drawn very far away
        page = pixels(figure, Bbox(box.reshape(2, 2)), dpi=dpi)
        drawn = page != page[0, 0]
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        upper, lower = rows[0] - margin, rows[-1] + margin + 1
        left, end = columns[0] - margin, columns[-1] + margin + 1
        height, width = page.shape
        short = np.array([left < 0, lower > height, end > width, upper < 0])
        if not short.any():
            break
        box = box + _MORE * short
    return np.ascontiguousarray(page[max(upper, 0) : lower, max(left, 0) : end])

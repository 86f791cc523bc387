"""Panels, headings, legends and notes, and the file that is written of a figure.

    with style.settings("dark") as theme:
        figure = layout.figure()
        ((left, right),) = layout.panels(figure, [4.1, 4.1], [4.1])
        layout.heading(figure, "moons, mlp", "test accuracy 99 %")
        layout.title(left, "train", "800 rows")
        left.plot(x, y, color=theme.ink)
        content = layout.encode(figure, "png", dpi=120)

A figure's coordinates are inches, with the lower left panel at (0, 0). A file is as large as what
was drawn, so labels and legends may stand anywhere and are never cut.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

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
    return figure.add_axes((left, bottom, width, height))


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


def top(figure: Figure) -> float:
    """Where the highest panel ends, in inches."""
    return max(float(each.get_position().y1) for each in figure.axes)


def right(figure: Figure) -> float:
    """Where the panel farthest to the right ends, in inches."""
    return max(float(each.get_position().x1) for each in figure.axes)


def heading(figure: Figure, text: str, remark: str = "", *, above: float = 0.44) -> None:
    """What the figure is of, above all panels.

    Args:
        text, remark: one line each; the second one is quieter.
        above: how far the remark stands above the panels, in inches.
    """
    y = top(figure) + above
    figure.text(0.0, y, plain(remark, 150), color=_muted(), size=TITLE)
    figure.text(0.0, y + 0.23, plain(text, 150), weight="bold", size=HEADING)


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
    lines = textwrap.wrap(plain(text, 400), max(30, int(right(figure) * 17)))
    figure.text(
        0.0, -below, "\n".join(lines), va="top", size=SMALL, color=_muted(), linespacing=1.4
    )


def legend(axes: Axes, handles: Sequence[Any], **options: Any) -> Any:
    """A legend at the upper right of a panel, outside of it; the handles have labels."""
    width = axes.get_position().width
    place = {"loc": "upper left", "bbox_to_anchor": (1.0 + 0.28 / width, 1.0)}
    return axes.legend(handles=list(handles), **(place | options))


def empty(axes: Axes, text: str) -> None:
    """Say in the middle of a panel why it shows nothing."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=_muted())


def corner(axes: Axes, text: str) -> None:
    """A quiet remark at a panel's lower left, legible over what is drawn there."""
    axes.text(
        0.015, 0.015, text, transform=axes.transAxes, size=SMALL, color=_muted(),
        zorder=9, bbox={"fc": rcParams["axes.facecolor"], "ec": "none", "alpha": 0.8, "pad": 2.0},
    )  # fmt: skip


_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None},
}  # fmt: skip


def encode(figure: Figure, suffix: str, *, dpi: int) -> bytes:
    """The figure as a file; the same figure gives the same bytes.

    Args:
        suffix: png, svg or pdf.
        dpi: pixels per inch of a PNG, and of the maps inside SVG and PDF.
    """
    target = io.BytesIO()
    options: dict[str, Any] = {"metadata": _METADATA[suffix]}
    if suffix == "png":
        options["pil_kwargs"] = {"compress_level": 3}  # fast; level 9 saves a tenth
    figure.savefig(
        target, format=suffix, dpi=dpi, bbox_inches="tight", pad_inches=0.18, **options
    )  # fmt: skip
    return target.getvalue()

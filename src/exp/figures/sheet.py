"""One sheet of paper: a heading, panels, a key at their right and a note below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from exp.figures.artists import Align, Line, Raster
from exp.figures.picture import Picture
from exp.figures.style import THEMES, Colour, Theme
from exp.figures.text import plain, shortened, width

KEY = 1.65  # inches, the width of the key
_RIGHT, _TOP = 0.25, 1.02
_HEADING, _SUBHEADING, NORMAL, SMALL = 12.5, 10.0, 8.5, 8.0  # points


class Sheet:
    """A figure laid out by hand, in inches from its lower left: nothing has to be measured.

    Args:
        picture: gives the heading, the theme and the resolution.
        panels: the width of each panel, from left to right.
        height: of all panels.
        left, bottom: room for labels beside and below the panels.
        gap: between panels.
        note: what the reader must know, at the foot.
    """

    def __init__(
        self,
        picture: Picture,
        *,
        panels: Sequence[float],
        height: float,
        left: float = 0.8,
        bottom: float = 0.6,
        gap: float = 0.34,
        note: str = "",
    ) -> None:
        self.theme: Theme = THEMES[picture.theme]

        def snapped(inches: float) -> float:
            # Edges between pixels keep frames and cells sharp, and maps where they belong.
            return round(inches * picture.dpi) / picture.dpi

        left, height, gap = snapped(left), snapped(height), snapped(gap)
        self.widths = [snapped(width) for width in panels]
        self.lefts = [left + sum(self.widths[:index]) + gap * index for index in range(len(panels))]
        self.key = self.lefts[-1] + self.widths[-1] + 0.28
        self.width = snapped(self.key + KEY + _RIGHT)
        lines = self._wrapped(note, self.width - left - _RIGHT)
        self.left = left
        self.bottom = snapped(bottom + (0.11 + 0.15 * len(lines) if lines else 0.0))
        self.top = self.bottom + height
        self.height = snapped(self.top + _TOP)
        self.figure = Figure(
            figsize=(self.width, self.height), dpi=picture.dpi, facecolor=self.theme.page
        )
        FigureCanvasAgg(self.figure)
        parts = (picture.dataset, picture.model, picture.optimizer, f"seed {picture.seed}")
        heading = " · ".join(shortened(part, _HEADING, 180, bold=True) for part in parts)
        self.text(left, self.height - 0.36, heading, size=_HEADING, bold=True)
        self.text(
            left, self.height - 0.59, picture.metric, size=_SUBHEADING, colour=self.theme.muted
        )
        for index, line in enumerate(reversed(lines)):
            self.text(left, 0.15 * (index + 1), line, size=SMALL, colour=self.theme.muted)

    @staticmethod
    def _wrapped(note: str, room: float) -> list[str]:
        """The note on no more than three lines of `room` inches; what is longer is cut later."""
        lines: list[str] = []
        for word in plain(note).split(" ") if note else []:
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and (len(lines) == 3 or width(longer, SMALL) <= room * 72):
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def add(self, artist: Artist) -> None:
        """Put an artist, placed in inches, on the sheet."""
        artist.set_transform(self.figure.dpi_scale_trans)
        self.figure.add_artist(artist)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = NORMAL,
        colour: str | Colour | None = None,
        bold: bool = False,
        limit: float | None = None,
        align: Align = "left",
        upright: bool = False,
    ) -> None:
        """One line by its baseline, cut to `limit` inches or at the sheet's right margin."""
        if not text:
            return
        if limit is None:
            limit = self.width - 0.1 - x
        line = shortened(text, size, limit * 72, bold=bold)
        ink = self.theme.ink if colour is None else colour
        self.add(Line(x, y, line, size=size, colour=ink, bold=bold, align=align, upright=upright))

    def line(self, xs: Sequence[float], ys: Sequence[float], **style: Any) -> None:
        """A line, or markers, through points in inches."""
        self.add(Line2D(xs, ys, **style))

    def scale(
        self,
        top: float,
        height: float,
        columns: NDArray[np.float64],
        marks: Sequence[tuple[float, str]],
        caption: Sequence[str],
        dashed: float | None = None,
    ) -> None:
        """Colours and what they mean: strips in the key that go up from 0 to 1.

        Args:
            top, height: of the strips; the caption stands above.
            columns: `[steps, strips, 3]` RGB 0..1, the lowest step first.
            marks: (share of the height, label at the right).
            caption: lines of text.
            dashed: the share at which a dashed line crosses the strips.
        """
        theme = self.theme
        for index, line in enumerate(reversed(caption)):
            self.text(self.key, top + 0.12 + 0.15 * index, line, size=SMALL, colour=theme.muted)
        left, right = self.key, self.key + min(0.72, 0.22 * columns.shape[1])
        low = top - height
        pixels = (columns * 255.0 + 0.5).astype(np.uint8)
        self.add(Raster(pixels, Bbox.from_extents(left, low, right, top)))
        self.line(
            [left, right, right, left, left], [low, low, top, top, low],
            color=theme.faint, linewidth=0.8,
        )  # fmt: skip
        if dashed is not None:
            y = low + dashed * height
            self.line([left, right], [y, y], color=theme.ink, linewidth=0.9, dashes=(3, 2))
        for share, label in marks:
            y = low + share * height
            self.line([right, right + 0.04], [y, y], color=theme.muted, linewidth=0.8)
            self.text(right + 0.09, y - 0.04, label, size=SMALL, colour=theme.muted)

"""One sheet of paper: a heading, panels, a key at their right and a note below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.transforms import Affine2D, Bbox
from numpy.typing import NDArray

from exp.figures.markers import Markers
from exp.figures.marks import Mark, Marks
from exp.figures.picture import Picture
from exp.figures.raster import Pixels, Raster
from exp.figures.strokes import Strokes
from exp.figures.style import THEMES, Colour, Theme
from exp.figures.text import HEADING, NORMAL, SMALL, SUBHEADING, plain, shortened, width
from exp.figures.words import Align, Words

KEY = 1.65  # inches, the width of the key
_RIGHT, _TOP = 0.25, 1.02


class Sheet:
    """A figure laid out by hand, in inches from its lower left: nothing has to be measured.

    Args:
        picture: gives the heading, the theme and the resolution.
        panels: the width of each panel of a row, from left to right.
        height: of all panels; several: of the rows of panels, from the top down.
        left, bottom: room for labels beside and below the panels.
        gap, row_gap: between panels, and between rows of them.
        note: what the reader must know, at the foot.

    Attributes:
        width, height: of the sheet, in inches.
        lefts, widths: of the columns of panels.
        bottoms, tops: of the rows of panels, from the top down.
        bottom, top: of all panels together.
        key: where the key begins, at their right.
        dpi: pixels per inch of a PNG.
        inches: from inches to the canvas that is painted on.
    """

    def __init__(
        self,
        picture: Picture,
        *,
        panels: Sequence[float],
        height: float | Sequence[float],
        left: float = 0.8,
        bottom: float = 0.6,
        gap: float = 0.34,
        row_gap: float = 0.34,
        note: str = "",
    ) -> None:
        self.theme: Theme = THEMES[picture.theme]

        def snapped(inches: float) -> float:
            # Edges between pixels keep frames and cells sharp, and maps where they belong.
            return round(inches * picture.dpi) / picture.dpi

        left, gap, row_gap = snapped(left), snapped(gap), snapped(row_gap)
        heights = [snapped(h) for h in ([height] if isinstance(height, float) else height)]
        self.widths = [snapped(width) for width in panels]
        self.lefts = [left + sum(self.widths[:index]) + gap * index for index in range(len(panels))]
        self.key = self.lefts[-1] + self.widths[-1] + 0.28
        self.width = snapped(self.key + KEY + _RIGHT)
        lines = self._wrapped(note, self.width - left - _RIGHT)
        self.left = left
        self.bottom = snapped(bottom + (0.11 + 0.15 * len(lines) if lines else 0.0))
        below = [
            sum(heights[row + 1 :]) + row_gap * (len(heights) - 1 - row)
            for row in range(len(heights))
        ]
        self.bottoms = [self.bottom + room for room in below]
        self.tops = [low + height for low, height in zip(self.bottoms, heights, strict=True)]
        self.top = self.tops[0]
        self.height = snapped(self.top + _TOP)
        self.dpi = picture.dpi
        self.inches = Affine2D()
        self._marks = Marks()
        parts = (picture.dataset, picture.model, picture.optimizer, f"seed {picture.seed}")
        heading = " · ".join(shortened(part, HEADING, 180, bold=True) for part in parts)
        self.text(left, self.height - 0.36, heading, size=HEADING, bold=True)
        self.text(
            left, self.height - 0.59, picture.metric, size=SUBHEADING, colour=self.theme.muted
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

    def paint(self, renderer: RendererBase, per_inch: float) -> None:
        """Draw all that stands on the sheet; an inch has `per_inch` units of the canvas."""
        self.inches.clear().scale(per_inch)
        self._marks.draw(renderer, per_inch)

    def add(self, mark: Mark, *, layer: float = 2.0) -> None:
        """Put a mark on the sheet; those of higher layers cover those of lower ones."""
        self._marks.add(mark, layer)

    def place(self, index: int) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of a panel; they are counted row by row."""
        row, column = divmod(index, len(self.widths))
        left = self.lefts[column]
        return left, left + self.widths[column], self.bottoms[row], self.tops[row]

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
        words = Words(
            x=x, y=y, text=line, size=size, colour=ink, bold=bold, align=align, upright=upright
        )
        self.add(words, layer=9.0)

    def line(self, *lines: Sequence[tuple[float, float]], layer: float = 2.0, **style: Any) -> None:
        """Lines of one look (see `Strokes`) through points in inches."""
        self.add(Strokes(lines, self.inches, **style), layer=layer)

    def marker(self, x: float, y: float, **style: Any) -> None:
        """A marker (see `Markers`) at a point in inches."""
        self.add(Markers([(x, y)], self.inches, **style))

    def scale(
        self,
        top: float,
        height: float,
        columns: NDArray[np.floating],
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
        box = Bbox.from_extents(left, low, right, top)
        self.add(Raster(Pixels(columns), self.inches, box), layer=0.0)
        frame = [(left, low), (right, low), (right, top), (left, top), (left, low)]
        self.line(frame, colour=theme.faint, width=0.8, cap="projecting")
        if dashed is not None:
            y = low + dashed * height
            self.line([(left, y), (right, y)], colour=theme.ink, width=0.9, dashes=(3, 2))
        for share, label in marks:
            y = low + share * height
            mark = [(right, y), (right + 0.04, y)]
            self.line(mark, colour=theme.muted, width=0.8, cap="projecting")
            self.text(right + 0.09, y - 0.04, label, size=SMALL, colour=theme.muted)

"""A sheet of paper on which text, lines, markers and panels are placed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.transforms import Affine2D, Bbox
from numpy.typing import NDArray

from exp.plotting.markers import Markers
from exp.plotting.marks import Mark, Marks
from exp.plotting.raster import Pixels, Raster
from exp.plotting.strokes import Strokes
from exp.plotting.style import THEMES, Colour, Theme
from exp.plotting.text import NORMAL, SMALL, plain, shortened, width
from exp.plotting.words import Align, Words

Place = tuple[float, float, float, float]


class Paper:
    """Everything is placed in inches from the lower left; who knows the layout sets the size.

    Args:
        theme: its name.
        dpi: pixels per inch of a PNG.

    Attributes:
        width, height: of the sheet, in inches; set by the layout.
        key: where the key begins, in inches from the left; set by the layout.
        inches: from inches to the canvas that is painted on.
    """

    width: float
    height: float
    key: float

    def __init__(self, theme: str, dpi: int) -> None:
        self.theme: Theme = THEMES[theme]
        self.dpi = dpi
        self.inches = Affine2D()
        self._marks = Marks()

    def snapped(self, inches: float) -> float:
        """A length of whole pixels: frames and cells stay sharp, and maps where they belong."""
        return round(inches * self.dpi) / self.dpi

    def place(self, index: int) -> Place:
        """Left, right, bottom and top of a panel, in inches."""
        raise NotImplementedError

    @staticmethod
    def wrapped(note: str, room: float) -> list[str]:
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

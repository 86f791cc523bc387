"""One sheet of paper: a heading, panels, a key at their right and a note below."""

from __future__ import annotations

from collections.abc import Sequence

from exp.plotting.paper import Paper, Place
from exp.plotting.picture import Picture
from exp.plotting.text import HEADING, SMALL, SUBHEADING, shortened

KEY = 1.65  # inches, the width of the key
_RIGHT, _TOP = 0.25, 1.02


class Sheet(Paper):
    """A figure laid out by hand, in inches from its lower left: nothing has to be measured.

    Args:
        picture: gives the heading, the theme and the resolution.
        panels: the width of each panel of a row, from left to right.
        height: of all panels; several: of the rows of panels, from the top down.
        left, bottom: room for labels beside and below the panels.
        gap, row_gap: between panels, and between rows of them.
        note: what the reader must know, at the foot.

    Attributes:
        lefts, widths: of the columns of panels, in inches.
        bottoms, tops: of the rows of panels, from the top down.
        bottom, top: of all panels together.
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
        super().__init__(picture.theme, picture.dpi)
        snapped = self.snapped
        left, gap, row_gap = snapped(left), snapped(gap), snapped(row_gap)
        heights = [snapped(h) for h in ([height] if isinstance(height, float) else height)]
        self.widths = [snapped(width) for width in panels]
        self.lefts = [left + sum(self.widths[:index]) + gap * index for index in range(len(panels))]
        self.key = self.lefts[-1] + self.widths[-1] + 0.28
        self.width = snapped(self.key + KEY + _RIGHT)
        lines = self.wrapped(note, self.width - left - _RIGHT)
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
        parts = (picture.dataset, picture.model, picture.optimizer, f"seed {picture.seed}")
        heading = " · ".join(shortened(part, HEADING, 180, bold=True) for part in parts)
        self.text(left, self.height - 0.36, heading, size=HEADING, bold=True)
        self.text(
            left, self.height - 0.59, picture.metric, size=SUBHEADING, colour=self.theme.muted
        )
        for index, line in enumerate(reversed(lines)):
            self.text(left, 0.15 * (index + 1), line, size=SMALL, colour=self.theme.muted)

    def place(self, index: int) -> Place:
        """Left, right, bottom and top of a panel; they are counted row by row."""
        row, column = divmod(index, len(self.widths))
        left = self.lefts[column]
        return left, left + self.widths[column], self.bottoms[row], self.tops[row]

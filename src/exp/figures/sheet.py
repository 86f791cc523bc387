"""One sheet of paper: a heading, panels, a key at their right and a note below."""

from __future__ import annotations

from collections.abc import Sequence

from exp.figures.paper import Box, Paper
from exp.figures.picture import Picture
from exp.figures.text import HEADING, SMALL, SUBHEADING, shortened

KEY = 1.65  # inches, the width of the key
_RIGHT, _TOP = 0.25, 1.02


class Sheet(Paper):
    """A figure laid out by hand, in inches from its lower left: nothing has to be measured.

    Args:
        picture: gives the heading, the theme and the resolution.
        panels: the width of each panel, from left to right.
        height: of all panels.
        left, bottom: room for labels beside and below the panels.
        gap: between panels.
        note: what the reader must know, at the foot.

    Attributes:
        lefts, widths: of the panels, in inches.
        bottom, top: of all panels.
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
        super().__init__(picture.theme, picture.dpi)
        snapped = self.snapped
        left, height, gap = snapped(left), snapped(height), snapped(gap)
        self.widths = [snapped(width) for width in panels]
        self.lefts = [left + sum(self.widths[:index]) + gap * index for index in range(len(panels))]
        self.key = self.lefts[-1] + self.widths[-1] + 0.28
        self.width = snapped(self.key + KEY + _RIGHT)
        lines = self.wrapped(note, self.width - left - _RIGHT)
        self.left = left
        self.bottom = snapped(bottom + (0.11 + 0.15 * len(lines) if lines else 0.0))
        self.top = self.bottom + height
        self.height = snapped(self.top + _TOP)
        parts = (picture.dataset, picture.model, picture.optimizer, f"seed {picture.seed}")
        heading = " · ".join(shortened(part, HEADING, 180, bold=True) for part in parts)
        self.text(left, self.height - 0.36, heading, size=HEADING, bold=True)
        self.text(
            left, self.height - 0.59, picture.metric, size=SUBHEADING, colour=self.theme.muted
        )
        for index, line in enumerate(reversed(lines)):
            self.text(left, 0.15 * (index + 1), line, size=SMALL, colour=self.theme.muted)

    def box(self, index: int) -> Box:
        """The edges of a panel, counted from the left."""
        left = self.lefts[index]
        return left, self.bottom, left + self.widths[index], self.top

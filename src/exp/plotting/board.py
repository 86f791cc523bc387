"""A sheet with panels in rows: what is drawn of many runs, or of many functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exp.plotting.paper import Paper, Place
from exp.plotting.picture import FORMATS, THEMES
from exp.plotting.text import HEADING, SMALL, SUBHEADING, plain, width

_MARGIN, _TOP = 0.25, 0.98  # inches: at the sides; above the panels, for the heading
_LONGEST = 9.0  # inches of a heading: what is longer is cut


@dataclass(frozen=True, kw_only=True)
class Look:
    """How figures look and what they are written as.

    Attributes:
        theme: "light" or "dark".
        format: of `FORMATS`.
        dpi: pixels per inch of a PNG, and of the maps inside SVG and PDF.

    Raises:
        ValueError: an unknown theme or format, or a resolution out of range.
    """

    theme: str = "light"
    format: tuple[str, ...] = ("png",)
    dpi: int = 120

    def __post_init__(self) -> None:
        if self.theme not in THEMES:
            raise ValueError(f"theme: expected one of {', '.join(THEMES)}, found {self.theme!r}")
        for unknown in set(self.format) - set(FORMATS):
            raise ValueError(f"format: expected some of {', '.join(FORMATS)}, found {unknown!r}")
        if not 20 <= self.dpi <= 2000:
            raise ValueError(f"dpi: expected 20..2000, found {self.dpi}")


class Board(Paper):
    """Panels at given places, a heading above them, a key at their right and a note below.

    Args:
        places: of the panels: left, top, width and height in inches, from the upper left corner of
            the room for panels.
        heading, remark: what the figure is of, and what else is said of it.
        look: theme and resolution.
        key: width of the key in inches; 0: there is none.
        note: what the reader must know, at the foot.
        edge: room at the left and below for labels of panels that stand at the edge.
        titled: whether panels have titles, which need room above the first.

    Attributes:
        left, bottom, top: of the room for panels, in inches.
    """

    def __init__(
        self,
        places: Sequence[Place],
        *,
        heading: str,
        remark: str,
        look: Look,
        key: float = 0.0,
        note: str = "",
        edge: tuple[float, float] = (0.0, 0.0),
        titled: bool = True,
    ) -> None:
        super().__init__(look.theme, look.dpi)
        snapped = self.snapped
        across = max((left + wide for left, _, wide, _ in places), default=0.0)
        down = max((top + height for _, top, _, height in places), default=0.0)
        self.left = snapped(_MARGIN + edge[0])
        self.key = self.left + snapped(across) + 0.28
        right = self.key + key if key else self.left + across
        said = width(plain(heading), HEADING, bold=True), width(plain(remark), SUBHEADING)
        self.width = snapped(max(right, self.left + min(max(said) / 72, _LONGEST)) + _MARGIN)
        lines = self.wrapped(note, self.width - self.left - _MARGIN)
        self.bottom = snapped(edge[1] + 0.16 + (0.08 + 0.15 * len(lines) if lines else 0.0))
        self.top = self.bottom + snapped(down)
        self.height = snapped(self.top + _TOP - (0.0 if titled else 0.24))
        self._places = []
        for left, top, wide, height in places:
            x, y = self.left + snapped(left), self.top - snapped(top)
            self._places.append((x, x + snapped(wide), y - snapped(height), y))
        self.text(self.left, self.height - 0.34, heading, size=HEADING, bold=True)
        muted = self.theme.muted
        self.text(self.left, self.height - 0.56, remark, size=SUBHEADING, colour=muted)
        for index, line in enumerate(reversed(lines)):
            self.text(self.left, 0.15 * (index + 1), line, size=SMALL, colour=muted)

    def place(self, index: int) -> Place:
        """Left, right, bottom and top of a panel, in the order in which they were given."""
        return self._places[index]


def rows(
    count: int, columns: int, size: tuple[float, float], gap: tuple[float, float]
) -> list[Place]:
    """Places of equal panels, from left to right and from top to bottom.

    Args:
        count, columns: how many panels, and how many of them in a row.
        size: width and height of each, in inches.
        gap: between two columns and between two rows.
    """
    (width, height), (between, below) = size, gap
    steps = (divmod(index, columns) for index in range(count))
    return [
        (column * (width + between), row * (height + below), width, height) for row, column in steps
    ]

"""One panel of a sheet: a frame over data coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.transforms import Affine2D, Bbox, TransformedBbox
from numpy.typing import ArrayLike

from exp.plotting.markers import Markers
from exp.plotting.paper import Paper
from exp.plotting.raster import Pixels, Raster
from exp.plotting.strokes import Fill, Strokes
from exp.plotting.text import NORMAL, SMALL, TITLE, plain, shortened, width
from exp.plotting.ticks import Ticks


def beside(ticks: Ticks) -> float:
    """How far from a panel the label of its vertical axis stands, in inches."""
    return max(0.56, 0.21 + max((width(label, SMALL) for label in ticks[1]), default=0.0) / 72)


class Panel:
    """A frame with ticks whose content is placed in data coordinates.

    It stands in for matplotlib's Axes, which takes ten times as long to make and to draw: limits
    and ticks are known beforehand here, so nothing has to adapt.

    Args:
        sheet: the panel stands on it.
        index: its place, counted from the left, row by row.
        limits: `(x0, x1, y0, y1)`, the data coordinates of its edges; y0 > y1 turns it over.
        title: above the panel.
        remark: follows the title, quieter.
    """

    def __init__(
        self,
        sheet: Paper,
        index: int,
        limits: tuple[float, float, float, float],
        title: str,
        remark: str = "",
    ) -> None:
        self.sheet, self.limits = sheet, limits
        self.left, self.right, self.bottom, self.top = sheet.place(index)
        x0, x1, y0, y1 = limits
        to_inches = (
            Affine2D()
            .translate(-x0, -y0)
            .scale((self.right - self.left) / (x1 - x0), (self.top - self.bottom) / (y1 - y0))
        )
        self._place = to_inches.translate(self.left, self.bottom) + sheet.inches
        self._box = Bbox.from_extents(self.left, self.bottom, self.right, self.top)
        self._clip = TransformedBbox(self._box, sheet.inches)
        corners = [
            (self.left, self.bottom), (self.right, self.bottom), (self.right, self.top),
            (self.left, self.top), (self.left, self.bottom),
        ]  # fmt: skip
        sheet.line(
            corners, colour=sheet.theme.faint, width=0.9, cap="projecting", join="miter", layer=8.0
        )
        room = self.right - self.left
        sheet.text(self.left, self.top + 0.1, title, size=TITLE, bold=True, limit=room)
        taken = width(plain(title), TITLE, bold=True) / 72 + 0.12 if title else 0.0
        sheet.text(
            self.left + taken,
            self.top + 0.1,
            remark,
            colour=sheet.theme.muted,
            limit=room - taken,
        )

    def lines(self, lines: Sequence[ArrayLike], *, layer: float = 1.0, **style: Any) -> None:
        """Lines `[points, 2]` of one look (see `Strokes`)."""
        if len(lines):
            self.sheet.add(Strokes(lines, self._place, clip=self._clip, **style), layer=layer)

    def points(self, points: ArrayLike, *, layer: float, **style: Any) -> None:
        """Markers of one look (see `Markers`) at `[n, 2]`."""
        self.sheet.add(Markers(points, self._place, clip=self._clip, **style), layer=layer)

    def fill(self, corners: ArrayLike, *, layer: float, **style: Any) -> None:
        """A rectangle between two corners, or the area within more of them (see `Fill`)."""
        self.sheet.add(Fill(corners, self._place, clip=self._clip, **style), layer=layer)

    def image(self, pixels: Pixels) -> None:
        """Fill the panel with an image."""
        self.sheet.add(Raster(pixels, self.sheet.inches, self._box), layer=0.5)

    def ticks(
        self,
        xs: Ticks,
        ys: Ticks,
        *,
        size: float = SMALL,
        grid: bool = False,
        marks: bool = True,
        upright: bool = False,
    ) -> None:
        """Tick labels below and at the left, empty ones left out, with marks and grid lines.

        Args:
            xs, ys: places in data coordinates, and a label for each.
            size: of the labels, in points.
            grid, marks: whether these are drawn.
            upright: the labels below are turned, to be read from below.
        """
        theme = self.sheet.theme
        ends: list[list[tuple[float, float]]] = []
        rules: list[list[tuple[float, float]]] = []
        for place, label in zip(*xs, strict=True):
            x = self.inches(place, 0.0)[0]
            ends.append([(x, self.bottom), (x, self.bottom - 0.045)])
            rules.append([(x, self.bottom), (x, self.top)])
            if label:
                # Turned text is centred by moving its baseline by a third of its height.
                self.sheet.text(
                    x + (size * 0.0049 if upright else 0.0),
                    self.bottom - (0.08 if upright else 0.075 + size * 0.0138),
                    label, size=size, colour=theme.muted, limit=2.0,
                    align="right" if upright else "center", upright=upright,
                )  # fmt: skip
        for place, label in zip(*ys, strict=True):
            y = self.inches(0.0, place)[1]
            ends.append([(self.left, y), (self.left - 0.045, y)])
            rules.append([(self.left, y), (self.right, y)])
            if label:
                self.sheet.text(
                    self.left - 0.09, y - size * 0.005, label, size=size, colour=theme.muted,
                    align="right", limit=2.0,
                )  # fmt: skip
        if marks:
            self.sheet.line(*ends, colour=theme.faint, width=0.9, layer=1.0)
        if grid:
            self.sheet.line(*rules, colour=theme.faint, width=0.6, layer=0.6)

    def labels(self, x: str, y: str, *, below: float = 0.41, beside: float = 0.0) -> None:
        """Axis labels, cut to the panel, at distances in inches from it (see `beside`)."""
        middle_x, middle_y = (self.left + self.right) / 2, (self.bottom + self.top) / 2
        muted, size = self.sheet.theme.muted, NORMAL
        if x:
            line = shortened(x, size, (self.right - self.left) * 72)
            self.sheet.text(
                middle_x, self.bottom - below, line, colour=muted, align="center", limit=99
            )
        if y:
            line = shortened(y, size, (self.top - self.bottom) * 72)
            self.sheet.text(
                self.left - beside, middle_y, line, colour=muted, align="center", limit=99,
                upright=True,
            )  # fmt: skip

    def inches(self, x: float, y: float) -> tuple[float, float]:
        """Where a data point lies on the sheet."""
        x0, x1, y0, y1 = self.limits
        return (
            self.left + (x - x0) / (x1 - x0) * (self.right - self.left),
            self.bottom + (y - y0) / (y1 - y0) * (self.top - self.bottom),
        )

    def empty(self, text: str) -> None:
        """Say why the panel shows nothing."""
        self.sheet.text(
            (self.left + self.right) / 2, (self.bottom + self.top) / 2, text,
            colour=self.sheet.theme.muted, align="center",
        )  # fmt: skip

    def corner(self, text: str) -> None:
        """A quiet remark at the panel's lower left, legible over what is drawn there."""
        sheet, x, y = self.sheet, self.left + 0.05, self.bottom + 0.05
        paper = [(x, y), (x + width(text, SMALL) / 72 + 0.08, y + 0.17)]
        sheet.add(Fill(paper, sheet.inches, colour=sheet.theme.page, alpha=0.8), layer=6.0)
        sheet.text(x + 0.04, y + 0.045, text, size=SMALL, colour=sheet.theme.muted)

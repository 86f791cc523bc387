"""One panel of a sheet: a frame over data coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox
from numpy.typing import NDArray

from exp.figures.artists import Raster
from exp.figures.sheet import NORMAL, SMALL, Sheet
from exp.figures.text import shortened, width
from exp.figures.ticks import Ticks

_TITLE = 10.0


class Panel:
    """A frame with ticks whose content is placed in data coordinates.

    It stands in for matplotlib's Axes, which takes ten times as long to make and to draw: limits
    and ticks are known beforehand here, so nothing has to adapt.

    Args:
        sheet: the panel stands on it.
        index: its place from the left.
        limits: `(x0, x1, y0, y1)`, the data coordinates of its edges; y0 > y1 turns it over.
        title: above the panel.
        remark: follows the title, quieter.
    """

    def __init__(
        self,
        sheet: Sheet,
        index: int,
        limits: tuple[float, float, float, float],
        title: str,
        remark: str = "",
    ) -> None:
        self.sheet, self.limits = sheet, limits
        self.left, self.right = sheet.lefts[index], sheet.lefts[index] + sheet.widths[index]
        self.bottom, self.top = sheet.bottom, sheet.top
        x0, x1, y0, y1 = limits
        to_inches = (
            Affine2D()
            .translate(-x0, -y0)
            .scale((self.right - self.left) / (x1 - x0), (self.top - self.bottom) / (y1 - y0))
        )
        inches = sheet.figure.dpi_scale_trans
        self._transform = to_inches.translate(self.left, self.bottom) + inches
        self._box = Bbox.from_extents(self.left, self.bottom, self.right, self.top)
        self._clip = TransformedBbox(self._box, inches)
        sheet.line(
            [self.left, self.right, self.right, self.left, self.left],
            [self.bottom, self.bottom, self.top, self.top, self.bottom],
            color=sheet.theme.faint, linewidth=0.9, zorder=8, solid_joinstyle="miter",
        )  # fmt: skip
        room = self.right - self.left
        sheet.text(self.left, self.top + 0.1, title, size=_TITLE, bold=True, limit=room)
        taken = width(title, _TITLE, bold=True) / 72 + 0.12
        sheet.text(
            self.left + taken,
            self.top + 0.1,
            remark,
            colour=sheet.theme.muted,
            limit=room - taken,
        )

    def add(self, artist: Artist) -> None:
        """Put an artist, placed in data coordinates, into the panel."""
        artist.set_transform(self._transform)
        artist.set_clip_box(self._clip)
        self.sheet.figure.add_artist(artist)

    def lines(self, paths: Sequence[NDArray[np.float64]], **style: Any) -> None:
        """Lines `[points, 2]` of one look."""
        if len(paths):
            self.add(LineCollection(paths, **style))

    def curve(self, xs: NDArray[Any], ys: NDArray[Any], **style: Any) -> None:
        """One line, broken where it is not a number."""
        self.add(Line2D(xs, ys, **style))

    def points(self, xs: NDArray[Any], ys: NDArray[Any], **style: Any) -> None:
        """Markers of one look."""
        self.add(Line2D(xs, ys, linestyle="none", **style))

    def image(self, pixels: NDArray[np.uint8], *, nodes: bool) -> None:
        """Fill the panel with `[rows, columns, 3]` uint8, the lowest row first (see `Raster`)."""
        raster = Raster(pixels, self._box, nodes=nodes)
        raster.set_zorder(0.5)
        self.sheet.add(raster)

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
            self.sheet.add(LineCollection(ends, colors=theme.faint, linewidths=0.9))
        if grid:
            self.sheet.add(LineCollection(rules, colors=theme.faint, linewidths=0.6, zorder=0.6))

    def labels(self, x: str, y: str, *, below: float = 0.41, beside: float = 0.56) -> None:
        """Axis labels, cut to the panel, at distances in inches from it."""
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
        sheet.add(
            Rectangle(
                (x, y), width(text, SMALL) / 72 + 0.08, 0.17,
                facecolor=sheet.theme.page, alpha=0.8, linewidth=0, zorder=6,
            )
        )  # fmt: skip
        sheet.text(x + 0.04, y + 0.045, text, size=SMALL, colour=sheet.theme.muted)

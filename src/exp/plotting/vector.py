"""A sheet as the bytes of an SVG or a PDF."""

from __future__ import annotations

import io

from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from exp.plotting.paper import Paper

# What would make the same picture differ from one minute to the next.
_METADATA = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


class _Page(Artist):
    """A sheet as matplotlib wants it: an artist on a figure."""

    def __init__(self, sheet: Paper) -> None:
        super().__init__()
        self._sheet = sheet

    def draw(self, renderer: RendererBase) -> None:
        figure = self.get_figure(root=True)
        assert figure is not None
        self._sheet.paint(renderer, figure.dpi)  # 72 by then, whatever it was made with


def vector(sheet: Paper, suffix: str) -> bytes:
    """The sheet as "svg" or "pdf", its images in the sheet's resolution."""
    size = (sheet.width, sheet.height)
    figure = Figure(figsize=size, dpi=sheet.dpi, facecolor=sheet.theme.page)
    figure.add_artist(_Page(sheet))
    target = io.BytesIO()
    figure.savefig(target, format=suffix, dpi=sheet.dpi, metadata=_METADATA[suffix])
    return target.getvalue()

"""What stands on a sheet: marks that draw themselves."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, cast

from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_rgba
from matplotlib.transforms import Bbox, BboxBase

from exp.plotting.style import Colour

rgba = lru_cache(1024)(to_rgba)


class Mark(Protocol):
    """Something that can be put on a renderer's canvas.

    Marks stand below matplotlib's artists: what an artist keeps in mind takes longer to set up
    than most marks take to draw.
    """

    def draw(self, renderer: RendererBase, per_inch: float) -> None:
        """Draw it; `per_inch` is how many units of the renderer's canvas an inch has."""


class Marks:
    """Marks in layers; in each they are drawn in the order in which they were added."""

    def __init__(self) -> None:
        self._layers: dict[float, list[Mark]] = {}

    def add(self, mark: Mark, layer: float) -> None:
        """Put a mark on top of what the layer holds."""
        self._layers.setdefault(layer, []).append(mark)

    def draw(self, renderer: RendererBase, per_inch: float) -> None:
        """Draw all marks, those of higher layers over those of lower ones."""
        for layer in sorted(self._layers):
            for mark in self._layers[layer]:
                mark.draw(renderer, per_inch)


def pen(
    renderer: RendererBase,
    colour: str | Colour,
    *,
    width: float,
    alpha: float = 1.0,
    clip: BboxBase | None = None,
) -> GraphicsContextBase:
    """A renderer's drawing state, with a line width in points; call its `restore` after use."""
    context = renderer.new_gc()
    context.set_foreground(rgba(colour, alpha), isRGBA=True)
    context.set_linewidth(width)
    if clip is not None:
        context.set_clip_rectangle(cast("Bbox", clip))  # any kind of box will do
    return context

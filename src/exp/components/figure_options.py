"""Which figures a run draws, and how they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from exp.plotting.names import EVERY, USUAL, Name
from exp.registry.registry import register

Names = Annotated[list[Name], Field(min_length=1)]
Formats = Annotated[list[Literal["png", "svg", "pdf"]], Field(min_length=1)]
Dpi = Annotated[int, Field(ge=30, le=600)]
Resolution = Annotated[int, Field(ge=16, le=2000)]
Frames = Annotated[int, Field(ge=0, le=200)]
Axes = Annotated[list[str], Field(min_length=2, max_length=2)]


def fit(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Values that are not allowed together."""
    plane = values["plane"]
    if plane is not None and plane[0] == plane[1]:
        yield "plane", f"expected two different features, found {plane[0]!r} twice"
    if values["animation"] and values["frames"] < 2:
        yield "animation", f"needs at least 2 frames, found {values['frames']}"


@register.figures("standard", check=fit)
@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a run that take little time, drawn when it ends.

    Attributes:
        draw: names of figures; null: data, boundary or fit, learning_curves and confusion_matrix
            for a single run, and boundary or fit for each run of a sweep. In regression, fit
            replaces all figures of classes and probabilities.
        format: file formats; each figure is written in all of them.
        theme: light or dark.
        dpi: pixels per inch of PNG files.
        resolution: number of grid points along each side of the decision map.
        plane: two features as axes, with all others at their median; null: both features if there
            are two, else the plane of the first two principal components.
        frames: number of decision maps over the epochs in frames.npz; 0: none.
        animation: whether these maps are also drawn as an animation, figures/boundary.webp.
    """

    draw: Names | None = None
    format: Formats = field(default_factory=lambda: ["png"])
    theme: Literal["light", "dark"] = "light"
    dpi: Dpi = 120
    resolution: Resolution = 200
    plane: Axes | None = None
    frames: Frames = 16
    animation: bool = False

    @property
    def names(self) -> list[Name]:
        """The figures that are drawn."""
        return list(USUAL) if self.draw is None else self.draw


@register.figures("all", check=fit)
@dataclass(frozen=True, kw_only=True)
class All(Figures):
    """Every figure, and the animation."""

    draw: Names | None = field(default_factory=lambda: list(EVERY))
    animation: bool = True


@register.figures("none")
def none() -> None:
    """No figures."""

"""Which figures a run draws, and how they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from exp.plotting.frames import FRAMES, GRID, MULTIPLE
from exp.plotting.names import EVERY, USUAL, Name
from exp.registry.registry import register

Names = Annotated[list[Name], Field(min_length=1)]
Formats = Annotated[list[Literal["png", "svg", "pdf"]], Field(min_length=1)]
Dpi = Annotated[int, Field(ge=30, le=600)]
Resolution = Annotated[int, Field(ge=16, le=2000)]
Frames = Annotated[int, Field(ge=0, le=200)]
FrameResolution = Annotated[int, Field(ge=16, le=400, multiple_of=MULTIPLE)]
Axes = Annotated[list[str], Field(min_length=2, max_length=2)]


def fit(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Values that are not allowed together."""
    plane = values["plane"]
    if plane is not None and plane[0] == plane[1]:
        yield "plane", f"expected two different features, found {plane[0]!r} twice"
    frames = values["frames"]
    if values["animation"] and frames is not None and frames < 2:
        yield "animation", f"needs at least 2 frames, found {frames}"


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
        frames: number of decision maps over the epochs in frames.npz; 0: none; null: 60 for a
            single run, and 16 for each run of a sweep.
        frame_resolution: number of grid points along each side of these maps; null: 80 for a single
            run, and 40 for each run of a sweep.
        animation: whether these maps are also drawn as an animation, figures/boundary.webp.
    """

    draw: Names | None = None
    format: Formats = field(default_factory=lambda: ["png"])
    theme: Literal["light", "dark"] = "light"
    dpi: Dpi = 120
    resolution: Resolution = 200
    plane: Axes | None = None
    frames: Frames | None = None
    frame_resolution: FrameResolution | None = None
    animation: bool = False

    @property
    def names(self) -> list[Name]:
        """The figures that are drawn."""
        return list(USUAL) if self.draw is None else self.draw

    @property
    def frame_count(self) -> int:
        """The number of decision maps that are recorded, at most."""
        return FRAMES if self.frames is None else self.frames

    @property
    def frame_grid(self) -> int:
        """Their points along each side."""
        return GRID if self.frame_resolution is None else self.frame_resolution


@register.figures("all", check=fit)
@dataclass(frozen=True, kw_only=True)
class All(Figures):
    """Every figure, and the animation."""

    draw: Names | None = field(default_factory=lambda: list(EVERY))
    animation: bool = True


@register.figures("none")
def none() -> None:
    """No figures."""

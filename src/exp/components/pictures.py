"""Which figures a run draws, and how they look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from exp.registry import register

Name = Literal["data", "boundary", "learning_curves", "confusion_matrix"]
Names = Annotated[list[Name], Field(min_length=1)]
Formats = Annotated[list[Literal["png", "svg", "pdf"]], Field(min_length=1)]
Dpi = Annotated[int, Field(ge=30, le=600)]
Resolution = Annotated[int, Field(ge=16, le=2000)]

ALL: list[Name] = ["data", "boundary", "learning_curves", "confusion_matrix"]


@register.figures("standard")
@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a run, drawn when it ends.

    Attributes:
        draw: which ones.
        format: file formats, each figure in all of them.
        theme: light or dark.
        dpi: pixels per inch of PNG files.
        resolution: points of the boundary's grid along each side.
    """

    draw: Names = field(default_factory=lambda: list(ALL))
    format: Formats = field(default_factory=lambda: ["png"])
    theme: Literal["light", "dark"] = "light"
    dpi: Dpi = 120
    resolution: Resolution = 200


@register.figures("none")
def none() -> None:
    """No figures."""

"""The plane that the figures of a run show, and from its points to inputs of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data.prepared import Prepared
from exp.plotting.names import EVERY
from exp.plotting.picture import OF_CLASSES, OF_NUMBERS
from exp.plotting.plane import Limits, Plane
from exp.util.errors import ConfigError, Fault, unknown


@dataclass(frozen=True, eq=False)
class View:
    """A plane through the rows of a run.

    Attributes:
        prepared: the rows.
        plane: in features as they came, or standardized; never in those of a feature map.
        raw: which of both. Features that are axes are shown in their own units; principal
            components are those of the space that the model (or its feature map) sees.
    """

    prepared: Prepared
    plane: Plane
    raw: bool

    @classmethod
    def of(cls, prepared: Prepared, chosen: Sequence[str] | None) -> View:
        """The plane of these two features; None: of both that there are, or the principal one."""
        train, names, units = prepared.split.train, prepared.features, prepared.units
        if chosen is not None:
            plane = Plane.of_features(prepared.rows[train], names, units, chosen)
            return cls(prepared, plane, raw=True)
        raw = len(names) <= 2
        space = prepared.rows if raw else prepared.scaled
        plane = Plane.fit(space[train], names, units if raw else None)
        return cls(prepared, plane, raw)

    @property
    def space(self) -> NDArray[np.float32] | NDArray[np.float64]:
        """Every row, `[rows, features]`, in the space that the plane lies in."""
        return self.prepared.rows if self.raw else self.prepared.scaled

    @cached_property
    def limits(self) -> Limits:
        """A window that holds all rows."""
        return self.plane.limits(self.space, fine=self.fine)

    @property
    def fine(self) -> bool:
        """Whether the rows need float64."""
        return self.space.dtype == np.float64

    def grid(
        self, resolution: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
        """`xs [G]`, `ys [G]`, and what the model is given there, `[G*G, inputs]` float32, the
        points of a row of the grid one after the other."""
        xs, ys, points = self.plane.grid(self.limits, resolution, fine=self.fine)
        return xs, ys, (self.prepared.transform if self.raw else self.prepared.mapped)(points)


def drawable(figures: Any, *, numeric: bool) -> None:
    """Checks that some of the figures can be drawn for this kind of target.

    Args:
        figures: the `Figures` of a plan; None where there are none.

    Raises:
        ConfigError: none can.
    """
    elsewhere = OF_CLASSES if numeric else OF_NUMBERS
    if figures is None or set(figures.names) - elsewhere:
        return
    kind = "a number" if numeric else "a class"
    there = ", ".join(name for name in EVERY if name not in elsewhere)
    what = f"{', '.join(figures.names)} cannot be drawn: the target of these data is {kind}"
    raise ConfigError([Fault("figures.draw", f"{what}. Use {there}")])


def axes_known(figures: Any, features: Sequence[str]) -> None:
    """Checks that the features exist that the figures name as axes.

    Args:
        figures: the `Figures` of a plan; None where there are none.

    Raises:
        ConfigError: they do not.
    """
    chosen = (None if figures is None else figures.plane) or ()
    faults = [
        Fault(f"figures.plane.{place}", unknown("feature", name, features))
        for place, name in enumerate(chosen)
        if name not in features
    ]
    if faults:
        raise ConfigError(faults)

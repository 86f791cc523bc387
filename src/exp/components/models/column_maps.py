"""Feature maps inside a model: the modules of `exp.components.feature_modules`, built from sizes.

What a map was fitted to is in its buffers, under the names of `FeatureMap.values`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from exp.components.feature_modules import MODULES
from exp.registry.types import Width


class ColumnMap(nn.Module):
    """A feature map from `[rows, columns]` to `[rows, outputs]`, both float32.

    Args:
        outputs: number of mapped features.
        inner: the map in float64; None: the features as they are.
    """

    def __init__(self, outputs: int, inner: nn.Module | None) -> None:
        super().__init__()
        self.outputs, self.inner = outputs, inner

    def forward(self, rows: Tensor) -> Tensor:
        if self.inner is None:
            return rows
        mapped: Tensor = self.inner(rows.double()).float()
        return mapped


class Map(BaseModel):
    """A feature map in a config of a model.

    Attributes:
        name: of the feature map.
        outputs: number of mapped features; null: as many as there are columns.
        n_quantiles: of quantile.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Literal["none", "quantile", "piecewise", "fourier"]
    outputs: Width | None = None
    n_quantiles: Annotated[int, Field(ge=2, le=1000)] = 2

    def module(self, columns: int) -> ColumnMap:
        """The map of so many columns, its buffers still 0."""
        count = self.outputs or columns
        shapes: dict[str, tuple[int, ...]] = {}
        if self.name == "quantile":
            names = ("start", "size", "low", "high", "step")
            shapes = dict.fromkeys(names, (columns, self.n_quantiles - 1)) | {"base": (columns,)}
        elif self.name == "piecewise":
            shapes = dict.fromkeys(("column", "start", "size", "low", "high"), (count,))
        elif self.name == "fourier":
            shapes = {"weights": (columns, count), "offsets": (count,)}
        else:
            return ColumnMap(columns, None)
        zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
        return ColumnMap(count, MODULES[self.name](**zeros))

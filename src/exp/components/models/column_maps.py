"""Feature maps as modules: the same numbers as those of `exp.components`, inside a model.

A module is built from sizes only. What the map was fitted to is in its buffers, under the names of
`FeatureMap.arrays`; float32 holds that exactly. It computes in float64, as NumPy does.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from exp.registry.types import Width


class ColumnMap(nn.Module):
    """A feature map from `[rows, columns]` to `[rows, outputs]`, both float32.

    Args:
        outputs: number of mapped features.
        shapes: the shape of each buffer.
    """

    def __init__(self, outputs: int, **shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.outputs = outputs
        for name, shape in shapes.items():
            dtype = torch.int64 if name == "column" else torch.float32
            self.register_buffer(name, torch.zeros(shape, dtype=dtype))

    def forward(self, rows: Tensor) -> Tensor:
        return self.mapped(rows.double()).float()

    def mapped(self, rows: Tensor) -> Tensor:
        """The map in float64."""
        raise NotImplementedError


class Unchanged(ColumnMap):
    """The features as they are."""

    def forward(self, rows: Tensor) -> Tensor:
        return rows


class Quantile(ColumnMap):
    """Each column as a sum of clipped lines."""

    start: Tensor
    size: Tensor
    low: Tensor
    high: Tensor
    step: Tensor
    base: Tensor

    def __init__(self, columns: int, n_quantiles: int) -> None:
        lines = (columns, n_quantiles - 1)
        shapes = dict.fromkeys(("start", "size", "low", "high", "step"), lines)
        super().__init__(columns, base=(columns,), **shapes)

    def mapped(self, rows: Tensor) -> Tensor:
        total = self.base.double().expand(rows.shape)
        for n in range(self.start.shape[1]):
            line = (rows - self.start[:, n]) / self.size[:, n]
            line = torch.minimum(torch.maximum(line, self.low[:, n]), self.high[:, n])
            total = total + line * self.step[:, n]
        return total


class Piecewise(ColumnMap):
    """Some clipped lines of each column."""

    column: Tensor
    start: Tensor
    size: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, lines: int) -> None:
        names = ("column", "start", "size", "low", "high")
        super().__init__(lines, **dict.fromkeys(names, (lines,)))

    def mapped(self, rows: Tensor) -> Tensor:
        line = (rows[:, self.column] - self.start) / self.size
        return torch.minimum(torch.maximum(line, self.low), self.high)


class Fourier(ColumnMap):
    """Random Fourier features."""

    weights: Tensor
    offsets: Tensor

    def __init__(self, columns: int, n_components: int) -> None:
        shapes = {"weights": (columns, n_components), "offsets": (n_components,)}
        super().__init__(n_components, **shapes)

    def mapped(self, rows: Tensor) -> Tensor:
        return math.sqrt(2 / self.outputs) * torch.cos(rows @ self.weights.double() + self.offsets)


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
        """The map of so many columns, its buffers still empty."""
        if self.name == "quantile":
            return Quantile(columns, self.n_quantiles)
        if self.name == "piecewise":
            return Piecewise(self.outputs or columns)
        if self.name == "fourier":
            return Fourier(columns, self.outputs or columns)
        return Unchanged(columns)

"""The packaged feature maps as modules of torch, for exported models and for networks that contain
one. They compute in float64, as NumPy does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from exp.data.feature_map import FeatureMap


class Playground(nn.Module):
    """As `features.playground_terms`."""

    def __init__(self, use: Sequence[str]) -> None:
        super().__init__()
        self.use = list(use)

    def forward(self, rows: Tensor) -> Tensor:
        x, y = rows[:, 0], rows[:, 1]
        terms = {
            "x": x, "y": y, "x2": x * x, "y2": y * y, "xy": x * y,
            "sin_x": torch.sin(x), "sin_y": torch.sin(y),
        }  # fmt: skip
        return torch.stack([terms[name] for name in self.use], dim=1)


class Polynomial(nn.Module):
    """As `features.polynomial_terms`."""

    factors: Tensor

    def __init__(self, products: Sequence[Sequence[int]]) -> None:
        super().__init__()
        # The factors of each product; a column of ones stands for those that it lacks.
        most = max(map(len, products))
        factors = [[*(place + 1 for place in each), *[0] * (most - len(each))] for each in products]
        self.register_buffer("factors", torch.tensor(factors).T.contiguous())

    def forward(self, rows: Tensor) -> Tensor:
        whole = torch.cat([torch.ones_like(rows[:, :1]), rows], dim=1)
        found = whole[:, self.factors[0]]
        for places in self.factors[1:]:
            found = found * whole[:, places]
        return found


class Fourier(nn.Module):
    """As `features.fourier_terms`."""

    weights: Tensor
    offsets: Tensor

    def __init__(self, weights: Any, offsets: Any) -> None:
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(np.array(weights, np.float64)))
        self.register_buffer("offsets", torch.from_numpy(np.array(offsets, np.float64)))

    def forward(self, rows: Tensor) -> Tensor:
        factor = (2 / len(self.offsets)) ** 0.5
        # ONNX Runtime has the sine in float64, and not the cosine.
        # A model that contains this map stores its tensors in float32.
        turns = rows @ self.weights.double() + self.offsets
        found: Tensor = factor * torch.sin(turns + torch.pi / 2)
        return found


class Lines(nn.Module):
    """Clipped lines: clip((x - start) / size, low, high)."""

    start: Tensor
    size: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, start: Any, size: Any, low: Any, high: Any, **more: Any) -> None:
        super().__init__()
        arrays = {"start": start, "size": size, "low": low, "high": high, **more}
        for name, values in arrays.items():
            kind = np.int64 if name == "column" else np.float64
            self.register_buffer(name, torch.from_numpy(np.array(values, kind)))


class Quantile(Lines):
    """As `features.quantile_terms`."""

    step: Tensor
    base: Tensor

    def forward(self, rows: Tensor) -> Tensor:
        total = self.base.double().expand(rows.shape)
        for n in range(self.start.shape[1]):
            line = (rows - self.start[:, n]) / self.size[:, n]
            line = torch.minimum(torch.maximum(line, self.low[:, n]), self.high[:, n])
            total = total + line * self.step[:, n]
        return total


class Piecewise(Lines):
    """As `features.piecewise_terms`."""

    column: Tensor

    def forward(self, rows: Tensor) -> Tensor:
        line = (rows[:, self.column] - self.start) / self.size
        return torch.minimum(torch.maximum(line, self.low), self.high)


MODULES: dict[str, Callable[..., nn.Module]] = {
    "playground": Playground,
    "polynomial": Polynomial,
    "fourier": Fourier,
    "quantile": Quantile,
    "piecewise": Piecewise,
}


def module_of(mapping: FeatureMap) -> nn.Module | None:
    """A feature map as a module from rows `[rows, features]` to `[rows, mapped features]`, both
    float64; None: a custom map, which is a NumPy function."""
    return None if mapping.values is None else MODULES[mapping.name](**mapping.values)

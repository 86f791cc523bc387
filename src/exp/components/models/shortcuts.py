"""Shortcut connections around layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Shortcut(nn.Sequential):
    """Layers whose outputs are appended to their inputs: `[rows, n]` becomes `[rows, n + m]`.

    Several of them in sequence connect each layer to every later one, as in Lang and Witbrock 1988
    ("Learning to tell two spirals apart") and in DenseNet.
    """

    def forward(self, rows: Tensor) -> Tensor:
        return torch.cat([rows, super().forward(rows)], dim=1)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        """As one would call it, which code that is exported relies on."""
        return f"Shortcut({', '.join(called(layer) for layer in self)})"


def called(layer: nn.Module) -> str:
    """The Python code that builds a layer, where `nn` is `torch.nn`."""
    kind = type(layer)
    if kind.__module__.startswith("torch.nn."):
        return f"nn.{layer!r}"
    return f"{kind.__name__}()" if kind.__init__ is nn.Module.__init__ else repr(layer)

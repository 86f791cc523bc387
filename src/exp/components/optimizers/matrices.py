"""The matrices among the parameters of a stack, and products of them with the same bits in any
stack."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from exp.components.optimizers.parameter_buffer import Parameters

LANES = 32
"""Parameters start at multiples of this."""


@dataclass(frozen=True)
class Matrix:
    """The position of a two-dimensional parameter in a buffer `[R, P]`."""

    start: int
    rows: int
    columns: int

    def of(self, flat: Tensor) -> Tensor:
        """This matrix for each run, as a view `[R, rows, columns]` into a buffer."""
        size = self.rows * self.columns
        return flat[:, self.start : self.start + size].view(-1, self.rows, self.columns)

    def lanes(self, flat: Tensor) -> Tensor:
        """The same matrix with its padding of zeros, `[R, lanes]`: sums over it have the same bits
        in a stack of any size."""
        width = -(-self.rows * self.columns // LANES) * LANES
        return flat[:, self.start : self.start + width]


def matrices(parameters: Parameters) -> list[Matrix]:
    """The two-dimensional parameters."""
    first = parameters.values.storage_offset()
    return [
        Matrix(int(leaf.storage_offset() - first), leaf.shape[1], leaf.shape[2])
        for leaf in parameters.leaves
        if leaf.dim() == 3
    ]


def product(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product of each run, `[R, n, k]` and `[R, k, m]`.

    A batched product has the same bits in a stack of any size, unless a side has length 1.
    """
    if a.shape[2] == 1:
        return a * b
    if a.shape[1] == 1 or b.shape[2] == 1:
        pairs = zip(a.unbind(), b.unbind(), strict=True)
        return torch.stack([one.contiguous() @ other.contiguous() for one, other in pairs])
    return torch.bmm(a, b)

"""The parameters of a stack of runs, as an optimizer gets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass
class Parameters:
    """All parameters of R runs in one buffer, with their gradients in another.

    Every parameter starts at a multiple of 32 numbers, and P is a multiple of 32 too; the numbers
    between parameters are always 0. Vector code then has the same alignment and no remainder for
    any R, which the same bits require.

    Attributes:
        values: [R, P], updated in place by the optimizer under `torch.no_grad()`.
        gradients: [R, P], filled in place by `backward()`.
        leaves: a tensor [R, *shape] for each parameter. It is a view into `values`, and its `.grad`
            is a view into `gradients`.
    """

    values: Tensor
    gradients: Tensor
    leaves: Sequence[Tensor]

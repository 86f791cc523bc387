"""Muon: matrices move along their momentum made orthogonal."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from exp.components.optimizers.adam import Moments
from exp.components.optimizers.matrices import Matrix, matrices
from exp.components.optimizers.optimizer import Epsilon
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import Count, NonNegative, Positive, Probability

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration, by Keller Jordan."""
LEAST_NORM = 1e-7

Scale = Literal["original", "match_rms_adamw"]


@register.optimizer("muon")
class Muon(Moments):
    """Orthogonalized momentum for matrices, as `torch.optim.Muon`; AdamW for all other parameters.

    PyTorch computes the orthogonal matrix in bfloat16, exp in the precision of the run.

    Source: Jordan et al. 2024, kellerjordan.github.io/posts/muon; `match_rms_adamw`: Liu et al.
    2025, arXiv:2502.16982.

    Args:
        lr: learning rate, also for AdamW.
        momentum: weight of the past in the running mean of gradients, for matrices.
        nesterov: Nesterov momentum.
        ns_steps: iterations that make a matrix orthogonal.
        adjust_lr_fn: match_rms_adamw: the steps of matrices are as large as those of AdamW, so one
            learning rate suits both; original: they grow with the root of rows / columns.
        beta1: weight of the past in AdamW's running mean of gradients.
        beta2: weight of the past in AdamW's running mean of squared gradients.
        eps: added to the denominator of AdamW.
        weight_decay: each step first multiplies the weights by 1 - lr * weight_decay.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 3e-2,
        momentum: Probability = 0.95,
        nesterov: bool = True,
        ns_steps: Count = 5,
        adjust_lr_fn: Scale = "match_rms_adamw",
        beta1: Probability = 0.9,
        beta2: Probability = 0.95,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 0.1,
    ) -> None:
        self.matrices = matrices(parameters)
        self.nesterov, self.ns_steps, self.adjust_lr_fn = nesterov, ns_steps, adjust_lr_fn
        super().__init__(
            parameters,
            decoupled=True,
            lr=lr,
            momentum=momentum,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
        )

    def start(self) -> dict[str, Tensor]:
        return super().start() | {"momentum_buffer": self.zeros()}

    def prepare(self) -> None:
        super().prepare()
        self.momentum = self.cast(self.numbers["momentum"])
        self.share = self.cast(1 - self.numbers["momentum"])

    def update(self, lr: Tensor) -> None:
        gradient, mean, square = self.moments(lr)
        state = self._state
        self.rate.copy_(torch.div(lr, state["correction1"], out=self.scalar))
        self.root.copy_(torch.sqrt(state["correction2"], out=self.scalar))
        torch.sqrt(square, out=self.work).div_(self.root).add_(self.eps)
        change = torch.mul(mean, self.rate, out=self.change).div_(self.work)
        direction = state["momentum_buffer"].lerp_(gradient, self.share)
        if self.nesterov:
            direction = torch.lerp(gradient, direction, self.momentum, out=self.work)
        for matrix in self.matrices:
            rate = self.cast(lr * ratio(self.adjust_lr_fn, matrix))
            found = orthogonal(direction, matrix, self.ns_steps)
            torch.mul(found, rate[:, :, None], out=matrix.of(change))
        self.parameters.values.sub_(change)


def ratio(kind: Scale, matrix: Matrix) -> float:
    """The learning rate of a matrix, divided by that of the optimizer."""
    if kind == "original":
        return math.sqrt(max(1, matrix.rows / matrix.columns))
    return 0.2 * math.sqrt(max(matrix.rows, matrix.columns))


def orthogonal(flat: Tensor, matrix: Matrix, steps: int) -> Tensor:
    """Approximates U V^T for the matrix U S V^T of each run, `[R, rows, columns]`. Newton-Schulz
    iterations bring every singular value near 1."""
    a, b, c = COEFFICIENTS
    norm = matrix.lanes(flat).square().sum(dim=1, keepdim=True).sqrt()
    size = norm.clamp_min(LEAST_NORM)
    x = matrix.of(flat) / size[:, :, None]
    if min(matrix.rows, matrix.columns) == 1:  # one singular value: the iteration is of numbers
        value = norm / size
        factor = torch.ones_like(value)
        for _ in range(steps):
            gram = value * value
            grown = a + gram * (b + gram * c)
            value, factor = value * grown, factor * grown
        return x * factor[:, :, None]
    tall = matrix.rows > matrix.columns
    x = (x.transpose(1, 2) if tall else x).contiguous()
    for _ in range(steps):
        gram = torch.bmm(x, x.transpose(1, 2))
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.transpose(1, 2) if tall else x

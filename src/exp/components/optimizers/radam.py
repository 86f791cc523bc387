"""Rectified Adam."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.components.optimizers.adam import Moments
from exp.components.optimizers.optimizer import Epsilon
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Probability


@register.optimizer("radam")
class RAdam(Moments):
    """Adam with a warm-up that depends on the variance of its denominator, as `torch.optim.RAdam`.

    Source: Liu et al. 2020, On the Variance of the Adaptive Learning Rate, arXiv:1908.03265.

    Args:
        decoupled_weight_decay: decay the weights directly, as in AdamW.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1e-3,
        beta1: Probability = 0.9,
        beta2: Probability = 0.999,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            decoupled=decoupled_weight_decay,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
        )

    def start(self) -> dict[str, Tensor]:
        return super().start() | {"steps": torch.zeros_like(self.numbers["lr"])}

    def prepare(self) -> None:
        super().prepare()
        self.two, self.four, self.five = (self.column(number) for number in (2, 4, 5))
        self.longest = 2 / self.new2 - 1
        self.scale = self.longest / ((self.longest - 4) * (self.longest - 2))
        self.length, self.number = torch.empty_like(self.lr), torch.empty_like(self.lr)
        self.unknown = torch.empty_like(self.lr, dtype=torch.bool)

    def update(self, lr: Tensor) -> None:
        _, mean, square = self.moments(lr)
        state, x, y, length = self._state, self.scalar, self.number, self.length
        correction, steps = state["correction2"], state["steps"].add_(self.one)
        # length = longest - 2 t beta2^t / (1 - beta2^t), of the moving average; beta2^t is 1 - c2.
        torch.div(steps, correction, out=x).sub_(steps)
        torch.sub(self.longest, x, alpha=2, out=length)
        torch.le(length, self.five, out=self.unknown)
        # Where the variance is not known yet the root may be NaN: the step is then plain momentum.
        torch.sub(length, self.four, out=x).mul_(torch.sub(length, self.two, out=y))
        x.div_(length).mul_(self.scale).mul_(correction).sqrt_()
        torch.where(self.unknown, self.one, x, out=x)
        self.rate.copy_(torch.div(lr, state["correction1"], out=y).mul_(x))
        torch.sqrt(square, out=self.work).add_(self.eps)
        self.work.masked_fill_(self.unknown.to(self.work.device), 1)
        torch.mul(mean, self.rate, out=self.change)
        self.parameters.values.addcdiv_(self.change, self.work, value=-1)

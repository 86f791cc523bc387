"""Lion: the sign of a running mean of gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.components.optimizers.optimizer import Rule
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Probability


@register.optimizer("lion")
class Lion(Rule):
    """Lion: each weight moves by the learning rate, in the direction of the sign of a running mean.

    Source: Chen et al. 2023, arXiv:2302.06675.

    Args:
        lr: learning rate; the paper recommends 3 to 10 times less than for Adam.
        beta1: weight of the running mean in the direction of a step; the rest is the gradient.
        beta2: weight of the past in the running mean of gradients.
        weight_decay: each step first multiplies the weights by 1 - lr * weight_decay.
    """

    decoupled = True

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1e-2,
        beta1: Probability = 0.9,
        beta2: Probability = 0.99,
        weight_decay: NonNegative = 0.0,
    ) -> None:
        super().__init__(parameters, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay)

    def start(self) -> dict[str, Tensor]:
        return {"exp_avg": self.zeros()}

    def prepare(self) -> None:
        super().prepare()
        self.new1, self.new2 = (self.cast(1 - self.numbers[key]) for key in ("beta1", "beta2"))

    def update(self, lr: Tensor) -> None:
        gradient, mean = self.parameters.gradients, self._state["exp_avg"]
        self.shrink(lr)
        torch.lerp(mean, gradient, self.new1, out=self.work).sign_()
        self.parameters.values.addcmul_(self.work, self.rate.copy_(lr), value=-1)
        mean.lerp_(gradient, self.new2)

"""The Adam family: rules that divide a running mean of gradients by one of squared gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from exp.components.optimizers.optimizer import Epsilon, Rule
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Probability


class Moments(Rule):
    """Running means of gradients and of squared gradients, with bias correction.

    The correction 1 - beta^t equals the running mean of a sequence of ones. It is computed as this
    mean, so no power is needed.

    Args:
        lr: learning rate.
        beta1: weight of the past in the running mean of gradients.
        beta2: weight of the past in the running mean of squared gradients.
        eps: added to the denominator.
        weight_decay: L2 term that is added to the gradient.
        amsgrad: divide by the largest running mean of squared gradients so far.
    """

    def __init__(
        self, parameters: Parameters, *, amsgrad: bool = False, decoupled: bool, **numbers: Any
    ) -> None:
        self.amsgrad, self.decoupled = amsgrad, decoupled
        super().__init__(parameters, **numbers)

    def start(self) -> dict[str, Tensor]:
        state = {"exp_avg": self.zeros(), "exp_avg_sq": self.zeros()}
        if self.amsgrad:
            state["max_exp_avg_sq"] = self.zeros()
        for name in ("correction1", "correction2"):
            state[name] = torch.zeros_like(self.numbers["lr"])
        return state

    def prepare(self) -> None:
        super().prepare()
        beta1, beta2 = self.numbers["beta1"], self.numbers["beta2"]
        self.new1, self.new2 = 1 - beta1, 1 - beta2
        self.weight1, self.weight2 = self.cast(self.new1), self.cast(self.new2)
        self.old2, self.eps = self.cast(beta2), self.cast(self.numbers["eps"])
        self.root = torch.empty_like(self.rate)
        self.scalar = torch.empty_like(beta1)
        self.change = torch.empty_like(self.work)

    def moments(self, lr: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Updates the running means; returns the gradient, its mean and its mean square, `[R, P]`
        each."""
        state = self._state
        if self.decoupled:
            self.shrink(lr)
            gradient = self.parameters.gradients
        else:
            gradient = self.gradient()
        mean = state["exp_avg"].lerp_(gradient, self.weight1)
        torch.mul(gradient, self.weight2, out=self.work)
        square = state["exp_avg_sq"].mul_(self.old2).addcmul_(self.work, gradient)
        state["correction1"].mul_(self.numbers["beta1"]).add_(self.new1)
        state["correction2"].mul_(self.numbers["beta2"]).add_(self.new2)
        return gradient, mean, square


@register.optimizer("adam")
class Adam(Moments):
    """Adam, as `torch.optim.Adam`. The default rate is 0.01: see conf/optimizer/adam.yaml.

    Source: Kingma and Ba 2015, arXiv:1412.6980; amsgrad: Reddi et al. 2018, arXiv:1904.09237.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 0.01,
        beta1: Probability = 0.9,
        beta2: Probability = 0.999,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            amsgrad=amsgrad,
            decoupled=False,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
        )

    def update(self, lr: Tensor) -> None:
        adam_step(self, lr)


@register.optimizer("adamw")
class AdamW(Moments):
    """Adam with decoupled weight decay, as `torch.optim.AdamW`.

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101.

    Args:
        weight_decay: each step first multiplies the weights by 1 - lr * weight_decay.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1e-3,
        beta1: Probability = 0.9,
        beta2: Probability = 0.999,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            amsgrad=amsgrad,
            decoupled=True,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
        )

    def update(self, lr: Tensor) -> None:
        adam_step(self, lr)


def adam_step(rule: Moments, lr: Tensor) -> None:
    """w -= lr / c1 * mean / (sqrt(square) / sqrt(c2) + eps), c1 and c2 the corrections."""
    _, mean, square = rule.moments(lr)
    state = rule.state
    if rule.amsgrad:
        square = torch.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
    rule.rate.copy_(torch.div(lr, state["correction1"], out=rule.scalar))
    rule.root.copy_(torch.sqrt(state["correction2"], out=rule.scalar))
    torch.sqrt(square, out=rule.work).div_(rule.root).add_(rule.eps)
    torch.mul(mean, rule.rate, out=rule.change)
    rule.parameters.values.addcdiv_(rule.change, rule.work, value=-1)

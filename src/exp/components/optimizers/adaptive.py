"""Rules that divide each weight's gradient by a measure of its past gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.components.optimizers.optimizer import Epsilon, Rule
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Probability


@register.optimizer("rmsprop")
class RMSprop(Rule):
    """Divide by the root of the running mean of squared gradients, as `torch.optim.RMSprop`.

    Source: Hinton 2012, Neural Networks for Machine Learning, lecture 6; centered: Graves 2013,
    arXiv:1308.0850.

    Args:
        lr: learning rate.
        alpha: weight of the past in the running means.
        eps: added to the denominator.
        weight_decay: L2 term that is added to the gradient.
        momentum: weight of the previous direction.
        centered: divide by the standard deviation of the gradients instead.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1e-2,
        alpha: Probability = 0.99,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 0.0,
        momentum: Probability = 0.0,
        centered: bool = False,
    ) -> None:
        self.centered = centered
        super().__init__(
            parameters, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum
        )

    def start(self) -> dict[str, Tensor]:
        state = {"square_avg": self.zeros()}
        if self.centered:
            state["grad_avg"] = self.zeros()
        if "momentum" in self.active:
            state["momentum_buffer"] = self.zeros()
        return state

    def prepare(self) -> None:
        super().prepare()
        self.old, self.new = self.cast(self.numbers["alpha"]), self.cast(1 - self.numbers["alpha"])
        self.eps, self.momentum = (self.cast(self.numbers[key]) for key in ("eps", "momentum"))
        self.change = torch.empty_like(self.work)

    def update(self, lr: Tensor) -> None:
        gradient, state, work = self.gradient(), self._state, self.work
        torch.mul(gradient, self.new, out=work)
        square = state["square_avg"].mul_(self.old).addcmul_(work, gradient)
        if self.centered:
            mean = state["grad_avg"].lerp_(gradient, self.new)
            # Rounding may leave a variance just below 0, and its root would be NaN.
            square = torch.addcmul(square, mean, mean, value=-1, out=work).clamp_(min=0)
        torch.sqrt(square, out=work).add_(self.eps)
        self.rate.copy_(lr)
        if "momentum" in self.active:
            buffer = state["momentum_buffer"].mul_(self.momentum).addcdiv_(gradient, work)
            self.parameters.values.addcmul_(buffer, self.rate, value=-1)
        else:
            torch.mul(gradient, self.rate, out=self.change)
            self.parameters.values.addcdiv_(self.change, work, value=-1)


@register.optimizer("adagrad")
class Adagrad(Rule):
    """Divide by the root of the sum of all squared gradients, as `torch.optim.Adagrad`.

    Source: Duchi, Hazan and Singer 2011, JMLR 12.

    Args:
        lr: learning rate.
        lr_decay: the learning rate of step t is lr / (1 + (t - 1) * lr_decay).
        weight_decay: L2 term that is added to the gradient.
        initial_accumulator_value: initial value of the sum.
        eps: added to the denominator.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1e-2,
        lr_decay: NonNegative = 0.0,
        weight_decay: NonNegative = 0.0,
        initial_accumulator_value: NonNegative = 0.0,
        eps: Epsilon = 1e-10,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def start(self) -> dict[str, Tensor]:
        state = {"sum": self.zeros() + self.cast(self.numbers["initial_accumulator_value"])}
        if "lr_decay" in self.active:
            state["steps"] = torch.zeros_like(self.numbers["lr"])
        return state

    def prepare(self) -> None:
        super().prepare()
        self.eps = self.cast(self.numbers["eps"])
        self.slowed = torch.empty_like(self.lr)
        self.change = torch.empty_like(self.work)

    def update(self, lr: Tensor) -> None:
        gradient = self.gradient()
        if "lr_decay" in self.active:
            steps = self._state["steps"]
            torch.mul(steps, self.numbers["lr_decay"], out=self.slowed).add_(1)
            lr = torch.div(lr, self.slowed, out=self.slowed)
            steps.add_(1)
        total = self._state["sum"].addcmul_(gradient, gradient)
        torch.sqrt(total, out=self.work).add_(self.eps)
        torch.mul(gradient, self.rate.copy_(lr), out=self.change)
        self.parameters.values.addcdiv_(self.change, self.work, value=-1)


@register.optimizer("adadelta")
class Adadelta(Rule):
    """Scale gradients by the ratio of past changes to past gradients, as `torch.optim.Adadelta`.

    Source: Zeiler 2012, arXiv:1212.5701.

    Args:
        lr: factor of each change; 1 as in the paper.
        rho: weight of the past in both running means.
        eps: added under both square roots; determines the size of the first steps.
        weight_decay: L2 term that is added to the gradient.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1.0,
        rho: Probability = 0.9,
        eps: Epsilon = 1e-6,
        weight_decay: NonNegative = 0.0,
    ) -> None:
        super().__init__(parameters, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)

    def start(self) -> dict[str, Tensor]:
        return {"square_avg": self.zeros(), "acc_delta": self.zeros()}

    def prepare(self) -> None:
        super().prepare()
        self.old, self.new = self.cast(self.numbers["rho"]), self.cast(1 - self.numbers["rho"])
        self.eps = self.cast(self.numbers["eps"])
        self.change = torch.empty_like(self.work)

    def update(self, lr: Tensor) -> None:
        gradient, work, change = self.gradient(), self.work, self.change
        torch.mul(gradient, self.new, out=work)
        square = self._state["square_avg"].mul_(self.old).addcmul_(work, gradient)
        torch.add(square, self.eps, out=work).sqrt_()
        changes = self._state["acc_delta"]
        torch.add(changes, self.eps, out=change).sqrt_().div_(work).mul_(gradient)
        torch.mul(change, self.new, out=work)
        changes.mul_(self.old).addcmul_(work, change)
        self.parameters.values.addcmul_(change, self.rate.copy_(lr), value=-1)

"""Schedule-free learning: an average of the weights takes the place of a falling rate."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from exp.components.optimizers.optimizer import Epsilon, Rule
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Probability


class ScheduleFree(Rule):
    """The three sequences of weights x, y and z of Defazio et al. 2024, arXiv:2405.15682.

    The optimizer steps change z. x is the mean of z, weighted by the largest squared learning rate
    so far. Gradients are computed at y = (1 - interpolation) z + interpolation x, which is
    `parameters.values`.
    """

    averages: ClassVar[bool] = True
    interpolation: ClassVar[str]
    """The hyperparameter that is the share of x in y."""

    @property
    def averaged(self) -> Tensor:
        return self._state["x"]

    def start(self) -> dict[str, Tensor]:
        values, lr = self.parameters.values, self.numbers["lr"]
        state = {"z": values.clone(), "x": values.clone()}
        return state | {name: torch.zeros_like(lr) for name in ("lr_max", "weight_sum")}

    def prepare(self) -> None:
        super().prepare()
        self.share_of_x = self.cast(self.numbers[self.interpolation])

    def descend(self, direction: Tensor, lr: Tensor) -> None:
        """Moves z along a direction `[R, P]`, and updates x and y."""
        state = self._state
        largest = torch.maximum(state["lr_max"], lr, out=state["lr_max"])
        weight = largest * largest
        total = state["weight_sum"].add_(weight)
        # A weight of 0 leaves x as it is: the rates were all 0 so far.
        share = torch.where(total > 0, weight / total, weight)
        z = state["z"].addcmul_(direction, self.rate.copy_(lr), value=-1)
        x = state["x"].lerp_(z, self.cast(share))
        torch.lerp(z, x, self.share_of_x, out=self.parameters.values)


@register.optimizer("schedule_free_sgd")
class ScheduleFreeSGD(ScheduleFree):
    """SGD with averaged weights instead of a schedule, as `schedulefree.SGDScheduleFree`.

    Evaluation, checkpoints and predictions use the averaged weights.

    Source: Defazio et al. 2024, arXiv:2405.15682.

    Args:
        lr: learning rate, larger than that of SGD with a schedule.
        momentum: weight of the average at the point where gradients are computed.
        weight_decay: L2 term that is added to the gradient.
    """

    interpolation = "momentum"

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1.0,
        momentum: Probability = 0.9,
        weight_decay: NonNegative = 0.0,
    ) -> None:
        super().__init__(parameters, lr=lr, momentum=momentum, weight_decay=weight_decay)

    def update(self, lr: Tensor) -> None:
        self.descend(self.gradient(), lr)


@register.optimizer("schedule_free_adamw")
class ScheduleFreeAdamW(ScheduleFree):
    """AdamW with averaged weights instead of a schedule, as `schedulefree.AdamWScheduleFree`.

    Evaluation, checkpoints and predictions use the averaged weights.

    Source: Defazio et al. 2024, arXiv:2405.15682.

    Args:
        lr: learning rate, larger than that of AdamW with a schedule.
        beta1: weight of the average at the point where gradients are computed.
        beta2: weight of the past in the running mean of squared gradients.
        eps: added to the denominator.
        weight_decay: share of the weights added to the direction of each step.
    """

    interpolation = "beta1"

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 3e-2,
        beta1: Probability = 0.9,
        beta2: Probability = 0.999,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 0.0,
    ) -> None:
        super().__init__(
            parameters, lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay
        )

    def start(self) -> dict[str, Tensor]:
        more = {"exp_avg_sq": self.zeros(), "correction2": torch.zeros_like(self.numbers["lr"])}
        return super().start() | more

    def prepare(self) -> None:
        super().prepare()
        beta2 = self.numbers["beta2"]
        self.new2 = 1 - beta2
        self.old2, self.weight2 = self.cast(beta2), self.cast(self.new2)
        self.eps = self.cast(self.numbers["eps"])
        self.direction = torch.empty_like(self.work)

    def update(self, lr: Tensor) -> None:
        gradient, state = self.parameters.gradients, self._state
        torch.mul(gradient, self.weight2, out=self.work)
        square = state["exp_avg_sq"].mul_(self.old2).addcmul_(self.work, gradient)
        correction = state["correction2"].mul_(self.numbers["beta2"]).add_(self.new2)
        torch.div(square, self.cast(correction), out=self.work).sqrt_().add_(self.eps)
        direction = torch.div(gradient, self.work, out=self.direction)
        if "weight_decay" in self.active:
            direction.addcmul_(self.parameters.values, self.decay)
        self.descend(direction, lr)

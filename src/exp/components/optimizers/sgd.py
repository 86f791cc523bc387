"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from exp.components.optimizers.optimizer import Rule
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Probability, Share


def _sgd(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if params["nesterov"] and params["momentum"] == 0:
        yield "nesterov", "expected a momentum greater than 0 with nesterov, found momentum 0"
    if params["nesterov"] and params["dampening"] != 0:
        yield "nesterov", f"expected dampening 0 with nesterov, found {params['dampening']}"
    if params["classical"] and params["dampening"] != 0:
        yield "classical", f"expected dampening 0 with classical, found {params['dampening']}"
    if params["classical"] and params["momentum"] == 0:
        yield "classical", "expected a momentum greater than 0 with classical, found momentum 0"


@register.optimizer("sgd", check=_sgd)
class SGD(Rule):
    """Gradient descent with optional momentum and weight decay, as `torch.optim.SGD`.

    Source: Sutskever et al. 2013. As in PyTorch, the learning rate multiplies the momentum sum.

    Args:
        lr: learning rate.
        momentum: weight of the previous direction.
        dampening: share of the gradient that does not enter the momentum (after the first step).
        weight_decay: L2 term that is added to the gradient.
        nesterov: Nesterov momentum; needs momentum > 0 and dampening = 0.
        classical: the momentum contains the learning rate, as in Sutskever's paper, Keras and
            scikit-learn; this equals PyTorch's form while the learning rate is constant.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 0.1,
        momentum: Probability = 0.0,
        dampening: Share = 0.0,
        weight_decay: NonNegative = 0.0,
        nesterov: bool = False,
        classical: bool = False,
    ) -> None:
        self.nesterov, self.classical = nesterov, classical
        super().__init__(
            parameters, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay
        )

    def start(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = {}
        if "momentum" in self.active:
            state["momentum_buffer"] = self.zeros()
            if "dampening" in self.active:
                # The first gradient enters whole, later ones are dampened.
                state["gain"] = self.cast(torch.ones_like(self.numbers["lr"]))
        return state

    def prepare(self) -> None:
        super().prepare()
        self.momentum = self.cast(self.numbers["momentum"])
        self.gain = self.cast(1 - self.numbers["dampening"])

    def update(self, lr: Tensor) -> None:
        direction = self.gradient()
        self.rate.copy_(lr)
        if self.classical:
            self.parameters.values.sub_(self.velocity(direction))
            return
        if "momentum" in self.active:
            buffer = self._state["momentum_buffer"].mul_(self.momentum)
            if "dampening" in self.active:
                buffer.addcmul_(direction, self._state["gain"])
                self._state["gain"].copy_(self.gain)
            else:
                buffer.add_(direction)
            if self.nesterov:
                torch.addcmul(direction, buffer, self.momentum, out=self.work)
                buffer = self.work
            direction = buffer
        self.parameters.values.addcmul_(direction, self.rate, value=-1)

    def velocity(self, direction: Tensor) -> Tensor:
        """The step: the momentum buffer contains complete steps, including learning rates."""
        buffer = self._state["momentum_buffer"].mul_(self.momentum)
        buffer.addcmul_(direction, self.rate)
        if not self.nesterov:
            return buffer
        torch.mul(direction, self.rate, out=self.work)
        return self.work.addcmul_(buffer, self.momentum)

"""Resilient backpropagation: a step size for every weight, and only the gradient's sign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from exp.components.optimizers.optimizer import Rule
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import LARGEST, Positive

Shrink = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Grow = Annotated[float, Field(gt=1, le=LARGEST, allow_inf_nan=False)]


def _rprop(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    least, most = params["step_size_min"], params["step_size_max"]
    if least > most:
        yield "step_size_min", f"expected at most step_size_max, which is {most}, found {least}"


@register.optimizer("rprop", check=_rprop)
class Rprop(Rule):
    """Grow a weight's step while its gradient keeps its sign, as `torch.optim.Rprop`. Full batch.

    Source: Riedmiller and Braun 1993. Mini-batch gradients are too noisy for this rule.

    Args:
        lr: the first step size of every weight. A schedule does not change later steps.
        eta_minus: factor of a step size after a change of sign; the weight then skips one step.
        eta_plus: factor of a step size if the sign is the same.
        step_size_min: smallest step size.
        step_size_max: largest step size.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1e-2,
        eta_minus: Shrink = 0.5,
        eta_plus: Grow = 1.2,
        step_size_min: Positive = 1e-6,
        step_size_max: Positive = 50.0,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            eta_minus=eta_minus,
            eta_plus=eta_plus,
            step_size_min=step_size_min,
            step_size_max=step_size_max,
        )

    def start(self) -> dict[str, Tensor]:
        return {"prev": self.zeros(), "step_size": self.zeros() + self.cast(self.numbers["lr"])}

    def prepare(self) -> None:
        super().prepare()
        self.shrunk, self.grown = (self.cast(self.numbers[k]) for k in ("eta_minus", "eta_plus"))
        self.least = self.cast(self.numbers["step_size_min"])
        self.most = self.cast(self.numbers["step_size_max"])
        self.one, self.zero = self.work.new_ones(()), self.work.new_zeros(())
        self.changed = torch.empty_like(self.work, dtype=torch.bool)
        self.stayed = torch.empty_like(self.changed)

    def update(self, lr: Tensor) -> None:
        gradient, work = self.parameters.gradients, self.work
        last, size = self._state["prev"], self._state["step_size"]
        torch.mul(gradient, last, out=work)
        torch.gt(work, 0, out=self.stayed)
        torch.lt(work, 0, out=self.changed)
        torch.where(self.stayed, self.grown, self.one, out=work)
        torch.where(self.changed, self.shrunk, work, out=work)
        size.mul_(work).clamp_(self.least, self.most)
        torch.where(self.changed, self.zero, gradient, out=last)
        self.parameters.values.addcmul_(torch.sign(last, out=work), size, value=-1)

"""Sharpness-aware minimization: the gradient is taken where the loss is largest nearby."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor

from exp.components.optimizers.optimizer import Closure, Optimizer
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.registry.types import Nested, Positive


def _sam(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    base = params["base"]
    builder: Any = base.component.builder
    if builder is SAM or not builder.stackable:
        yield "base", f"expected an optimizer with one gradient per step, found {base.name}"


@register.optimizer("sam", check=_sam)
class SAM(Optimizer):
    """Another optimizer with the gradient at the point of largest loss within a distance of rho.

    Each step computes two gradients: one at the weights, and one at a distance of rho in its
    direction. The other optimizer uses the second.

    Source: Foret et al. 2021, arXiv:2010.01412.

    Args:
        base: the other optimizer: a name, or `{name: ..., ...}` with parameters.
        rho: distance at which the second gradient is computed.
        lr: learning rate of the other optimizer; null: its default.
    """

    second_gradient: ClassVar[bool] = True

    def __init__(
        self,
        parameters: Parameters,
        *,
        base: Annotated[Any, Nested("optimizer")] = "sgd",
        rho: Positive = 0.05,
        lr: Positive | None = None,
    ) -> None:
        assert isinstance(base, Chosen)
        rate = {} if lr is None else {"lr": lr}
        self.base: Optimizer = base.component.make(parameters, **{**base.declared, **rate})
        runs, device = parameters.values.shape[0], parameters.values.device
        self.rho = torch.as_tensor(rho, dtype=parameters.values.dtype, device=device)
        self.rho = self.rho.reshape(-1, 1).expand(runs, 1)
        self._adopt(parameters)

    def _adopt(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.kept = torch.empty_like(parameters.values)

    @property
    def lr(self) -> Tensor:  # type: ignore[override]
        return self.base.lr

    @property
    def averaged(self) -> Tensor | None:
        return self.base.averaged

    @property
    def recordable(self) -> bool:  # type: ignore[override]
        return self.base.recordable

    @property
    def state(self) -> dict[str, Tensor]:
        return self.base.state

    @state.setter
    def state(self, saved: Mapping[str, Tensor]) -> None:
        self.base.state = saved

    def step(self, lr: Tensor, closure: Closure | None = None) -> None:
        if closure is None:
            raise ValueError("optimizer sam needs a closure that computes the gradient once more")
        values, gradients = self.parameters.values, self.parameters.gradients
        norm = gradients.square().sum(dim=1, keepdim=True).sqrt()
        self.kept.copy_(values)
        values.addcmul_(gradients, self.rho / (norm + 1e-12))
        closure()
        values.copy_(self.kept)
        self.base.step(lr)

    def select(self, parameters: Parameters, keep: Tensor) -> None:
        self.rho = self.rho[keep]
        self._adopt(parameters)
        self.base.select(parameters, keep)

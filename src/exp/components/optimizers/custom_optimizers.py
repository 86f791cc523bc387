"""Custom optimizers that are `torch.optim.Optimizer`s, for one run at a time."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from exp.components.custom_signatures import annotated, keyword_only, names_of
from exp.components.optimizers.nested_state import flatten, unflatten
from exp.components.optimizers.optimizer import Closure, Optimizer
from exp.components.optimizers.parameter_buffer import Parameters
from exp.components.optimizers.torch_optimizer import TorchOptimizer
from exp.components.optimizers.torch_options import EXECUTION
from exp.util.errors import ComponentError

INJECTED = ("parameters", "params")


def adapted(builder: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Converts a registered optimizer to an `Optimizer`, unless it is one. It may be a class of
    `torch.optim.Optimizer`, or a function of `params` that builds one."""
    if inspect.isclass(builder) and issubclass(builder, Optimizer):
        return builder
    signature = annotated(builder)
    # The first one is what it optimizes, whatever it is called.
    injected = next((each.name for each in signature if each.name in INJECTED), None)
    rest = [each for each in signature if each.name not in (injected, *EXECUTION)]
    if injected is None and rest and rest[0].default is inspect.Parameter.empty:
        injected, rest = rest[0].name, rest[1:]
    parameters = inspect.Parameter("parameters", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    attributes = {
        "title": name,
        "built": staticmethod(partial(built, builder, name, injected is not None)),
        **names_of(builder, [parameters, *keyword_only(rest)]),
    }
    return type(name, (CustomOptimizer,), attributes)


def built(
    builder: Callable[..., Any], name: str, injected: bool, views: list[Tensor], **options: Any
) -> torch.optim.Optimizer:
    """
    Args:
        injected: whether the builder accepts the parameters of the model.

    Raises:
        ComponentError: the builder returns something else.
    """
    found = builder(views, **options) if injected else builder(**options)
    if not isinstance(found, torch.optim.Optimizer):
        raise ComponentError(
            f"optimizer {name} must be a torch.optim.Optimizer or an "
            f"exp.components.optimizers.Optimizer, found a {type(found).__name__}"
        )
    return found


class CustomOptimizer(TorchOptimizer):
    """A custom `torch.optim.Optimizer`.

    The saved state consists of `state` and the param groups. Before each step, `lr` of the groups
    is set to the learning rate of the schedule. If no group has an `lr`, `rated` is false, and a
    run with a schedule is refused.
    """

    plain_values: ClassVar[bool] = True
    title: ClassVar[str]
    built: ClassVar[Callable[..., torch.optim.Optimizer]]

    def __init__(self, parameters: Parameters, **options: Any) -> None:
        runs = parameters.values.shape[0]
        if runs != 1:
            raise ValueError(f"optimizer {self.title} trains a single run, found {runs} runs")
        self.options = options
        self._bind(parameters)
        found = [group["lr"] for group in self.torch.param_groups if "lr" in group]
        self.rated = bool(found)
        rate = float(found[0]) if found else 0.0
        self.lr = torch.full((1, 1), rate, dtype=torch.float64)
        # The groups that a user's function makes may have different rates.
        self.factors = [
            float(group.get("lr", rate)) / rate if rate else 1.0
            for group in self.torch.param_groups
        ]
        step = inspect.signature(self.torch.step).parameters.get("closure")
        needed = step is not None and step.default is inspect.Parameter.empty
        self.takes_closure = needed or isinstance(self.torch, torch.optim.LBFGS)

    def _create(self) -> torch.optim.Optimizer:
        return type(self).built(self.views, **self.options)

    @property
    def state(self) -> dict[str, Tensor]:
        states = [self.torch.state.get(view) for view in self.views]
        groups = [
            {key: value for key, value in group.items() if key != "params" and storable(value)}
            for group in self.torch.param_groups
        ]
        return flatten({"states": states, "groups": groups}, self.parameters.values.device)

    @state.setter
    def state(self, saved: Mapping[str, Tensor]) -> None:
        nest = unflatten(saved, self.parameters.values.device)
        self.torch.state.clear()
        for view, state in zip(self.views, nest["states"], strict=True):
            if state is not None:
                self.torch.state[view] = state
        for group, values in zip(self.torch.param_groups, nest["groups"], strict=True):
            group.update(values)

    def step(self, lr: Tensor, closure: Closure | None = None) -> None:
        if self.rated:
            for group, factor in zip(self.torch.param_groups, self.factors, strict=True):
                if "lr" in group:
                    group["lr"] = float(lr) * factor
        if self.takes_closure:
            self.torch.step(closure)  # type: ignore[arg-type]
        else:
            self.torch.step()


def storable(value: Any) -> bool:
    """Whether a checkpoint can store this value."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return all(storable(item) for item in value)
    return value is None or isinstance(value, Tensor) or type(value) in (bool, int, str)

"""Optimizers of a user's that are `torch.optim.Optimizer`s, for one run at a time."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from exp.components.flat import flatten, unflatten
from exp.components.optimizers import Closure, Optimizer
from exp.components.parameters import Parameters
from exp.components.torch_optimizer import TorchOptimizer
from exp.components.torch_options import EXECUTION
from exp.registry.annotations import hints_of
from exp.util.errors import ComponentError

PASSED = ("parameters", "params")


def adapted(builder: Callable[..., Any], name: str) -> Callable[..., Any]:
    """An `Optimizer` for what was registered, unless it is one: a class of `torch.optim.Optimizer`,
    or a function that builds one of `params`."""
    if inspect.isclass(builder) and issubclass(builder, Optimizer):
        return builder
    known = hints_of(builder)
    signature = [
        each.replace(annotation=known.get(each.name, inspect.Parameter.empty))
        for each in inspect.signature(builder).parameters.values()
    ]
    # The first one is what it optimizes, whatever it is called.
    taken = next((each.name for each in signature if each.name in PASSED), None)
    rest = [each for each in signature if each.name not in (taken, *EXECUTION)]
    if taken is None and rest and rest[0].default is inspect.Parameter.empty:
        taken, rest = rest[0].name, rest[1:]
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    keys = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in rest if each.kind not in kinds
    ]
    passed = inspect.Parameter("parameters", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    described = {
        "title": name,
        "made": staticmethod(partial(made, builder, name, taken)),
        "__doc__": inspect.getdoc(builder),
        "__module__": getattr(builder, "__module__", __name__),
        "__qualname__": getattr(builder, "__qualname__", type(builder).__qualname__),
        "__signature__": inspect.Signature([passed, *keys]),
    }
    return type(name, (OwnOptimizer,), described)


def made(
    builder: Callable[..., Any], name: str, taken: str | None, views: list[Tensor], **options: Any
) -> torch.optim.Optimizer:
    """
    Raises:
        ComponentError: it builds something else.
    """
    found = builder(**options) if taken is None else builder(views, **options)
    if not isinstance(found, torch.optim.Optimizer):
        raise ComponentError(
            f"optimizer {name} must be a torch.optim.Optimizer or an "
            f"exp.components.optimizers.Optimizer, found a {type(found).__name__}"
        )
    return found


class OwnOptimizer(TorchOptimizer):
    """A `torch.optim.Optimizer` of a user's.

    Its state is what it keeps in `state` and in its param groups. The rate of a schedule is set as
    `lr` of its groups before each step; where no group has an `lr`, `rated` is false, and a run
    with a schedule is refused.
    """

    plain_numbers: ClassVar[bool] = True
    title: ClassVar[str]
    made: ClassVar[Callable[..., torch.optim.Optimizer]]

    def __init__(self, parameters: Parameters, **options: Any) -> None:
        runs = parameters.values.shape[0]
        if runs != 1:
            raise ValueError(f"optimizer {self.title} holds a stack of one, found {runs} runs")
        self.options = options
        self._bind(parameters)
        found = [group["lr"] for group in self.torch.param_groups if "lr" in group]
        self.rated = bool(found)
        rate = float(found[0]) if found else 0.0
        self.lr = torch.full((1, 1), rate, dtype=torch.float64)
        # Groups of a function of the user's may have rates of their own.
        self.factors = [
            float(group.get("lr", rate)) / rate if rate else 1.0
            for group in self.torch.param_groups
        ]
        step = inspect.signature(self.torch.step).parameters.get("closure")
        needed = step is not None and step.default is inspect.Parameter.empty
        self.probing = needed or isinstance(self.torch, torch.optim.LBFGS)

    def _create(self) -> torch.optim.Optimizer:
        return type(self).made(self.views, **self.options)

    @property
    def state(self) -> dict[str, Tensor]:
        states = [self.torch.state.get(view) for view in self.views]
        groups = [
            {key: value for key, value in group.items() if key != "params" and simple(value)}
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
        if self.probing:
            self.torch.step(closure)  # type: ignore[arg-type]
        else:
            self.torch.step()


def simple(value: Any) -> bool:
    """Whether a checkpoint can hold this."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return all(simple(item) for item in value)
    return value is None or isinstance(value, Tensor) or type(value) in (bool, int, str)

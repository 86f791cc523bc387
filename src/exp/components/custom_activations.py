"""Custom activations: a class of `nn.Module`, a function that builds one, or a function on a
tensor such as `torch.sin`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exp.components.custom_signatures import annotated, keyword_only, names_of
from exp.registry.annotations import unwrapped
from exp.registry.user_code import calling
from exp.util.errors import ComponentError

ELEMENTWISE: tuple[Callable[..., Any], ...] = (
    torch.sin, torch.cos, torch.tan, torch.tanh, torch.sigmoid, torch.relu, torch.exp,
    torch.abs, torch.square, torch.atan, torch.asinh, torch.sinh, torch.erf, torch.sinc,
    torch.expm1, torch.sign, F.relu, F.relu6, F.elu, F.selu, F.celu, F.gelu, F.silu, F.mish,
    F.softplus, F.leaky_relu, F.hardtanh, F.hardswish, F.hardsigmoid, F.logsigmoid,
    F.tanhshrink, F.tanh, F.softsign, F.sigmoid,
)  # fmt: skip
"""Functions of torch that treat each number by itself, so that models with them can be stacked."""


class Function(nn.Module):
    """A module that applies a function to a tensor.

    Args:
        function: returns a tensor of the same shape.
        name: name of the activation, for messages.
        elementwise: whether the function computes each number separately.
    """

    def __init__(
        self, function: Callable[[Tensor], Any], name: str, *, elementwise: bool = False
    ) -> None:
        super().__init__()
        self.function, self.name, self.elementwise = function, name, elementwise

    def forward(self, x: Tensor) -> Tensor:
        with calling(f"activation {self.name}"):
            y = self.function(x)
        if not isinstance(y, Tensor) or y.shape != x.shape:
            found = list(y.shape) if isinstance(y, Tensor) else f"a {type(y).__name__}"
            raise ComponentError(
                f"activation {self.name} must return a tensor of the shape of its input "
                f"{list(x.shape)}, found {found}"
            )
        return y


def adapted(builder: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Converts a registered activation to a function that builds an `nn.Module`."""
    target = unwrapped(builder)
    if inspect.isclass(target) and issubclass(target, nn.Module):
        return builder
    elementwise = any(target is each for each in ELEMENTWISE)
    try:
        parameters = annotated(builder)
    except ValueError:  # a function written in C
        parameters, direct = [], True
    else:
        direct = not inspect.isclass(target) and bool(parameters) and takes_input(parameters[0])

    def built(**options: Any) -> nn.Module:
        if direct:
            function = partial(builder, **options) if options else builder
            return Function(function, name, elementwise=elementwise)
        found = builder(**options)
        if isinstance(found, nn.Module):
            return found
        if not callable(found):
            kind = type(found).__name__
            raise ComponentError(f"activation {name} must build an nn.Module, found a {kind}")
        return Function(found, name, elementwise=bool(getattr(found, "elementwise", False)))

    options = keyword_only(parameters[1:] if direct else parameters)
    for key, value in names_of(builder, options).items():
        setattr(built, key, value)
    return built


def takes_input(first: inspect.Parameter) -> bool:
    """Whether a function is the activation itself instead of its builder; its first parameter
    decides."""
    if first.kind is inspect.Parameter.VAR_POSITIONAL:
        return True
    required = first.default is inspect.Parameter.empty
    return required and first.kind is not inspect.Parameter.KEYWORD_ONLY

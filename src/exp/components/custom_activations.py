"""Activations of a user's: a class of `nn.Module`, a function that builds one, or a function on a
tensor such as `torch.sin`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exp.registry.annotations import hints_of
from exp.registry.user_code import calling
from exp.util.errors import ComponentError

BY_ITSELF: tuple[Callable[..., Any], ...] = (
    torch.sin, torch.cos, torch.tan, torch.tanh, torch.sigmoid, torch.relu, torch.exp,
    torch.abs, torch.square, torch.atan, torch.asinh, torch.sinh, torch.erf, torch.sinc,
    torch.expm1, torch.sign, F.relu, F.relu6, F.elu, F.selu, F.celu, F.gelu, F.silu, F.mish,
    F.softplus, F.leaky_relu, F.hardtanh, F.hardswish, F.hardsigmoid, F.logsigmoid,
    F.tanhshrink, F.tanh, F.softsign, F.sigmoid,
)  # fmt: skip
"""Functions of torch that treat each number by itself, so that models with them are stacked."""


class Function(nn.Module):
    """A function on a tensor as a module.

    Args:
        function: gives a tensor of the same shape.
        name: of the activation, for messages.
        elementwise: whether it treats each number by itself.
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
                f"activation {self.name} must give a tensor of the shape of its input "
                f"{list(x.shape)}, found {found}"
            )
        return y


def adapted(builder: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that builds an `nn.Module`, for what was registered."""
    target = builder
    while isinstance(target, partial):
        target = target.func
    if inspect.isclass(target) and issubclass(target, nn.Module):
        return builder
    elementwise = any(target is each for each in BY_ITSELF)
    try:
        parameters = list(inspect.signature(builder).parameters.values())
    except ValueError:  # a function written in C
        parameters = []
        called = True
    else:
        empty, varying = inspect.Parameter.empty, inspect.Parameter.VAR_POSITIONAL
        first = parameters[0] if parameters else None
        called = not inspect.isclass(target) and first is not None and (
            (first.default is empty and first.kind is not inspect.Parameter.KEYWORD_ONLY)
            or first.kind is varying
        )  # fmt: skip
    known = hints_of(builder)
    keys = [
        each.replace(
            kind=inspect.Parameter.KEYWORD_ONLY,
            annotation=known.get(each.name, inspect.Parameter.empty),
        )
        for each in (parameters[1:] if called else parameters)
        if each.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    ]

    def built(**options: Any) -> nn.Module:
        if called:
            function = partial(builder, **options) if options else builder
            return Function(function, name, elementwise=elementwise)
        found = builder(**options)
        if isinstance(found, nn.Module):
            return found
        if not callable(found):
            kind = type(found).__name__
            raise ComponentError(f"activation {name} must build an nn.Module, found a {kind}")
        return Function(found, name, elementwise=bool(getattr(found, "elementwise", False)))

    built.__doc__ = inspect.getdoc(builder)
    built.__module__ = getattr(builder, "__module__", None) or __name__
    built.__qualname__ = getattr(target, "__qualname__", type(target).__qualname__)
    built.__signature__ = inspect.Signature(keys)  # type: ignore[attr-defined]
    return built

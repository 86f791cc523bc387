"""What torch.optim offers, and whether options fit before anything is started."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from exp.util.errors import shown, unknown

EXECUTION = ("capturable", "differentiable", "foreach", "fused")
"""Options that say how a step is computed, not what it is: exp leaves them to PyTorch."""


def algorithms() -> list[str]:
    """The optimizers of the installed torch.optim that a dense model can be trained with."""
    known = inspect.getmembers(torch.optim, inspect.isclass)
    return [
        name
        for name, kind in known
        if issubclass(kind, torch.optim.Optimizer) and name not in ("Optimizer", "SparseAdam")
    ]


def faults(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and messages of what is wrong with an algorithm's name and its options."""
    name, options = params["algorithm"], params["options"]
    if name == "SparseAdam":
        yield "algorithm", "SparseAdam wants sparse gradients, and no model here makes them"
    elif name == "Optimizer":
        yield "algorithm", "Optimizer is only the base class of all others"
    elif name not in algorithms():
        yield "algorithm", unknown("optimizer of torch.optim", name, algorithms())
    elif options:
        yield from list(_options(name, options)) or _tried(name, options)


def _options(name: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Faults of options by the signature of a class of torch.optim."""
    signature = inspect.signature(getattr(torch.optim, name))
    known = [key for key in signature.parameters if key not in ("params", "lr", *EXECUTION)]
    for key, value in options.items():
        if key not in known:
            what = f"option of torch.optim.{name}"
            yield f"options.{key}", unknown(what, key, known, allowed="It takes")
            continue
        default = signature.parameters[key].default
        wanted = _wanted(default, value)
        if wanted:
            yield f"options.{key}", f"expected {wanted}, found {shown(value)}"


def _wanted(default: Any, value: Any) -> str:
    """What a value like this default looks like, or nothing if it is one. None accepts all."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, (int, float)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return "" if number and math.isfinite(value) else "a number"
    if isinstance(default, tuple):
        fits = isinstance(value, (list, tuple)) and len(value) == len(default)
        fits = fits and not any(_wanted(d, v) for d, v in zip(default, value, strict=True))
        return "" if fits else f"a list of {len(default)} numbers"
    return ""


def _tried(name: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What torch.optim itself says of the options, in a step of a tiny matrix."""
    matrix = torch.eye(2)
    matrix.grad = torch.eye(2)
    try:
        optimizer = getattr(torch.optim, name)([matrix], lr=1e-3, **options)
        optimizer.step(lambda: torch.ones(()))
    except Exception as error:
        yield "options", f"torch.optim.{name} refuses them: {error}"

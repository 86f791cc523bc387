"""The optimizers of torch.optim, and whether options fit one before anything is started."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from exp.registry.component import infinite
from exp.registry.parameter_schema import checked, config_parameters, schema_of
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
    """Errors in the name of an algorithm and its options, as pairs of key and message."""
    name, options = params["algorithm"], params["options"]
    if name == "SparseAdam":
        yield "algorithm", "SparseAdam needs sparse gradients, and no model here has them"
    elif name == "Optimizer":
        yield "algorithm", "Optimizer is the base class of the others: choose one of them"
    elif name not in algorithms():
        yield "algorithm", unknown("optimizer of torch.optim", name, algorithms())
    elif options:
        yield from list(by_signature(name, options)) or by_trial(name, options)


def by_signature(name: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Faults of options by the signature of a class of torch.optim."""
    parameters = {
        key: parameter
        for key, parameter in config_parameters(getattr(torch.optim, name)).items()
        if key not in ("params", "lr", *EXECUTION)
    }
    schema = schema_of(name, parameters)
    path = "optimizer.options"
    for fault in checked(schema, options, path, f"option of torch.optim.{name}")[1]:
        yield fault.path.removeprefix("optimizer."), fault.message
    for key, value in options.items():
        if infinite(value):
            yield f"options.{key}", f"expected a finite number, found {shown(value)}"


def by_trial(name: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Errors that torch.optim raises for the options in one step with a small matrix."""
    matrix = torch.eye(2)
    matrix.grad = torch.eye(2)
    try:
        optimizer = getattr(torch.optim, name)([matrix], lr=1e-3, **options)
        optimizer.step(lambda: torch.ones(()))
    except Exception as error:
        yield "options", f"torch.optim.{name} refuses them: {error}"

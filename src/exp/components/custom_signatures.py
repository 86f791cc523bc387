"""What the adapters of custom components share: the signature and the names of what they wrap."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from exp.registry.annotations import hints_of, unwrapped

VARYING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def annotated(builder: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a callable with resolved annotations.

    Raises:
        ValueError: it has no signature, like some functions in C.
    """
    known = hints_of(builder)
    return [
        each.replace(annotation=known.get(each.name, inspect.Parameter.empty))
        for each in inspect.signature(builder).parameters.values()
    ]


def keyword_only(parameters: Iterable[inspect.Parameter]) -> list[inspect.Parameter]:
    """The named parameters, as keyword-only parameters."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return [each.replace(kind=kind) for each in parameters if each.kind not in VARYING]


def names_of(
    builder: Callable[..., Any], parameters: Sequence[inspect.Parameter]
) -> dict[str, Any]:
    """The attributes of an adapter that are copied from the builder: docstring, module, name, and a
    signature with these parameters."""
    target = unwrapped(builder)
    return {
        "__doc__": inspect.getdoc(builder),
        "__module__": getattr(builder, "__module__", None) or __name__,
        "__qualname__": getattr(target, "__qualname__", type(target).__qualname__),
        "__signature__": inspect.Signature(parameters),
    }

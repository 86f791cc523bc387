"""What a function of exp needs besides its source: constants, other functions, imports."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Set
from types import ModuleType
from typing import Any

from exp.script.plain_source import WRAPPERS, names_in, plain_function
from exp.script.python import literal
from exp.script.section import Section

ABOUT = {
    "halves": "Two halves of so many rows; the first may have one more.",
    "rounded": "Numbers that float32 holds.",
}
"""Docstrings of functions that have none, or none that a script needs."""


def helpers(function: Callable[..., Any], *, leave: Set[str] = frozenset()) -> Section:
    """The constants and functions of exp that a function uses, in the order of their use, and its
    imports.

    Args:
        leave: names that the script does not need.
    """
    out, functions = Section(), Section()
    for name, value in names_in(function).items():
        if name in leave or name in WRAPPERS:
            continue
        if isinstance(value, ModuleType):
            alias = "" if value.__name__ == name else f" as {name}"
            out.use(f"import {value.__name__}{alias}")
        elif inspect.isfunction(value) and value.__module__.startswith("exp."):
            functions.join(helpers(value))
            about = ABOUT.get(name) or " ".join((inspect.getdoc(value) or "").split())
            functions.add(plain_function(value, about=about), "", "")
        elif isinstance(value, int | float | tuple):
            out.add(literal(value, f"{name} = "))
        elif hasattr(value, "__module__") and not value.__module__.startswith("exp."):
            out.use(f"from {public(value.__module__)} import {name}")
    return out.join(functions)


def public(module: str) -> str:
    """The module from which one imports what is defined in a module of an underscore."""
    return {"numpy.random.mtrand": "numpy.random"}.get(module, module)

"""The help texts of parameters, from the sections `Args:` and `Attributes:` of docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

SECTION = re.compile(r"^(?:Args|Attributes):\n((?: +.*(?:\n|$)|\n)*)", re.MULTILINE)
ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n {5,}.*)*)", re.MULTILINE)


def parameters(builder: Callable[..., Any]) -> dict[str, str]:
    """The help text of each parameter, on one line; a class inherits those of its bases."""
    bases = inspect.getmro(builder)[::-1] if inspect.isclass(builder) else [builder]
    found: dict[str, str] = {}
    for base in bases:
        found |= in_text(vars(base).get("__doc__") if inspect.isclass(base) else base.__doc__)
    return found


def in_text(text: str | None) -> dict[str, str]:
    """The help texts in one docstring."""
    found: dict[str, str] = {}
    for section in SECTION.findall(inspect.cleandoc(text or "")):
        for names, about in ENTRY.findall(section):
            found |= dict.fromkeys(names.split(", "), " ".join(about.split()))
    return found

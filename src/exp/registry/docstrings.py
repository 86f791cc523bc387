"""What docstrings say of parameters: sections `Args:` and `Attributes:`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

SECTION = re.compile(r"^(?:Args|Attributes):\n((?: +.*(?:\n|$)|\n)*)", re.MULTILINE)
ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n {5,}.*)*)", re.MULTILINE)


def parameters(builder: Callable[..., Any]) -> dict[str, str]:
    """What each parameter is, on one line; a class has what its bases say as well."""
    bases = inspect.getmro(builder)[::-1] if inspect.isclass(builder) else [builder]
    found: dict[str, str] = {}
    for base in bases:
        found |= in_text(vars(base).get("__doc__") if inspect.isclass(base) else base.__doc__)
    return found


def in_text(text: str | None) -> dict[str, str]:
    """What one docstring says of parameters."""
    found: dict[str, str] = {}
    for section in SECTION.findall(inspect.cleandoc(text or "")):
        for names, about in ENTRY.findall(section):
            found |= dict.fromkeys(names.split(", "), " ".join(about.split()))
    return found

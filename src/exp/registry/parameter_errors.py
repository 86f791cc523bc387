"""What pydantic finds wrong with the values of a config, in sentences with key paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from exp.registry import aliases
from exp.registry.types import PATTERNS
from exp.util.errors import nearest, offer, shown, unknown

WORDING = (
    (r"^(String|List|Tuple|Set) should have ", lambda found: f"a {found[1].lower()} of "),
    (r"^Keys should be strings", "a key that is a string"),
    (r" after validation, not \d+", ""),
)
"""How pydantic puts it, and what follows "expected" in a message of exp."""
BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
NUMBERS = ("float_type", "int_type", "int_from_float", "float_parsing")


def location(path: str, detail: ErrorDetails, params: Mapping[str, Any]) -> str:
    """The key path of a pydantic error, without the union branches that pydantic appends."""
    parts: list[str] = []
    value: Any = params
    for step in detail["loc"]:
        if isinstance(value, Mapping) and (step in value or not parts):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
        parts.append(str(step))
    return ".".join([path, *parts]) if path else ".".join(parts)


def repair(schema: type[BaseModel], params: Mapping[str, Any], key: str, at: str) -> str:
    """` Did you mean KEY=VALUE?`, where a value that fits is written a little differently."""
    if key not in params or not f".{at}".endswith(f".{key}"):
        return ""
    for value in aliases.rewritten(params[key]):
        try:
            schema.model_validate({**params, key: value})
        except ValidationError as error:
            if any(detail["loc"][0] == key for detail in error.errors()):
                continue
        return offer(f"{at}={aliases.written(value)}")
    return ""


def sentence(
    details: list[ErrorDetails], what: str, known: list[str], at: str = "", repaired: str = ""
) -> str:
    """What was expected and what was found, from one or more pydantic errors at one place.

    Args:
        at: the key path of the place.
        repaired: what was probably meant.
    """
    first = details[0]
    if first["type"] == "extra_forbidden":
        word, group = str(first["loc"][-1]), at.partition(".")[0]
        named = [key.partition(".")[2] for key in aliases.keys(word) if key.startswith(f"{group}.")]
        meant = next((name for name in named if name in known), None)
        hint = f" Did you mean {meant!r}?" if meant else None
        return unknown(what, word, known, allowed="It takes", hint=hint)
    if first["type"] == "missing":
        if isinstance(last := first["loc"][-1], int):
            return f"expected at least {last + 1} items, found {shown(first['input'])}"
        return f"expected a value, found none: set {at}=VALUE"
    wanted = list(dict.fromkeys(map(expected, details)))
    found = f"expected {' or '.join(wanted)}, found {shown(first['input'])}"
    names = re.findall(r"'([^']*)'", str(first.get("ctx", {}).get("expected", "")))
    hint = nearest(first["input"], names) if isinstance(first["input"], str) else ""
    return f"{found}.{hint or repaired}" if hint or repaired else found


def expected(detail: ErrorDetails) -> str:
    """What a pydantic error says was expected."""
    kind = detail["type"]
    if kind in NUMBERS:
        return "an integer" if kind.startswith("int") else "a number"
    if kind == "string_pattern_mismatch":
        pattern = detail["ctx"]["pattern"]
        return PATTERNS.get(pattern, f"a string that matches {pattern!r}")
    text = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    text = text.replace("a valid ", "a ").replace("a integer", "an integer")
    for theirs, ours in WORDING:
        text = re.sub(theirs, ours, text)
    if kind in BOUNDS:
        bound = next(iter(detail["ctx"].values()))
        most = "most" if kind.startswith("less") else "least"
        return f"a number {text}" if abs(bound) < 1e16 else f"a number of at {most} {bound:g}"
    return text

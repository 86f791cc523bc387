"""Values of configs as plain scalars: what an override says, and what a resolved config says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

Scalar = bool | int | float | str | None

_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "": None}
_INTEGER = re.compile(r"[+-]?(0|[1-9](_?[0-9]){0,19})")
_LARGEST = 1 << 63  # larger numbers fit neither into a table of numbers nor into JSON everywhere
_FLOAT = re.compile(
    r"[+-]?((0|[1-9](_?\d)*)\.(\d(_?\d)*)?|\.\d(_?\d)*)(e[+-]?\d(_?\d)*)?"
    r"|[+-]?(0|[1-9](_?\d)*)e[+-]?\d(_?\d)*",
    re.I,
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.S)


def typed(text: str) -> Scalar:
    """The value of an override as Hydra reads it; a list or a mapping stays text."""
    if (word := text.strip().lower()) in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(text):
        return int(text)
    # What is not finite stays text: nan equals nothing, not even itself.
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    if found := _QUOTED.fullmatch(text):
        return re.sub(r"\\(.)", r"\1", found[1] if found[1] is not None else found[2])
    return text


def plain_key(key: str) -> str:
    """A key path of an override without Hydra's signs for adding and for packages."""
    return key.lstrip("+~").partition("@")[0]


def names_seed(key: str) -> bool:
    """Whether a key is a seed."""
    return key == "seed" or key.startswith("seeds.")


def is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by key path."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flat(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def leaves(config: Mapping[str, Any]) -> dict[str, Scalar]:
    """Key path -> value of a resolved config. The name of a component is also the value of its
    group: `optimizer` and `optimizer.name` are both `adam`."""
    found: dict[str, Scalar] = {}
    for key, value in flat(dict(config)) if config else ():
        group, dot, last = key.rpartition(".")
        if dot and last == "name":
            found[group] = scalar(value)
        found[key] = scalar(value)
    return found


def scalar(value: Any) -> Scalar:
    """A value as an override would give it."""
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return f"{value:#x}"
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return written(value)


def written(value: Any) -> str:
    """A value on a command line, without spaces: `[8,8]`."""
    if isinstance(value, (list, tuple)):
        return f"[{','.join(written(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{written(item)}" for key, item in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(scalar(value)) if isinstance(value, int) else str(value)

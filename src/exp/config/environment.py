"""Values that a config reads from the environment, `${oc.env:NAME}`: stored by name, not by value.

A token or a private path that somebody keeps out of a config file must not come back in by way of
the files of a run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from exp.util.errors import ConfigError, Fault

WRITTEN = "${oc.env}"
"""The key of a resolved config under which the texts of such values stand, by key path."""
MARK = re.compile(r"_oc_env_([0-9a-f]+)_")
NAMED = re.compile(r"\$\{oc\.env:([A-Za-z_]\w*)(?:,([^{}]*))?\}", re.ASCII)
DECODED = re.compile(r"\$\{oc\.decode:(\$\{oc\.env:[^{}]*\})\}")
_NONE = object()


class _Reading:
    """Whether the environment was read at all, and whether names are asked for instead."""

    used = False
    by_name = False


def resolver(key: str, default: Any = _NONE) -> str | None:
    """As OmegaConf's own `oc.env`.

    Raises:
        KeyError: there is no such variable, and no default.
    """
    _Reading.used = True
    if _Reading.by_name:
        text = key if default is _NONE else f"{key},{default}"
        return f"_oc_env_{text.encode().hex()}_"
    if key in os.environ:
        return os.environ[key]
    if default is _NONE:
        raise KeyError(f"Environment variable {key!r} not found")
    return None if default is None else str(default)


def register() -> None:
    OmegaConf.register_new_resolver("oc.env", resolver, replace=True)


def was_read() -> bool:
    """Whether any config of this process has read it."""
    return _Reading.used


def texts(config: Any, plain: Mapping[str, Any]) -> dict[str, str]:
    """Key path -> the text that stands for a value from the environment.

    Args:
        config: as composed.
        plain: its resolved values.
    """
    if not _Reading.used:
        return {}
    _Reading.by_name = True
    try:
        return dict(_texts(config, plain, ""))
    finally:
        _Reading.by_name = False


def _texts(node: Any, plain: Any, path: str) -> Iterator[tuple[str, str]]:
    pairs = plain.items() if isinstance(plain, Mapping) else enumerate(plain)
    for key, value in pairs:
        where = f"{path}.{key}" if path else str(key)
        if where == WRITTEN:
            continue
        try:
            child = node[key]
        except (OmegaConfBaseException, LookupError, ValueError, TypeError):
            # It can be had with the value only: then nothing of it is stored.
            yield where, str(node._get_node(key)._value())
            continue
        if OmegaConf.is_config(child) and isinstance(value, (Mapping, list)):
            yield from _texts(child, value, where)
        elif isinstance(child, str) and MARK.search(child):
            text = MARK.sub(lambda m: "${oc.env:" + bytes.fromhex(m[1]).decode() + "}", child)
            yield where, text if isinstance(value, str) else "${oc.decode:" + text + "}"


@contextmanager
def name_of_variable(config: Any, plain: Callable[[str], str]) -> Iterator[None]:
    """Within this, `name` of a composed config is that of the variable it is read from, where it is
    read from one: it becomes part of a directory's name.

    Args:
        plain: makes a text part of a directory's name.
    """
    text = texts(config, {"name": ""}).get("name")
    if text is None:
        yield
        return
    node = config._get_node("name")
    before = node._value()
    node._set_value(plain(text))
    try:
        yield
    finally:
        node._set_value(before)


def stored(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved config as a file may hold it."""
    written = config.get(WRITTEN, {})
    plain = {key: value for key, value in config.items() if key != WRITTEN}
    for path, text in written.items():
        plain = _replaced(plain, path.split("."), text)
    return plain


def _replaced(node: Any, path: list[str], text: str) -> Any:
    """A copy with another value at a path, where there is such a path."""
    key, *rest = path
    if isinstance(node, Mapping) and key in node:
        return {**node, key: _replaced(node[key], rest, text) if rest else text}
    if isinstance(node, list) and key.isdigit() and int(key) < len(node):
        items = list(node)
        items[int(key)] = _replaced(items[int(key)], rest, text) if rest else text
        return items
    return node


def restored(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as it was resolved, from what `stored` made of it; only `oc.env` is looked up.

    Raises:
        ConfigError: a variable is not set; with all of them.
    """
    faults: list[Fault] = []
    written: dict[str, str] = {}

    def of(node: Any, path: str) -> Any:
        if isinstance(node, Mapping):
            return {k: of(v, f"{path}.{k}" if path else str(k)) for k, v in node.items()}
        if isinstance(node, list):
            return [of(item, f"{path}.{i}") for i, item in enumerate(node)]
        if not isinstance(node, str) or not NAMED.search(node):
            return node
        written[path] = node
        try:
            return read(node)
        except KeyError as error:
            faults.append(Fault(path, f"{node} was read from the environment: {error.args[0]}"))
            return node

    plain: dict[str, Any] = of(config, "")
    if faults:
        raise ConfigError(faults)
    return {**plain, WRITTEN: written} if written else plain


def literal(node: Any) -> Any:
    """Plain values in which nothing is an interpolation for OmegaConf."""
    if isinstance(node, Mapping):
        return {key: literal(item) for key, item in node.items()}
    if isinstance(node, list):
        return [literal(item) for item in node]
    return node.replace("${", "\\${") if isinstance(node, str) else node


def read(text: str) -> Any:
    """What a text with `${oc.env:NAME}` in it stands for.

    Raises:
        KeyError: a variable is not set.
    """
    decoded = DECODED.fullmatch(text)
    inner = decoded[1] if decoded else text

    def one(match: re.Match[str]) -> str:
        name, default = match.groups()
        found = resolver(name) if default is None else resolver(name, default)
        return str(found)

    found = NAMED.sub(one, inner)
    if not decoded:
        return found
    from exp.util.untrusted import yaml_of

    try:  # what one would put into the environment reads alike in both languages
        return yaml_of(found.encode())
    except ValueError:
        return found

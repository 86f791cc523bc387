"""Values that a config reads from the environment, `${oc.env:NAME}`: stored by name, not by value.

A token or a private path that somebody keeps out of a config file must not come back in by way of
the files of a run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from exp.config.unresolved import unresolved
from exp.util.errors import ConfigError, ExpError, Fault, Lines
from exp.util.terminal import one_line
from exp.util.untrusted import yaml_of

WRITTEN = "${oc.env}"
"""The key of a resolved config under which the texts of such values stand, by key path."""
MARK = re.compile(r"_oc_env_([0-9a-f]+)_")
NAMED = re.compile(r"\$\{oc\.env:([A-Za-z_]\w*)(?:,([^{}]*))?\}", re.ASCII)
DECODED = re.compile(r"\$\{oc\.decode:([^{}]*)\}")
VARIABLE = re.compile(r"\$\{oc\.env:([A-Za-z_]\w*)", re.ASCII)
HELD = "\ue000", "\ue001"
"""Around the number of a value whose place is held, so that nothing in it is taken for more."""
_NONE = object()


class _Reading:
    """Whether the environment was read at all, and whether names are asked for instead."""

    used = False
    by_name = False
    seen: ClassVar[dict[str, str]] = {}
    """Value -> the text that stands for it, of all that this command has read."""


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
        _Reading.seen[os.environ[key]] = f"${{oc.env:{key}}}"
        return os.environ[key]
    if default is _NONE:
        raise KeyError(f"Environment variable {key!r} not found")
    return None if default is None else str(default)


def register() -> None:
    OmegaConf.register_new_resolver("oc.env", resolver, replace=True)


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
            yield where, str(unresolved(node)[key])
            continue
        if OmegaConf.is_config(child) and isinstance(value, (Mapping, list)):
            yield from _texts(child, value, where)
        elif isinstance(child, str) and MARK.search(child):
            text = child
            while MARK.search(text):  # the default of a variable may be another
                text = MARK.sub(lambda m: "${oc.env:" + bytes.fromhex(m[1]).decode() + "}", text)
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
    before = unresolved(config)["name"]
    config.name = plain(text)
    try:
        yield
    finally:
        config.name = before


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
    values: list[str] = []

    def one(match: re.Match[str]) -> str:
        name, default = match.groups()
        found = resolver(name) if default is None else resolver(name, default)
        values.append(str(found))
        return f"{HELD[0]}{len(values) - 1}{HELD[1]}"

    before = None
    while text != before:  # a default may be another variable
        before, text = text, NAMED.sub(one, text)
    decoded = DECODED.fullmatch(text)
    found = expanded(decoded[1] if decoded else text, values)
    if not decoded:
        return found
    try:  # what one would put into the environment reads alike in both languages
        return yaml_of(found.encode())
    except ValueError:
        return found


def expanded(text: str, values: Sequence[str]) -> str:
    """A text with values in the places that are held for them."""
    for number in reversed(range(len(values))):
        text = text.replace(f"{HELD[0]}{number}{HELD[1]}", values[number])
    return text


# Errors


PIECE = 8
"""Characters of a value that no message may show together."""
SHORT = 4
"""Values of fewer characters, such as 1 or sgd, are replaced only where a message quotes them; so
are short words, which may be those of exp."""


def forget() -> None:
    """A command begins, which has read nothing yet."""
    _Reading.seen = {}


def unshown(text: str, values: Mapping[str, str] | None = None) -> str:
    """A message with `${oc.env:NAME}` in place of each value that was read from the environment.

    Args:
        values: value -> the text that stands for it; None: all that this command has read.
    """
    known = _Reading.seen if values is None else values
    shown = str(text)
    names = list(known.values())
    for value in sorted(known, key=len, reverse=True):
        name = f"{HELD[0]}{list(known).index(value)}{HELD[1]}"
        for form in dict.fromkeys((value, repr(value)[1:-1], one_line(value))):
            if not form:
                continue
            exact = re.escape(form)
            quoted = rf"(?<=['\"]){exact}(?=['\"])|(?<=found ){exact}(?!\w)"
            if len(form) >= SHORT:
                quoted += rf"|(?<=['\"/=-]){exact}(?!\w)|(?<!\w){exact}(?=['\"/])"
            word = len(form) < SHORT or (form.isalpha() and len(form) < PIECE)
            pattern = quoted if word else rf"(?<!\w){exact}(?!\w)"
            shown = name.join(re.split(pattern, shown))
        shown = _without_pieces(shown, value, name)
    shown = expanded(shown, names)
    return Lines(shown) if isinstance(text, Lines) else shown


def _without_pieces(text: str, value: str, name: str) -> str:
    """A text without any `PIECE` characters in a row of a value, as of one that was cut."""
    low, parts, start, at = value.lower(), [], 0, 0
    while at + PIECE <= len(text):
        end = at + PIECE
        if text[at:end].lower() not in low:
            at += 1
            continue
        while end < len(text) and text[at : end + 1].lower() in low:
            end += 1
        parts += [text[start:at], name]
        start = at = end
    return "".join([*parts, text[start:]])


@contextmanager
def values_unshown(config: Mapping[str, Any]) -> Iterator[None]:
    """Within this, errors name the variables that a config was read from, not their values.

    Args:
        config: resolved, with the texts of such values.
    """
    try:
        yield
    except ExpError as error:
        values = _values(config)
        if values and isinstance(error, ConfigError):
            pairs = [(fault.path, fault.message) for fault in error.faults]
            raise ConfigError(
                Fault(*(unshown(x, values) for x in pair)) for pair in pairs
            ) from None
        error.args = tuple(unshown(x, values) if isinstance(x, str) else x for x in error.args)
        raise


def _values(config: Mapping[str, Any]) -> dict[str, str]:
    """Value -> the text that stands for it, of a resolved config."""
    found: dict[str, str] = {}
    for path, text in config.get(WRITTEN, {}).items():
        node: Any = config
        for key in path.split("."):
            if isinstance(node, Mapping):
                node = node.get(key)
            elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
                node = node[int(key)]
            else:
                node = None
        found |= dict.fromkeys(_leaves(node), text)
        for match in VARIABLE.finditer(text):
            if (value := os.environ.get(match[1])) is not None:
                found.setdefault(value, f"${{oc.env:{match[1]}}}")
    return found


def _leaves(node: Any) -> Iterator[str]:
    """Texts and numbers of a value, those of keys too."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(key)
            yield from _leaves(value)
    elif isinstance(node, list):
        for item in node:
            yield from _leaves(item)
    elif isinstance(node, (str, int, float)) and not isinstance(node, bool):
        yield str(node)

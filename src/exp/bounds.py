"""Reading YAML and JSON that a stranger may have written: bounded in size, depth and aliases.

A kilobyte of YAML aliases can stand for gigabytes, and a deep nesting breaks whatever recurses.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

import yaml

SIZE = 4 << 20
"""Bytes of a config; the largest that exp writes has a hundredth of that."""
JSON_SIZE = 256 << 20
"""Bytes of a manifest: that of a million runs fits."""
NODES = 100_000
"""Values of a config, aliases counted as often as they stand there."""
DEPTH = 50

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path, most: int = SIZE) -> bytes:
    """The bytes of a file.

    Raises:
        ValueError: it is no regular file, or has more than `most` bytes.
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    if (size := path.stat().st_size) > most:
        raise ValueError(f"it has {size:,} bytes; at most {most:,} are read")
    return path.read_bytes()


def stays_within(text: str) -> bool:
    """Whether a path is relative, and leads nowhere above where it starts."""
    path = PurePath(text)
    return (
        bool(text.strip())
        and not path.is_absolute()
        and ".." not in path.parts
        and all(character.isprintable() for character in text)
    )


def yaml_of(data: bytes) -> Any:
    """The plain values of a YAML text.

    Raises:
        ValueError: it is none, or beyond a bound.
    """
    scan(data)
    try:
        return yaml.load(data, Loader=Loader)  # the safe one: plain values only
    except (yaml.YAMLError, RecursionError, AttributeError, TypeError) as error:
        raise ValueError(first_line(error)) from None


def scan(data: bytes) -> None:
    """Looks through a YAML text without making anything of it.

    Raises:
        ValueError: it is no YAML, or beyond a bound.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    try:
        for event in yaml.parse(data, Loader=Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, total))
                total += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = open_nodes.pop()
                if anchor is not None:
                    sizes[anchor] = total - before
            elif isinstance(event, yaml.AliasEvent):
                total += sizes.get(str(event.anchor), 1)
                if any(anchor == event.anchor for anchor, _ in open_nodes):
                    raise ValueError(f"the alias *{event.anchor} stands within itself")
            elif isinstance(event, yaml.ScalarEvent):
                total += 1
            if len(open_nodes) > DEPTH:
                raise ValueError(f"it is nested more than {DEPTH} deep")
            if total > NODES:
                raise ValueError(f"it stands for more than {NODES:,} values")
    except yaml.YAMLError as error:
        raise ValueError(first_line(error)) from None


def json_of(data: bytes) -> Any:
    """The plain values of a JSON text.

    Raises:
        ValueError: it is none, or beyond a bound.
    """
    try:
        found = json.loads(data)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEPTH} deep") from None
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > DEPTH:
            raise ValueError(f"it is nested more than {DEPTH} deep")
        level = [x for node in level if isinstance(node, (dict, list)) for x in below(node)]
    return found


def below(node: dict[str, Any] | list[Any]) -> Any:
    children = node.values() if isinstance(node, dict) else node
    return [child for child in children if isinstance(child, (dict, list))]


def first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:2]) or type(error).__name__

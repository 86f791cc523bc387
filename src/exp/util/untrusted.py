"""Reading files that a stranger may have written: only regular ones, bounded in size; YAML and
JSON bounded in depth and aliases as well.

A FIFO never ends, a sparse file of a few bytes is as long as it says, a kilobyte of YAML aliases
can stand for gigabytes, and a deep nesting breaks whatever recurses.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
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
DIGESTED = 512 << 20
"""Bytes of a sparse file of which a digest is taken: a second's work."""
PIECE = 1 << 20
"""Bytes that are read at a time."""
SURROGATES = b"\\ud", b"\\uD"
"""How the escapes of halves of characters begin in JSON."""
IRREGULAR = "it is not a regular file"
READ = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

# What the constructors of plain values raise besides: `!!bool x` a KeyError, `!!int ""` another.
YAML_FAULTS = (
    yaml.YAMLError, RecursionError, AttributeError, TypeError, LookupError, ArithmeticError,
)  # fmt: skip

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path, most: int = SIZE) -> bytes:
    """The bytes of a regular file.

    Raises:
        ValueError: it is not a regular file, or has more than `most` bytes.
        OSError: it cannot be read.
    """
    with opened(path) as file:
        size = os.fstat(file).st_size
        if size > most:
            raise ValueError(f"it has {size:,} bytes; at most {most:,} are read")
        pieces = []
        while size >= 0 and (piece := os.read(file, min(size + 1, PIECE))):
            pieces.append(piece)
            size -= len(piece)
    if size < 0:
        raise ValueError("it grew while it was read")
    return b"".join(pieces)


def sha256_of(path: Path, most: int = DIGESTED) -> str:
    """The sha256 of a regular file, which is never in memory whole.

    Args:
        most: bytes that are read of a file of which fewer are on the disk (a sparse file).

    Raises:
        ValueError: it is not a regular file, or a sparse one of more than `most` bytes.
        OSError: it cannot be read.
    """
    total = hashlib.sha256()
    with opened(path) as file:
        status = os.fstat(file)
        stored = getattr(status, "st_blocks", 0) * 512
        if status.st_size > max(most, stored):
            raise ValueError(
                f"it is a sparse file: only {stored:,} of its {status.st_size:,} bytes are stored"
            )
        left = status.st_size
        while left > 0 and (piece := os.read(file, min(left, PIECE))):
            total.update(piece)
            left -= len(piece)
    return total.hexdigest()


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[int]:
    """A regular file, open for reading: its descriptor.

    Nothing else is opened: opening a FIFO can wait for ever, and opening a device can do anything.

    Raises:
        ValueError: it is not a regular file.
        OSError: it cannot be opened.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(IRREGULAR)
    try:
        file = os.open(path, READ)
    except OSError as error:
        if error.errno == errno.ENXIO:  # it has become a socket or a FIFO since
            raise ValueError(IRREGULAR) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ValueError(IRREGULAR)
        yield file
    finally:
        os.close(file)


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
    except YAML_FAULTS as error:
        raise ValueError(first_line(error)) from None


def scan(data: bytes) -> None:
    """Looks through a YAML text without making anything of it.

    Raises:
        ValueError: it is not YAML, or beyond a bound.
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
                    raise ValueError(f"the alias *{event.anchor} refers to itself")
            elif isinstance(event, yaml.ScalarEvent):
                total += 1
            if len(open_nodes) > DEPTH:
                raise ValueError(f"it is nested more than {DEPTH} deep")
            if total > NODES:
                raise ValueError(f"it expands to more than {NODES:,} values")
    except yaml.YAMLError as error:
        raise ValueError(first_line(error)) from None


def json_of(data: bytes, *, infinite: bool = False) -> Any:
    """The plain values of a JSON text in UTF-8.

    Args:
        infinite: whether numbers may be Infinity and NaN, as Python writes them.

    Raises:
        ValueError: it is none, or beyond a bound; or it holds half a character (a surrogate),
            which cannot be written to a file or a terminal.
    """
    try:
        found = json.loads(data.decode(), parse_constant=float if infinite else no_constant)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEPTH} deep") from None
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > DEPTH:
            raise ValueError(f"it is nested more than {DEPTH} deep")
        level = [x for node in level if isinstance(node, (dict, list)) for x in below(node)]
    if any(escape in data for escape in SURROGATES):
        try:  # JSON may escape them, by mistake or in pairs
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it contains an incomplete character (a surrogate)") from None
    return found


def no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def below(node: dict[str, Any] | list[Any]) -> Any:
    children = node.values() if isinstance(node, dict) else node
    return [child for child in children if isinstance(child, (dict, list))]


def first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:2]) or type(error).__name__

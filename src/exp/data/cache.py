"""Arrays that were made before, so that making them again costs a file read.

What it saves is less the making than the import of scikit-learn, a good part of the wall time of a
small run. An entry is one file: a line with the sha256 of the rest, a line of JSON (what was made,
and names that belong to the arrays), and an npz archive. A file that is torn, altered or not what
its name says counts as absent; a folder that cannot be written is not used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from exp.util.files import write_whole

LARGEST_ENTRY = 32 * 2**20
LARGEST_FOLDER = 2**30
"""Bytes. A folder that would grow beyond loses its oldest entries, down to half of this."""

Arrays = dict[str, NDArray[Any]]
Builder = TypeVar("Builder", bound=Callable[..., Any])


def repeatable(builder: Builder) -> Builder:
    """Marks a component that gives the same arrays for the same seed and parameters, always.

    Only such a component is cached: one that reads a file, a clock or the network is not.
    """
    builder.repeatable = True  # type: ignore[attr-defined]
    return builder


def is_repeatable(builder: Callable[..., Any]) -> bool:
    return bool(getattr(builder, "repeatable", False))


def folder() -> Path | None:
    """`$EXP_CACHE`, or `$XDG_CACHE_HOME/exp`, or `~/.cache/exp`; None without a home."""
    if chosen := os.environ.get("EXP_CACHE"):
        return Path(chosen)
    shared = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(shared):  # the XDG specification has a relative path ignored
        return Path(shared) / "exp"
    try:
        return Path.home() / ".cache" / "exp"
    except RuntimeError:
        return None


def load(recipe: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]] | None:
    """The arrays and names that `save` was given for `recipe`, or None.

    Args:
        recipe: plain values: all that the arrays depend on.
    """
    place = folder()
    if place is None:
        return None
    try:
        content = (place / file_name(recipe)).read_bytes()
    except (OSError, ValueError):
        return None
    digest, _, rest = content.partition(b"\n")
    if digest != hashlib.sha256(rest).hexdigest().encode():
        return None
    header, _, archive = rest.partition(b"\n")
    found = json.loads(header)
    if found["recipe"] != json.loads(canonical(recipe)):
        return None
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        return dict(arrays), found["names"]


def save(recipe: Mapping[str, Any], arrays: Arrays, names: Mapping[str, Any]) -> None:
    """Keeps `arrays` and `names` (plain values) for `load`, if there is a place for them."""
    place = folder()
    if place is None or sum(array.nbytes for array in arrays.values()) > LARGEST_ENTRY:
        return
    header = json.dumps({"recipe": recipe, "names": names}, sort_keys=True, allow_nan=False)
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **arrays)
    rest = header.encode() + b"\n" + archive.getvalue()
    content = hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest
    try:
        place.mkdir(parents=True, exist_ok=True)
        make_room(place, len(content))
        write_whole(place / file_name(recipe), content)
    except (OSError, ValueError):
        return


def make_room(place: Path, size: int) -> None:
    """Removes the oldest entries where `size` more bytes would be too much.

    Raises:
        OSError: the folder cannot be read, or another process removed the same entry.
    """
    with os.scandir(place) as entries:
        ours = [entry for entry in entries if entry.name.endswith((".data", ".tmp"))]
    kept = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in ours)
    total = size + sum(taken for _, taken, _ in kept)
    if total <= LARGEST_FOLDER:
        return
    for _, taken, path in kept:
        if total <= LARGEST_FOLDER // 2:
            return
        os.unlink(path)
        total -= taken


def file_name(recipe: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(recipe)).hexdigest() + ".data"


def canonical(recipe: Mapping[str, Any]) -> bytes:
    return json.dumps(recipe, sort_keys=True, allow_nan=False).encode()

"""sweep.json: what a sweep is, and its runs, a line each. A sweep in shards has a shard.json for
each shard instead."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from exp.util.errors import DamagedError, shown
from exp.util.serialize import json_text
from exp.util.untrusted import JSON_SIZE, json_of, read, stays_within

NAME = "sweep.json"
SHARDS, SHARD = "shards", "shard.json"
"""Folder of a sweep's directory with a folder for each shard, and the manifest of a shard there."""


class Entry(NamedTuple):
    """A run as the manifest lists it.

    Attributes:
        number: its place in the sweep, from 0.
        directory: its name within that of the sweep.
        overrides: those of its own.
    """

    number: int
    directory: str
    overrides: tuple[str, ...]


def is_sweep(path: Path) -> bool:
    """Whether a directory is that of a sweep."""
    return (path / NAME).is_file() or bool(shard_files(path))


def shard_files(path: Path) -> list[Path]:
    """The manifests of the shards of a sweep; none where it is not in shards."""
    return sorted((path / SHARDS).glob(f"*/{SHARD}"))


def manifest_lines(content: dict[str, Any], runs: Iterable[Entry]) -> Iterator[str]:
    """The text of sweep.json, piece by piece: a sweep may have very many runs."""
    head, _, _ = json_text(content).rpartition("\n}")
    yield f'{head},\n  "runs": ['
    for index, run in enumerate(runs):
        text = json.dumps(run._asdict(), ensure_ascii=False)
        yield f"{',' if index else ''}\n    {text}"
    yield "\n  ]\n}\n"


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where there is none that can be read."""
    try:
        found = json_of(read(path, JSON_SIZE))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def shard_folder(path: Path, number: int, of: int) -> Path:
    """The folder of the files of one shard.

    Args:
        path: the directory of the sweep.
        number: of the shard, from 1.
        of: how many there are.
    """
    return path / SHARDS / f"{number:0{len(str(of))}}"


def manifest(path: Path) -> dict[str, Any]:
    """What sweep.json says, or the manifests of the shards together; the directories of its runs
    lie within that of the sweep.

    Raises:
        DamagedError: it is corrupted.
    """
    if not (path / NAME).is_file() and (files := shard_files(path)):
        return joined([checked(file) for file in files])
    return checked(path / NAME)


def checked(place: Path) -> dict[str, Any]:
    """The content of one manifest.

    Raises:
        DamagedError: it is corrupted.
    """
    try:
        found = json_of(read(place, JSON_SIZE))
    except (OSError, ValueError) as error:
        raise DamagedError(f"{place} is corrupted: {error}") from None
    runs = found.get("runs") if isinstance(found, dict) else None
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise DamagedError(f"{place} is corrupted: it lists no runs")
    for run in runs:
        name = run.get("directory")
        if not isinstance(name, str) or not stays_within(name) or PurePath(name) == PurePath("."):
            what = f"{shown(name)} is not a run directory inside the sweep directory"
            raise DamagedError(f"{place} is corrupted: {what}")
    if place.name == SHARD and not is_shard(found.get("shard")):
        raise DamagedError(f"{place} is corrupted: it does not say which shard it is")
    return dict(found)


def is_shard(part: Any) -> bool:
    """Whether this is what shard.json says of its shard."""
    if not isinstance(part, dict):
        return False
    number, of, sizes = part.get("number"), part.get("of"), part.get("sizes")
    if not isinstance(number, int) or not isinstance(of, int) or not isinstance(sizes, list):
        return False
    return 1 <= number <= of == len(sizes) and all(isinstance(size, int) for size in sizes)


def joined(shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The manifests of shards as that of their sweep.

    Returns:
        As of a sweep without shards. `shards` lists the shards that have started; each run says in
        `shard` to which it belongs.
    """
    runs = [{**run, "shard": each["shard"]["number"]} for each in shards for run in each["runs"]]
    runs.sort(key=lambda run: run["number"] if isinstance(run.get("number"), int) else 0)
    parts = [each["shard"] for each in shards]
    return {**shards[0], "runs": runs, "shards": parts}

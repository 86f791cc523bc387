"""sweep.json: what a sweep is, and its runs, a line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from exp.util.errors import DamagedError, shown
from exp.util.serialize import json_text
from exp.util.untrusted import JSON_SIZE, json_of, read, stays_within

NAME = "sweep.json"


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
    return (path / NAME).is_file()


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


def manifest(path: Path) -> dict[str, Any]:
    """What sweep.json says; the directories of its runs lie within that of the sweep.

    Raises:
        DamagedError: it is corrupted.
    """
    place = path / NAME
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
    return dict(found)

"""The directory of a sweep as one of its shards sees it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp.runs.manifest import NAME, SHARD, SHARDS, checked, shard_files, shard_folder
from exp.runs.reuse import draft_of
from exp.sweeps.sweep_directory import TABLE, SweepDirectory
from exp.util.errors import RunDirectoryError, shown
from exp.util.files import is_temporary

if TYPE_CHECKING:
    from exp.sweeps.planner import Planned


class ShardDirectory(SweepDirectory):
    """The runs of all shards lie in the directory of the sweep. Each shard has its own files in a
    folder of its own there, and touches only its own runs.

    Args:
        path: the directory of the sweep.
        number: of the shard, from 1.
        of: how many there are.
    """

    def __init__(self, path: Path, number: int, of: int) -> None:
        super().__init__(path)
        self.files = shard_folder(path, number, of)

    @property
    def manifest(self) -> Path:
        return self.files / SHARD

    def claim(self, *, may_exist: bool = True) -> None:
        """As of any sweep, but the directory may be there: that of the other shards."""
        super().claim(may_exist=True)

    def _only_a_sweep(self) -> None:
        if (self.path / NAME).is_file():
            raise RunDirectoryError(
                f"{self.path} is a sweep without shards: name another directory"
            )
        others = set(os.listdir(self.path))
        folders = os.listdir(self.path / SHARDS) if SHARDS in others else []
        # Another shard may have made no more than the folder of all shards yet.
        strange = others - {SHARDS} and not folders
        if strange or not all(name.isdecimal() for name in folders):
            raise RunDirectoryError(
                f"{self.path} is not empty and is not a sweep in shards: name another directory"
            )

    def _drafts(self) -> Iterator[Path]:
        yield from (self.files / name for name in os.listdir(self.files) if is_temporary(name))
        drafts = (draft_of(self.path / entry.directory) for entry in self.entries())
        yield from (place for place in drafts if place.exists())

    def _names(self, runs: Sequence[Planned]) -> list[str]:
        return [run.subdir for run in runs]

    def compare(self, part: dict[str, Any]) -> None:
        """Compares this shard with what the shards that have started say of theirs.

        Args:
            part: what the manifest says of this shard.

        Raises:
            RunDirectoryError: they are of another sweep.
        """
        for file in shard_files(self.path):
            if (why := difference(part, checked(file)["shard"])) is not None:
                raise RunDirectoryError(f"{self.path} belongs to another sweep: {why}")


def difference(here: dict[str, Any], there: dict[str, Any]) -> str | None:
    """Why two shards are not of one sweep; None where they are."""
    name = f"shard {there['number']}/{there['of']}"
    if there["of"] != here["of"]:
        return f"it was divided into {there['of']} shards, not {here['of']}"
    if there.get("words") != here["words"]:
        mine, others = set(here["words"]), {str(word) for word in there.get("words") or ()}
        parts = [
            f"{who} {', '.join(map(shown, sorted(words)[:5]))}"
            for who, words in ((f"{name} has", others - mine), ("this one has", mine - others))
            if words
        ]
        what = "; ".join(parts) or f"{name} has its overrides in another order"
        return f"{what}. Name another directory"
    if there.get("runs") != here["runs"]:
        return (
            f"{name} was started with other data, another version of exp or other components. Name "
            "another directory; runs that have finished and are still the same are copied"
        )
    if there.get("dealt") != here["dealt"]:
        return (
            f"the machine of {name} divides the runs in another way: all shards need machines of "
            "one kind (the same kernel, with a GPU or without)"
        )
    return None


def tables_of(path: Path) -> list[Path]:
    """The tables of a sweep: runs.csv, or those of the shards that have ended."""
    tables = [file.with_name(TABLE) for file in shard_files(path)]
    return [table for table in tables if table.is_file()] or [path / TABLE]


def digest(lines: Any) -> str:
    """Of plain values."""
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()

"""The directory of a sweep: its manifest, its lock, and what its runs have left there."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from exp.errors import RunDirectoryError
from exp.files import write_lines
from exp.runs.directory import RunDirectory
from exp.runs.manifest import NAME, Entry, manifest_lines, read_json

FINISHED = ("done", "diverged")


class SweepDirectory:
    """The files of one sweep, beside the directories of its runs.

    Args:
        path: the directory; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def manifest(self) -> Path:
        return self.path / NAME

    @property
    def table(self) -> Path:
        return self.path / "runs.csv"

    @property
    def multirun(self) -> Path:
        return self.path / "multirun.yaml"

    def claim(self, *, again: bool) -> None:
        """Makes the directory for this process alone.

        Args:
            again: it may be that of an earlier sweep.

        Raises:
            RunDirectoryError: it cannot be made, holds something else, or is in use.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(exist_ok=again)
            others = set(os.listdir(self.path)) - {".lock"}
            if others and not self.manifest.is_file():
                raise RunDirectoryError(
                    f"{self.path} holds something, but no sweep (sweep.json). "
                    "Name another sweep.dir"
                )
            self._hold()
        except FileExistsError:
            raise RunDirectoryError(
                f"the sweep directory {self.path} exists already. To do what is missing there, "
                "name it with sweep.dir=DIR"
            ) from None
        except OSError as error:
            raise RunDirectoryError(
                f"cannot make the sweep directory {self.path}: {error.strerror or error}"
            ) from error

    def _hold(self) -> None:
        place = self.path / ".lock"
        if place.is_symlink() or (place.exists() and not place.is_file()):
            raise RunDirectoryError(f"{place} is no regular file; exp makes nothing else there")
        self._lock = open(place, "a")  # noqa: SIM115 - held until the sweep ends
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunDirectoryError(f"another process is working in {self.path}") from None

    def release(self) -> None:
        """Lets other processes work here."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write(self, path: Path, lines: Iterable[str]) -> None:
        """Writes a file of the sweep whole."""
        try:
            write_lines(path, lines)
        except OSError as error:
            raise RunDirectoryError(f"cannot write {path}: {error.strerror or error}") from error

    def finished(self) -> dict[str, str]:
        """Signature -> directory's name of every run that has ended."""
        found = {}
        for place in sorted(self.path.iterdir()):
            record = read_json(place / "run.json") if place.is_dir() else None
            if record and record.get("status") in FINISHED:
                found[str(record.get("signature"))] = place.name
        return found

    def left_off(self, name: str, signature: str) -> bool:
        """Whether a directory holds a checkpoint of this very run.

        What a run that did not end has left otherwise is removed, so that it can be done again.

        Raises:
            RunDirectoryError: the directory holds another run, which has ended.
        """
        run = RunDirectory(self.path / name)
        record = read_json(run.record) if run.path.exists() else None
        if record and record.get("status") in FINISHED:
            raise RunDirectoryError(
                f"{run.path} holds another finished run: this is not the sweep that was made here"
            )
        if run.path.is_symlink():
            raise RunDirectoryError(
                f"{run.path} is a link; exp writes none, and follows none there"
            )
        saved = run.checkpoints / "last.safetensors"
        if record and record.get("signature") == signature and saved.is_file():
            return True
        if run.path.exists():
            shutil.rmtree(run.path)
        return False

    def write_manifest(self, content: dict[str, Any], runs: Iterable[Entry]) -> None:
        """Writes sweep.json.

        Args:
            content: what is said of the whole sweep.
            runs: its runs, a line each: a sweep may have very many.
        """
        self.write(self.manifest, manifest_lines(content, runs))

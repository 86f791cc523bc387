"""The directory of a sweep: its manifest, its lock, and what its runs have left there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp.runs import checkpoint
from exp.runs.directory import RunDirectory
from exp.runs.manifest import NAME, Entry, checked, manifest_lines, read_json, shard_files
from exp.sweeps.job_session import end_earlier
from exp.sweeps.sweep_lock import LOCK, SweepLock
from exp.util import latest
from exp.util.errors import RunDirectoryError
from exp.util.files import is_temporary, reason_of, write_lines
from exp.util.statuses import ENDED

if TYPE_CHECKING:
    from exp.sweeps.planner import Planned

TABLE = "runs.csv"
SWEEPS = "multirun"
"""The folder of sweeps: hydra.sweep.dir."""


class SweepDirectory:
    """The files of one sweep, beside the directories of its runs.

    Args:
        path: the directory; it need not exist yet.

    Attributes:
        files: the folder of the sweep's own files.
        done: directories of the runs that had ended when `entries_of` was called.
    """

    def __init__(self, path: Path) -> None:
        self.path = self.files = path
        self._lock: SweepLock | None = None
        self.done: set[str] = set()

    @property
    def manifest(self) -> Path:
        return self.files / NAME

    @property
    def table(self) -> Path:
        return self.files / TABLE

    @property
    def multirun(self) -> Path:
        return self.files / "multirun.yaml"

    def claim(self, *, may_exist: bool) -> None:
        """Makes the directory for this process alone, and removes what a process that was killed
        has left of files that were not whole.

        Args:
            may_exist: it may be that of an earlier sweep.

        Raises:
            RunDirectoryError: it cannot be made, holds something else, or is in use.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(exist_ok=may_exist)
            self._only_a_sweep()
            self.files.mkdir(parents=True, exist_ok=True)
            self._lock = SweepLock(self.files)
            self._only_a_sweep()
            end_earlier(self.files)
            self._clean()
            latest.point(self.path, SWEEPS)
        except FileExistsError:
            raise RunDirectoryError(
                f"the sweep directory {self.path} exists already. To complete it, "
                "give sweep.dir=DIR"
            ) from None
        except OSError as error:
            raise RunDirectoryError(
                f"cannot make the sweep directory {self.path}: {reason_of(error)}"
            ) from error

    def _only_a_sweep(self) -> None:
        # A sweep that was killed at its very start has left no more than its lock and drafts.
        if shard_files(self.path):
            raise RunDirectoryError(
                f"{self.path} is a sweep in shards: add sweep.shard=N/M, or name another directory"
            )
        others = {name for name in os.listdir(self.path) if name != LOCK and not is_temporary(name)}
        if others and not self.manifest.is_file():
            raise RunDirectoryError(
                f"sweep.dir {self.path} is not empty and is not a sweep directory (it has no "
                "sweep.json): name another one"
            )

    def _clean(self) -> None:
        """Removes drafts: of the sweep's files, of runs that were being copied here, and of the
        files of its runs."""
        for place in list(self._drafts()):
            if place.is_symlink():
                continue
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()
        for each in self.entries():
            run = RunDirectory(self.path / each.directory)
            if run.record.is_file() and not run.path.is_symlink():
                run.clean()

    def _drafts(self) -> Iterator[Path]:
        """Files and copies of runs that are not whole."""
        yield from (self.path / name for name in os.listdir(self.path) if is_temporary(name))

    def release(self) -> None:
        """Lets other processes work here."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def write(self, path: Path, lines: Iterable[str]) -> None:
        """Writes a file of the sweep whole."""
        try:
            write_lines(path, lines)
        except OSError as error:
            raise RunDirectoryError(f"cannot write {path}: {reason_of(error)}") from error

    def finished(self, runs: Sequence[Planned]) -> dict[str, str]:
        """Signature -> directory's name of every run that has ended."""
        found = {}
        for name in self._names(runs):
            record = read_json(self.path / name / "run.json")
            if record and record.get("status") in ENDED:
                found[str(record.get("signature"))] = name
        return found

    def _names(self, runs: Sequence[Planned]) -> list[str]:
        """Directories in which these runs may have ended."""
        if not self.manifest.is_file():
            return []
        return sorted(place.name for place in self.path.iterdir() if place.is_dir())

    def entries(self) -> list[Entry]:
        """The runs that the manifest lists; none where there is no manifest.

        Raises:
            DamagedError: it is corrupted.
        """
        if not self.manifest.is_file():
            return []
        found = []
        for place, each in enumerate(checked(self.manifest)["runs"]):
            number, words = each.get("number"), each.get("overrides")
            words = tuple(map(str, words)) if isinstance(words, list) else ()
            number = number if isinstance(number, int) else place
            found.append(Entry(number, each["directory"], words))
        return found

    def with_earlier(self, entries: Sequence[Entry]) -> list[Entry]:
        """The runs of a command and, behind them, those that earlier ones have left here.

        A number that a run of this command has, an earlier one loses to the next that is free.
        """
        there = {entry.directory for entry in entries}
        numbers = {entry.number for entry in entries}
        found = list(entries)
        for entry in self.entries():
            if entry.directory in there or not (self.path / entry.directory / "run.json").is_file():
                continue
            number = entry.number if entry.number not in numbers else max(numbers) + 1
            numbers.add(number)
            found.append(entry._replace(number=number))
        return found

    def entries_of(self, runs: Sequence[Planned]) -> list[Entry]:
        """The manifest's entry of every run. A run that is done keeps its directory.

        Raises:
            RunDirectoryError: where a run belongs another has ended.
        """
        there = self.finished(runs)
        entries = []
        for run in runs:
            if run.signature not in there:
                self.check(run.subdir)
            name = there.get(run.signature, run.subdir)
            entries.append(Entry(run.number, name, run.words))
        self.done = set(there.values())
        return entries

    def check(self, name: str) -> None:
        """
        Raises:
            RunDirectoryError: the directory of a run that is to be done holds another run, which
                has ended; or it is a link.
        """
        run = RunDirectory(self.path / name)
        record = read_json(run.record) if run.path.exists() else None
        if record and record.get("status") in ENDED:
            raise RunDirectoryError(
                f"{run.path} contains a finished run of a sweep with another command"
            )
        if run.path.is_symlink():
            raise RunDirectoryError(
                f"{run.path} is a symbolic link: exp does not write through links"
            )

    def checkpoint_epoch(self, name: str, signature: str) -> int | None:
        """The epoch of the checkpoint that a run goes on from; None where it begins.

        Args:
            name: of the run's directory.
            signature: of the run: a checkpoint of another one does not count.

        Raises:
            RunDirectoryError: another process works on the run.
        """
        run = RunDirectory(self.path / name)
        if not run.path.exists():
            return None
        with held(run):
            record = read_json(run.record)
            if not record or record.get("signature") != signature:
                return None
            return checkpoint.epoch_of(run.checkpoints / "last.safetensors")

    def remove_run(self, name: str) -> None:
        """Removes what a run that did not end has left, so that it can begin again.

        Raises:
            RunDirectoryError: another process works on the run.
        """
        run = RunDirectory(self.path / name)
        if run.path.exists():
            with held(run):
                shutil.rmtree(run.path)

    def write_manifest(self, content: dict[str, Any], runs: Iterable[Entry]) -> None:
        """Writes the manifest.

        Args:
            content: what is said of the whole sweep.
            runs: its runs, a line each: a sweep may have very many.
        """
        self.write(self.manifest, manifest_lines(content, runs))


@contextmanager
def held(run: RunDirectory) -> Iterator[None]:
    """Within this no other process works on a run.

    Raises:
        RunDirectoryError: one does, and has not ended in five seconds, as a worker of a sweep that
            was killed would.
    """
    run.hold(patience=5.0)
    try:
        yield
    finally:
        run.release()

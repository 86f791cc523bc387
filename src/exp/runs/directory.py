"""A run directory: every path of it is a property, and every file of it is written whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from exp.runs.lock import BusyError, Lock
from exp.util import latest
from exp.util.errors import DamagedError, RunDirectoryError, shown
from exp.util.files import is_temporary, reason_of, write_lines, write_whole
from exp.util.serialize import json_text
from exp.util.terminal import one_line
from exp.util.untrusted import json_of, read, sha256_of, stays_within

PAGE = "report.html"
"""What `exp report` makes of a run stands beside its files, and is none of them."""
HYDRA = ".hydra"
OUTPUTS = "outputs"
"""The folder of single runs: hydra.run.dir."""
END = "\n}\n"
RECORD_SIZE = 64 << 20
"""Bytes of run.json; that of a run has a thousandth."""
BEGINNINGS = {
    "config.yaml", "exp.log", "table.csv",
    f"{HYDRA}/config.yaml", f"{HYDRA}/hydra.yaml", f"{HYDRA}/overrides.yaml",
}  # fmt: skip
"""Files that may be there before run.json is."""


class RunDirectory:
    """The files of one run.

    Args:
        path: the directory; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: Lock | None = None

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def hydra(self) -> Path:
        return self.path / HYDRA

    @property
    def record(self) -> Path:
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def predictions(self) -> Path:
        return self.path / "predictions.csv"

    @property
    def preparation(self) -> Path:
        return self.path / "preparation.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def frames(self) -> Path:
        return self.path / "frames.npz"

    @property
    def norms(self) -> Path:
        return self.path / "norms.csv"

    @property
    def table(self) -> Path:
        """The rows of a run that were a table of pandas: it is there before the run begins."""
        return self.path / "table.csv"

    @property
    def log(self) -> Path:
        return self.path / "exp.log"

    def claim(self) -> None:
        """Makes the directory for this run alone, until `release`.

        What a run that ended before its run.json was written has left is removed. Below outputs/,
        `outputs/latest` then leads here.

        Raises:
            RunDirectoryError: it cannot be made, something is in it already, or another process
                works in it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self.path.mkdir()
            if not self.path.is_dir():
                raise self._taken()
            self.hold()
            if not self.not_begun():
                self.release()
                raise self._taken()
            self.empty()
            latest.point(self.path, OUTPUTS)
        except OSError as error:
            self.release()
            raise RunDirectoryError(
                f"cannot make the run directory {self.path}: {reason_of(error)}"
            ) from error

    def _taken(self) -> RunDirectoryError:
        return RunDirectoryError(
            f"the run directory {self.path} is not empty. Choose another with "
            "hydra.run.dir=DIR, or leave that out"
        )

    def hold(self, *, patience: float = 1.0) -> None:
        """Keeps other processes from working in this directory, until `release`.

        Args:
            patience: seconds to wait for one that does.

        Raises:
            RunDirectoryError: another process works in it.
            OSError: there is no such directory.
        """
        try:
            self._lock = Lock(self.path, patience=patience)
        except BusyError:
            raise RunDirectoryError(f"another process is working in {self.path}") from None

    @property
    def locked(self) -> bool:
        """Whether this process holds the directory, and its file system has locks."""
        return self._lock is not None and self._lock.real

    def release(self) -> None:
        """Lets other processes work in this directory."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def not_begun(self) -> bool:
        """Whether nothing is there but what a run leaves that ended before run.json was written."""
        there = {entry.name for entry in os.scandir(self.path)}
        if any(path.is_symlink() for path in self.path.rglob("*")):
            return False
        ours = {HYDRA, self.config.name, self.log.name, self.table.name}
        if any(name not in ours and not is_temporary(name) for name in there):
            return False
        if there == {self.config.name}:  # that may be the user's
            return False
        below = files_below(os.fspath(self.path))
        return all(is_temporary(name) or name in BEGINNINGS for name in below)

    def was_never_begun(self) -> bool:
        """Whether a run has ended here before run.json was written."""
        return self.path.is_dir() and any(self.path.iterdir()) and self.not_begun()

    def empty(self) -> None:
        """Removes everything in the directory but the table of the run."""
        for entry in list(os.scandir(self.path)):
            if entry.name == self.table.name:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)

    def clean(self) -> None:
        """Removes temporary files that a process which is gone has left."""
        for name in list(files_below(os.fspath(self.path))):
            if is_temporary(name):
                (self.path / name).unlink(missing_ok=True)

    def write(self, path: Path, data: bytes | str | Iterable[str]) -> None:
        """Writes a file of this run whole, making its folder.

        Args:
            data: its content, or the parts of a long text, which are never in memory together.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        try:
            path.parent.mkdir(exist_ok=True)
            if isinstance(data, (bytes, str)):
                write_whole(path, data.encode() if isinstance(data, str) else data)
            else:
                write_lines(path, data)
        except OSError as error:
            raise RunDirectoryError(f"cannot write {path}: {reason_of(error)}") from error

    def write_all(self, files: Mapping[Path, bytes | str | Iterable[str]]) -> None:
        """Writes files of this run one after the other, each whole.

        Raises:
            RunDirectoryError: one of them cannot be written; those before it are there.
        """
        for path, data in files.items():
            self.write(path, data)

    def names(self) -> list[str]:
        """Every file whose digest stands in run.json, which cannot hold its own: relative paths,
        in a fixed order. Temporary files that a crash has left do not count."""
        there = {name for name in files_below(os.fspath(self.path)) if not is_temporary(name)}
        return sorted(there - {self.record.name, PAGE}, key=lambda name: name.split("/"))

    def digests(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """Relative path -> sha256 of every file.

        Args:
            names: of the files, where not all of `names()`.

        Raises:
            RunDirectoryError: one of them cannot be read.
        """
        return {name: self._digest(name) for name in (self.names() if names is None else names)}

    def _digest(self, name: str) -> str:
        place = self.path / name
        try:
            return sha256_of(place)
        except OSError as error:
            raise RunDirectoryError(f"cannot read {place}: {error.strerror or error}") from error
        except ValueError as error:
            raise DamagedError(f"{place} is corrupted: {error}") from error

    def write_record(self, record: dict[str, Any]) -> None:
        """Writes run.json: last of all, as it says what else is there."""
        self.write(self.record, record_text(record))

    def read_record(self) -> dict[str, Any]:
        """The content of run.json.

        Raises:
            RunDirectoryError: this is not a run directory.
            DamagedError: the file is corrupted.
        """
        try:
            content = read(self.record, RECORD_SIZE)
            record: dict[str, Any] = json_of(content)
        except OSError as error:
            reason = error.strerror or error
            raise RunDirectoryError(
                f"{self.path} is not a run directory: {self.record.name}: {reason}"
            ) from error
        except ValueError as error:
            raise DamagedError(f"{self.record} is corrupted: {error}") from error
        if not isinstance(record, dict):
            raise DamagedError(f"{self.record} is corrupted: expected a mapping")
        record.pop("sha256", None)
        if content != record_text(record).encode():
            raise DamagedError(f"{self.record} is corrupted (checksum mismatch)")
        return record

    def damaged(self, record: dict[str, Any]) -> list[str]:
        """What is no longer as run.json says: the names of files that were changed, or are gone."""
        found = []
        for key, digest in record.get("digests", {}).items():
            if not stays_within(key):
                found.append(f"{shown(key)} is not the name of a file of a run")
                continue
            name = one_line(key)
            try:
                if sha256_of(self.path / key) != digest:
                    found.append(f"{name} is corrupted (checksum mismatch)")
            except FileNotFoundError:
                found.append(f"{name} is missing")
            except OSError as error:
                found.append(f"{name} cannot be read: {error.strerror or error}")
            except ValueError as error:
                found.append(f"{name} is corrupted: {error}")
        return found


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def record_text(record: dict[str, Any]) -> str:
    """The content of run.json: it ends with a digest of the text without it."""
    text = json_text(record)
    return f'{text.removesuffix(END)},\n  "sha256": "{sha256(text.encode())}"{END}'


def record_digest(record: dict[str, Any]) -> str:
    """The digest that stands in run.json."""
    return sha256(json_text(record).encode())


def files_below(folder: str) -> Iterator[str]:
    """The files in a folder and in those below, by relative path; links to folders lead nowhere."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from (f"{entry.name}/{name}" for name in files_below(entry.path))
            elif is_file(entry):
                yield entry.name


def is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def refuse_links(path: Path) -> None:
    """
    Raises:
        DamagedError: a link in a run directory, through which files elsewhere would be written;
            or a FIFO or a device, which may be opened for ever.
    """
    for found in path.rglob("*"):
        if found.is_symlink():
            raise DamagedError(
                f"{found} is a symbolic link; exp writes and follows none in a run directory"
            )
        if not (found.is_file() or found.is_dir()):
            raise DamagedError(f"{found} is neither a file nor a folder; exp writes nothing else")

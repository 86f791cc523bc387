"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import BinaryIO

from exp.errors import RunDirectoryError

TEMPORARY = ".tmp"
"""How the names of files and folders end that are not whole yet."""
MANY = 32
"""So many files are flushed with all that their file system has to write, which may be others'."""


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that no reader, and no crash, ever leaves a part of it there.

    Args:
        path: replaced if it exists; its folder must exist.
        data: the whole content.

    Raises:
        OSError: the file cannot be written; what stood at `path` before is untouched.
    """
    drafts = Drafts()
    try:
        drafts.add({path: data})
        flush([drafts])
        drafts.place()
    finally:
        drafts.discard()


def write_output(path: Path, data: bytes) -> None:
    """Writes a file that a user has asked for, as `write_whole`.

    Raises:
        RunDirectoryError: it cannot be written.
    """
    try:
        write_whole(path, data)
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {error.strerror or error}") from error


class Drafts:
    """Files that are written beside their places, to take them once they are on the disk.

    In three steps (`add`, `flush`, `place`), so that many can be flushed at the same time: a file
    system that is asked for several writes them in one go. Files that are worth nothing without
    others may take their places before (`settle`); they are flushed with what comes next.

    Attributes:
        fault: what went wrong when they were flushed.
    """

    def __init__(self) -> None:
        self._places: dict[Path, Path] = {}
        self._unflushed: list[BinaryIO] = []
        self._settled: list[Path] = []
        self.fault: OSError | None = None

    def add(self, contents: Mapping[Path, bytes]) -> None:
        """Writes drafts, each in place of one that the same file may have already.

        Raises:
            OSError: one of them cannot be written.
        """
        for path, data in contents.items():
            draft = draft_of(path)
            file = open(draft, "xb", buffering=0)  # noqa: SIM115 - closed when it is flushed
            if (other := self._places.get(path)) is not None:
                other.unlink(missing_ok=True)
            self._places[path] = draft
            self._unflushed.append(file)
            if file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @property
    def places(self) -> list[Path]:
        """Where they belong."""
        return list(self._places)

    def take_unflushed(self) -> list[BinaryIO]:
        """Open files whose content may not be on the disk; whoever takes them closes them."""
        files, self._unflushed = self._unflushed, []
        for path in self._settled:
            try:
                files.append(open(path, "r+b", buffering=0))  # noqa: SIM115 - likewise
            except FileNotFoundError:
                continue
            except OSError as error:  # of this run alone: `flush` has those of others in hand
                self.fault = error
        self._settled = []
        return files

    def settle(self) -> None:
        """Has every draft take its place, where a crash of this process cannot harm it; that of the
        machine can, until the next flush.

        Raises:
            OSError: one of them cannot.
        """
        for file in self._unflushed:
            file.close()
        self._unflushed = []
        places = self.places
        self.place()
        self._settled += places

    def place(self) -> None:
        """Has every draft take its place.

        Raises:
            OSError: one of them cannot, though those before it have; or is not on the disk.
        """
        if self.fault is not None:
            raise self.fault
        for path in self.places:
            os.replace(self._places[path], path)
            del self._places[path]

    def discard(self) -> None:
        """Removes drafts that have not taken their places."""
        for file in self._unflushed:
            file.close()
        self._unflushed = []
        for draft in self._places.values():
            draft.unlink(missing_ok=True)
        self._places.clear()
        self.fault = None


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes a long text line by line, so that it never stands in memory; whole, as `write_whole`.

    Args:
        path: replaced if it exists; its folder must exist.
        lines: with their line ends.

    Raises:
        OSError: the file cannot be written; what stood at `path` before is untouched.
    """
    draft = draft_of(path)
    try:
        with open(draft, "x", encoding="utf-8", newline="") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def draft_of(path: Path) -> Path:
    """Where a file is written before it takes the place of `path`.

    In the same folder, as a rename is only whole within one file system; under a short name of its
    own, as that of `path` may already be as long as a name can be.
    """
    return path.parent / f".{secrets.token_hex(8)}{TEMPORARY}"


def flush(many: Iterable[Drafts]) -> None:
    """Waits until the content of all these drafts is on the disk; `place` tells what went wrong."""
    works = [(drafts, file) for drafts in many for file in drafts.take_unflushed()]
    if len(works) >= MANY and systems_flushed([file for _, file in works]):
        for _, file in works:
            file.close()
    elif len(works) == 1:
        flush_one(*works[0])
    elif works:
        with ThreadPoolExecutor(min(len(works), 8)) as pool:
            list(pool.map(flush_one, *zip(*works, strict=True)))


def systems_flushed(files: Iterable[BinaryIO]) -> bool:
    """Flushes the file systems that hold these files, and says whether that is known to have gone
    well: for some hundred files it takes a third of the time that flushing each takes."""
    if (syncfs := syncfs_of_libc()) is None:
        return False
    one_of_each = {os.fstat(file.fileno()).st_dev: file for file in files}
    return all(syncfs(file.fileno()) == 0 for file in one_of_each.values())


@cache
def syncfs_of_libc() -> Callable[[int], int] | None:
    """The function that Python's `os` lacks, where it tells of errors: Linux's does since 5.8."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release) if sys.platform == "linux" else None
    if release is None or (int(release[1]), int(release[2])) < (5, 8):
        return None
    import ctypes

    return getattr(ctypes.CDLL(None), "syncfs", None)


def flush_one(drafts: Drafts, file: BinaryIO) -> None:
    try:
        with file:
            os.fsync(file)
    except OSError as error:
        drafts.fault = error

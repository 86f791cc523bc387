"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from exp.util.errors import RunDirectoryError, shown

TEMPORARY = ".tmp"
"""How the names of files and folders end that are not whole yet."""
BINARY = getattr(os, "O_BINARY", 0)  # Windows translates line ends else
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY
AGAIN = os.O_RDWR | BINARY
SECRET = secrets.token_hex(4)
DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|thread-self))/fd/(\d+)")
"""What this process has open, by its path."""
_count = itertools.count()
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
        drafts.add({os.fspath(path): data})
        flush([drafts])
        drafts.place()
    finally:
        drafts.discard()


def write_through(path: Path, data: bytes) -> None:
    """Writes what a user has asked for, and replaces nothing but regular files.

    A regular file is written whole, at the end of a link too. A device, a pipe or what a shell has
    opened, `>(wc)` or /dev/stdout, is written into.

    Raises:
        OSError: it cannot be written.
    """
    place = os.fspath(path)
    for _ in range(40):
        if number := DESCRIPTOR.fullmatch(place):
            with os.fdopen(os.dup(int(number[1])), "wb") as file:
                file.write(data)
            return
        if not os.path.islink(place):
            break
        place = os.path.join(os.path.dirname(place), os.readlink(place))
    if os.path.exists(place) and not os.path.isfile(place) and not os.path.isdir(place):
        with open(os.open(place, os.O_WRONLY), "wb") as file:
            file.write(data)
    else:
        write_whole(Path(place), data)


def write_output(path: Path, data: bytes) -> None:
    """Writes a file that a user has asked for, as `write_through`.

    Raises:
        RunDirectoryError: it cannot be written.
    """
    try:
        write_through(path, data)
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {reason_of(error)}") from error


def no_link(path: Path, option: str) -> Path:
    """A place for what is written into the directory of a run or a sweep where no other is named.

    Raises:
        RunDirectoryError: a link, by which whoever made the directory says where it is written.
    """
    if path.is_symlink():
        to = shown(os.readlink(path))
        raise RunDirectoryError(f"{path} is a link to {to}. To write there, or elsewhere: {option}")
    return path


def write_to(file: int, data: bytes) -> None:
    """Writes all of `data` to an open file.

    Raises:
        OSError: it cannot be written whole; the system's own reason.
    """
    rest = memoryview(data)
    while rest:
        # The system may write less than it is given: Linux at most 2 GiB at once, and up to where
        # the disk, a quota or a limit is full. What keeps it from writing the rest it says then.
        written = os.write(file, rest)
        if written == 0:
            raise OSError(errno.EIO, "the system writes nothing, and does not say why")
        rest = rest[written:]


def reason_of(error: OSError) -> str:
    """Why a file cannot be written, with what can be done about it."""
    reason = error.strerror or str(error)
    hints = {
        errno.EDQUOT: "your quota of the disk is used up",
        errno.EFBIG: "it is larger than files may be here (ulimit -f)",
        errno.EMFILE: "too many files are open (ulimit -n)",
        errno.EROFS: "the disk is mounted for reading only",
    }
    hint = hints.get(error.errno or 0)
    return f"{reason}: {hint}" if hint else reason


class Drafts:
    """Files that are written beside their places, to take them once they are on the disk.

    In three steps (`add`, `flush`, `place`), so that many can be flushed at the same time: a file
    system that is asked for several writes them in one go. Files that are worth nothing without
    others may take their places before (`settle`); they are flushed with what comes next.

    A sweep writes twenty files for each run: they are kept as texts and descriptors, which cost
    half of what paths and file objects do.

    Attributes:
        fault: what went wrong when they were flushed.
    """

    def __init__(self) -> None:
        self._drafts: dict[str, str] = {}  # by place
        self._unflushed: list[int] = []
        self._settled: list[str] = []
        self.fault: OSError | None = None

    def add(self, contents: Mapping[str, bytes]) -> None:
        """Writes drafts, each in place of one that the same file may have already.

        Args:
            contents: by place.

        Raises:
            OSError: one of them cannot be written.
        """
        for place, data in contents.items():
            draft = draft_of(place)
            file = os.open(draft, NEW, 0o666)
            self._unflushed.append(file)
            other, self._drafts[place] = self._drafts.get(place), draft
            if other is not None:
                remove(other)
            write_to(file, data)

    @property
    def places(self) -> list[str]:
        """Where they belong."""
        return list(self._drafts)

    def take_unflushed(self) -> tuple[list[int], list[str]]:
        """Open files whose content may not be on the disk, which whoever takes them closes; and
        places of files that were closed before."""
        taken = self._unflushed, self._settled
        self._unflushed, self._settled = [], []
        return taken

    def settle(self) -> None:
        """Has every draft take its place, where a crash of this process cannot harm it; that of the
        machine can, until the next flush.

        Raises:
            OSError: one of them cannot.
        """
        self._close()
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
        for place in self.places:
            os.replace(self._drafts[place], place)
            del self._drafts[place]

    def discard(self) -> None:
        """Removes drafts that have not taken their places."""
        self._close()
        for draft in self._drafts.values():
            remove(draft)
        self._drafts.clear()
        self.fault = None

    def _close(self) -> None:
        while self._unflushed:
            os.close(self._unflushed.pop())


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes a long text line by line, so that it never stands in memory; whole, as `write_whole`.

    Args:
        path: replaced if it exists; its folder must exist.
        lines: with their line ends.

    Raises:
        OSError: the file cannot be written; what stood at `path` before is untouched.
    """
    draft = draft_of(os.fspath(path))
    try:
        with open(draft, "x", encoding="utf-8", newline="") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        remove(draft)
        raise


def draft_of(place: str) -> str:
    """Where a file is written before it takes its place.

    In the same folder, as a rename is only whole within one file system; under a short name of its
    own, as that of the file may already be as long as a name can be.
    """
    # Two processes never have the same name: of one machine they have other numbers, and where one
    # machine cannot see those of another, other secrets.
    folder, separator, _ = place.rpartition(os.sep)
    return f"{folder}{separator}.{os.getpid():x}-{SECRET}-{next(_count)}{TEMPORARY}"


def remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def flush(many: Iterable[Drafts]) -> None:
    """Waits until the content of all these drafts is on the disk; `place` tells what went wrong."""
    works: list[tuple[Drafts, int]] = []
    settled: list[tuple[Drafts, str]] = []
    for drafts in many:
        files, places = drafts.take_unflushed()
        works += ((drafts, file) for file in files)
        settled += ((drafts, place) for place in (places if files else ()))
        works += opened(drafts, () if files else places)
    if len(works) + len(settled) >= MANY and systems_flushed([file for _, file in works]):
        for _, file in works:
            os.close(file)
        return
    for drafts, place in settled:
        works += opened(drafts, [place])
    if len(works) == 1:
        flush_one(*works[0])
    elif works:
        with ThreadPoolExecutor(min(len(works), 8)) as pool:
            list(pool.map(flush_one, *zip(*works, strict=True)))


def opened(drafts: Drafts, places: Iterable[str]) -> Iterator[tuple[Drafts, int]]:
    """Files that have taken their places, open again; what is gone is left out."""
    for place in places:
        try:
            yield drafts, os.open(place, AGAIN)
        except FileNotFoundError:
            continue
        except OSError as error:  # of this run alone: the files of others are in hand
            drafts.fault = error


def systems_flushed(files: Iterable[int]) -> bool:
    """Flushes the file systems that hold these files, and says whether that is known to have gone
    well: for some hundred files it takes a third of the time that flushing each takes."""
    if (syncfs := syncfs_of_libc()) is None:
        return False
    one_of_each = {os.fstat(file).st_dev: file for file in files}
    return all(syncfs(file) == 0 for file in one_of_each.values())


@cache
def syncfs_of_libc() -> Callable[[int], int] | None:
    """The function that Python's `os` lacks, where it tells of errors: Linux's does since 5.8."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release) if sys.platform == "linux" else None
    if release is None or (int(release[1]), int(release[2])) < (5, 8):
        return None
    import ctypes

    return getattr(ctypes.CDLL(None), "syncfs", None)


def flush_one(drafts: Drafts, file: int) -> None:
    try:
        os.fsync(file)
    except OSError as error:
        drafts.fault = error
    finally:
        os.close(file)

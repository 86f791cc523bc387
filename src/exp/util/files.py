"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from exp.util.errors import RunDirectoryError, shown

TEMPORARY = ".tmp"
"""How the names of files and folders end that are not whole yet."""
SECRET = secrets.token_hex(4)
"""Machines that share a disk may have processes of the same number."""
DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|thread-self))/fd/(\d+)")
"""What this process has open, by its path."""
_count = itertools.count()


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place once it is whole and on the disk.

    No reader and no crash ever finds a part of it there.

    Args:
        path: replaced if it exists; its folder must exist.

    Raises:
        OSError: it cannot be written; what stood at `path` before is untouched.
    """
    temporary = temporary_path(path)
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_whole(path: str | Path, data: bytes) -> None:
    """Writes a file of this content, as `whole_file` does.

    Raises:
        OSError: it cannot be written; what stood at `path` before is untouched.
    """
    with whole_file(path) as file:
        file.write(data)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes a long text line by line, so that it is never in memory whole, as `whole_file` does.

    Args:
        lines: with their line ends.

    Raises:
        OSError: it cannot be written; what stood at `path` before is untouched.
    """
    with whole_file(path) as file:
        file.writelines(line.encode() for line in lines)


def temporary_path(path: str | Path) -> str:
    """Where a file is written before it takes its place: in the same folder, as a rename is only
    whole within one file system; under a short name, as that of the file may be as long as names
    can be."""
    folder = os.path.dirname(path)
    return os.path.join(folder, f".{os.getpid():x}-{SECRET}-{next(_count)}{TEMPORARY}")


def is_temporary(path: str) -> bool:
    """Whether a file or folder has the name of one that is not whole yet."""
    name = path.rpartition("/")[2]
    return name.startswith(".") and name.endswith(TEMPORARY)


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
        write_whole(place, data)


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
        raise RunDirectoryError(
            f"{path} is a link to {to}. Name the place for the output: {option}"
        )
    return path


def reason_of(error: OSError) -> str:
    """Why a file cannot be written, with what can be done about it."""
    reason = error.strerror or str(error)
    hints = {
        errno.EDQUOT: "your disk quota is used up",
        errno.EFBIG: "the file is larger than this system allows (ulimit -f)",
        errno.EMFILE: "too many files are open (ulimit -n)",
        errno.EROFS: "the disk is mounted for reading only",
    }
    hint = hints.get(error.errno or 0)
    return f"{reason}: {hint}" if hint else reason

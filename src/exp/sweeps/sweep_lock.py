"""The lock of a sweep's directory, which also shows other machines that its process is alive.

The file `.lock` is locked with `flock`, which ends with the process. Some network file systems do
not show the locks of other machines, and some have none. So the file also names the process, and
its time of modification is renewed every few seconds.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO, Any, NamedTuple

from exp.runs import process
from exp.runs.processes.heartbeat import BEAT, Heartbeat
from exp.util.errors import RunDirectoryError
from exp.util.terminal import one_line

LOCK = ".lock"
MISSED = 3
"""So many times a sign of life is missing before its process counts as gone."""
PATIENCE = 1.0
"""Seconds to wait for a process that is just ending."""
STALE = 60.0
"""Seconds after which an old sign of life says that the process is gone: clocks of machines may
differ, and file systems report a change late."""
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class SweepLock:
    """A lock that is held until `release`, or until this process ends.

    Args:
        folder: an existing folder, in which the lock file lies.

    Raises:
        RunDirectoryError: another process has it.
        OSError: the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        place = folder / LOCK
        if place.is_symlink() or (place.exists() and not place.is_file()):
            raise RunDirectoryError(f"{place} is not a regular file: remove it")
        self.file = open(place, "a+")  # noqa: SIM115 - closed by `release`
        try:
            locks = locked(self.file, PATIENCE)
            holder = holder_of(place)
            if locks is False or (holder and watched(place, holder, locks=locks is not None)):
                raise RunDirectoryError(f"another process is working in {folder}{named(holder)}")
        except BaseException:
            self.file.close()
            raise
        self.file.truncate(0)
        self.file.write(json.dumps({**process.this(), "since": time.time()}))
        self.file.flush()
        self.heartbeat = Heartbeat(self.file)
        self.heartbeat.start()

    def release(self) -> None:
        """Lets others have it."""
        self.heartbeat.end()
        with contextlib.suppress(OSError):  # a full disk
            self.file.truncate(0)
        self.file.close()


def locked(file: IO[str], patience: float) -> bool | None:
    """Locks a file; None where its file system has no locks.

    Args:
        patience: seconds to wait for another process.
    """
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return None


def holder_of(place: Path) -> dict[str, Any]:
    """The process that a lock file names; empty where it names none."""
    try:
        found = json.loads(place.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def named(holder: dict[str, Any]) -> str:
    if not isinstance(holder.get("pid"), int):
        return ""
    return f": process {holder['pid']} of {one_line(str(holder.get('host')))}"


def watched(place: Path, holder: dict[str, Any], *, locks: bool) -> bool:
    """Whether a process that does not seem to hold the lock is alive all the same.

    Args:
        locks: whether the file system has locks; they show every process of this machine.
    """
    owner = process.owner(holder)
    if owner == "gone" or (locks and owner != "elsewhere"):
        return False
    seconds = MISSED * BEAT
    print(
        f"{place} names a process{named(holder).removeprefix(': process')} that cannot be checked "
        f"from here: waiting {seconds:.0f} s for a sign of life",
        flush=True,
    )
    before, end = beat_of(place), time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(BEAT / 10)
        if beat_of(place) != before:
            return True
    return False


def beat_of(place: Path) -> int:
    """The last sign of life, in nanoseconds."""
    with open(place) as file:  # a network file system asks its server when a file is opened
        return os.fstat(file.fileno()).st_mtime_ns


class Sign(NamedTuple):
    """What a lock file says of the process of a sweep.

    Attributes:
        state: "running"; "gone": it was killed, or its machine stopped; "ended": it ended by
            itself, or there never was one.
        since: when it began, in seconds since 1970; None where it ended.
        holder: the process, as `process.this` describes it.
    """

    state: str
    since: float | None = None
    holder: dict[str, Any] = {}  # noqa: RUF012


def sign_of(folder: Path) -> Sign:
    """What has become of the process that works in a folder. Nothing is written."""
    place = folder / LOCK
    holder = holder_of(place)
    since = holder.get("since")
    if not isinstance(since, float):
        return Sign("ended")
    return Sign("running" if is_alive(place, holder) else "gone", since, holder)


def is_alive(place: Path, holder: dict[str, Any]) -> bool:
    try:
        with open(place) as file:
            locks = shared(file)
            age = time.time() - os.fstat(file.fileno()).st_mtime
    except OSError:
        return False
    if locks is False:
        return True
    owner = process.owner(holder)
    if owner == "gone":
        return False
    if owner == "elsewhere" or locks is None:
        return age < STALE
    return False  # of this machine, where the lock would show it


def shared(file: IO[str]) -> bool | None:
    """Whether no process has a lock; None where that cannot be seen."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return None

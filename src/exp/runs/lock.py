"""A lock on a directory, which ends with the process that holds it, however that ends.

The directory itself is locked (`flock`), so that nothing is left in it. Containers of one machine
see each other's locks. Network file systems may have none for directories: there a lock is given
to everybody, and only run.json says which process works on a run.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path

NONE = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMFILE}
"""What `open` and `flock` say where there is no lock to be had."""
PATIENCE = 1.0
"""Seconds to wait for a process that is just ending, or only looks whether there is a lock."""


class BusyError(Exception):
    """Another process holds the lock."""


class Lock:
    """A lock that is held until `release`, or until this process ends.

    Args:
        path: an existing directory.
        patience: seconds to wait for another process.

    Raises:
        BusyError: another process, or another `Lock` of this one, holds it.
        OSError: there is no such directory.
    """

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        self._file: int | None = None
        end = time.monotonic() + patience
        while not self._taken(path):
            if time.monotonic() >= end:
                raise BusyError
            time.sleep(0.02)

    def _taken(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            if error.errno in NONE:
                return True
            raise
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have put another directory in this one's place.
            if os.path.samestat(os.fstat(file), os.stat(path)):
                self._file = file
                return True
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in NONE:
                return True
            raise
        finally:
            if self._file != file:
                os.close(file)
        return False

    @property
    def real(self) -> bool:
        """Whether it keeps others out: some file systems have no locks."""
        return self._file is not None

    def release(self) -> None:
        """Lets others have it."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def __del__(self) -> None:
        """A lock that nobody refers to is released."""
        with contextlib.suppress(AttributeError, OSError):
            self.release()


def is_held(path: Path) -> bool:
    """Whether another process holds the lock of a directory."""
    try:
        Lock(path, patience=0).release()
    except BusyError:
        return True
    except OSError:
        return False
    return False

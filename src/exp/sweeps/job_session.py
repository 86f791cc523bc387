"""The jobs of one sweep process on a cluster: they end when it ends, however that ends.

The jobs need not be cancelled by number. A folder has a file `go`, which the process renews while
it lives. Each job renews a file there too, and saves its runs and ends if `go` is gone or no longer
renewed. Only files are looked at, so that it works wherever the file system is shared.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from exp.runs.processes.heartbeat import BEAT, Heartbeat

FOLDER = "submitit"
"""In the directory of a sweep: a folder for each process that has started jobs."""
GO = "go"
GONE = 180.0
"""Seconds without a sign of life after which the process of a sweep counts as gone."""
MISSED = 3
"""So many times a job's sign of life is missing before it counts as gone."""
JOBS = ".job"


class Session:
    """The jobs of this process, until `close`.

    Args:
        sweep: the directory of the sweep.
    """

    def __init__(self, sweep: Path) -> None:
        self.path = sweep.absolute() / FOLDER / secrets.token_hex(4)
        self.path.mkdir(parents=True)
        self._go = open(self.path / GO, "w")  # noqa: SIM115 - closed by `close`
        self._heartbeat: Heartbeat | None = Heartbeat(self._go)
        self._heartbeat.start()

    def stop(self) -> None:
        """Asks the jobs to save what they train, and to end. A signal handler may call it."""
        (self.path / GO).unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """Removes the sign of life of a job that was killed."""
        (self.path / f"{name}{JOBS}").unlink(missing_ok=True)

    def close(self, *, keep: bool) -> None:
        """Ends the session.

        Args:
            keep: the folder with the logs of the jobs.
        """
        self.stop()
        if self._heartbeat is not None:
            self._heartbeat.end()
            self._heartbeat = None
            self._go.close()
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)
            with contextlib.suppress(OSError):  # another session is there
                self.path.parent.rmdir()


def is_wanted(session: Path, sign: Path | None = None) -> bool:
    """Whether the process of a session still waits for its jobs.

    Args:
        session: the folder of the session.
        sign: a file that was renewed just now: the clock of the file server.
    """
    try:
        go = (session / GO).stat().st_mtime
        now = time.time() if sign is None else sign.stat().st_mtime
    except FileNotFoundError:
        return False
    except OSError:  # the file server does not answer: nothing is known
        return True
    return now - go < GONE


@contextlib.contextmanager
def present(session: Path, name: str) -> Iterator[None]:
    """Within it this process is a job of a session. If the session ends, this process gets SIGTERM.

    Args:
        name: of the job.
    """
    sign = session / f"{name}{JOBS}"
    with contextlib.suppress(OSError):
        sign.touch()
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(sign)
            if not is_wanted(session, sign):
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=renew, name="exp-job", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(OSError):
            sign.unlink()


def end_earlier(sweep: Path) -> None:
    """Ends the jobs that a killed process has left, and waits until they have saved their runs.

    Args:
        sweep: the directory of the sweep, which this process has locked.
    """
    folder = sweep / FOLDER
    if not folder.is_dir() or folder.is_symlink():
        return
    for go in folder.glob(f"*/{GO}"):
        go.unlink(missing_ok=True)
    signs = signs_of(folder)
    if signs:
        print(f"waiting for {len(signs)} jobs of an earlier process to end", flush=True)
    end = time.monotonic() + MISSED * BEAT
    while signs and time.monotonic() < end:
        time.sleep(BEAT / 10)
        if (now := signs_of(folder)) != signs:
            signs, end = now, time.monotonic() + MISSED * BEAT
    shutil.rmtree(folder, ignore_errors=True)


def signs_of(folder: Path) -> dict[Path, int]:
    """The jobs that are there, and when each has last shown that it lives."""
    found = {}
    for sign in folder.glob(f"*/*{JOBS}"):
        with contextlib.suppress(FileNotFoundError):
            found[sign] = sign.stat().st_mtime_ns
    return found

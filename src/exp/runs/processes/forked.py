"""A worker process as a copy of this process, which has imported all that a worker needs.

It can start within a hundredth of a second, where a new interpreter imports torch for two.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable

import torch

from exp.runs.processes.heartbeat import Heartbeat
from exp.runs.signals import CODES
from exp.util import command_line

POLL = 0.01
"""Seconds between two looks at whether a process has ended."""


def possible() -> bool:
    """Whether a copy of this process can work.

    Only the thread that copies goes on in the copy: locks of the others stay locked there, and so
    do the pools of OpenMP and CUDA. So a process of a notebook, or one with a GPU, is not copied.
    """
    others = [each for each in threading.enumerate() if not isinstance(each, Heartbeat)]
    if sys.platform != "linux" or command_line.python or len(others) > 1:
        return False
    return not torch.cuda.is_available()


def start_no_threads() -> None:
    """Keeps torch from starting threads in this process: a copy would wait for them for ever.

    To be called before this process computes anything; training sets the number that a run asks
    for, in this process and in copies alike.
    """
    torch.set_num_threads(1)


class Forked:
    """A copy of this process that does `work` and ends; a small `subprocess.Popen`.

    Args:
        work: what the copy does. It must not return to its caller's work.

    Raises:
        OSError: the system has no room for another process.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        sys.stdout.flush()  # the copy would print it again
        sys.stderr.flush()
        self.returncode: int | None = None
        with warnings.catch_warnings():  # Python 3.12 warns of the threads of libraries
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                for number in CODES:
                    signal.signal(number, signal.SIG_DFL)
                os.setpgid(0, 0)  # Ctrl-C is for the first process, which decides
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                start_no_threads()
                work()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code once it has ended; minus the signal where one has ended it.

        Raises:
            subprocess.TimeoutExpired: it has not ended so soon.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            pid, status = os.waitpid(self.pid, 0 if end is None else os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif end is not None and time.monotonic() >= end:
                assert timeout is not None
                raise subprocess.TimeoutExpired("a worker process", timeout)
            else:
                time.sleep(POLL)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

"""A worker process, as it starts: `exp.runs.processes.worker_pool` starts it and talks to it.

Nothing heavy is imported before this process is sure to end with its parent.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import NoReturn

from exp.util.errors import ExpError

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when its parent ends."""


def main() -> NoReturn:
    """A new interpreter's: its arguments are those of `serve`."""
    serve(*(int(word) for word in sys.argv[2:5]))


def serve(incoming: int, outgoing: int, parent: int) -> NoReturn:
    """Does orders until the pipe from the parent is closed.

    Args:
        incoming, outgoing: descriptors to read from and to write to.
        parent: its process id.
    """
    end_with(parent)
    # Ctrl-C reaches every process of a terminal: what is to be done about it the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until `prepare` handles it
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    source = Connection(incoming, writable=False)
    threading.Thread(target=receive, args=(source, inbox), daemon=True).start()
    answers = Connection(outgoing, readable=False)

    sys.path[:] = pickle.loads(inbox.get())
    prepare, work = pickle.loads(inbox.get())  # imports their modules, which import torch
    prepare()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    answers.send(None)  # whoever dies before this never began
    while True:
        order = pickle.loads(inbox.get())
        try:
            answer: object = work(order)
        except BaseException as error:
            answer = picklable(error)
        answers.send(answer)


def picklable(error: BaseException) -> Exception:
    """An error that can be pickled: many exceptions cannot be made from their text alone."""
    if isinstance(error, ExpError):
        return ExpError(str(error))
    return RuntimeError("".join(traceback.format_exception(error)))


def end_with(parent: int) -> None:
    """Has this process end as soon as its parent does, however that ends; also if it is stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before that took effect
        os._exit(1)


def receive(source: Connection, inbox: queue.SimpleQueue[bytes]) -> None:
    """Takes in what the parent sends; when the parent is gone, ends the process at once."""
    try:
        while True:
            inbox.put(source.recv_bytes())
    except (EOFError, OSError):
        os._exit(1)

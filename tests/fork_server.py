"""A process that has imported exp, torch and Hydra, and forks a child for each command line.

    forked([sys.executable, "-m", "exp", "seed=1"], where, environment)

gives what `subprocess.run` gives: the child has its own working directory, environment, streams and
exit code, but starts in milliseconds, where torch takes two seconds of processor time to import.
`Forked` is such a child while it runs, as `subprocess.Popen` is. Not for tests of what is imported,
and of variables that Python or a library reads when it starts: those start a process.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

Stream = int | IO[Any] | None

AT_START = ("PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "OMP_", "MKL_", "FORCE_COLOR")
"""How variables begin that are read once, when Python or a library starts."""


def forked(
    command: Sequence[str], where: Path, environment: Mapping[str, str], timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """What `[python, "-m", module, *words]`, `[python, "-c", code, *words]` or `[python, script,
    *words]` does, in a forked child.

    Raises:
        TimeoutError: it has not ended in time.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        code = Forked(command, where, environment, stdout=out, stderr=err).wait(timeout)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(command), code, out.read(), err.read())


class Forked:
    """A forked child while it runs.

    Args:
        stdin, stdout, stderr: files, or descriptors of them; None: nothing is read or kept.
        session: whether it leads a session of its own.
        at: the socket of the server; None: the one of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        where: Path,
        environment: Mapping[str, str],
        *,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        session: bool = False,
        at: str | None = None,
    ) -> None:
        request = {
            "words": list(command[1:]),
            "where": str(where),
            "environment": dict(environment),
            "session": session,
        }
        self.returncode: int | None = None
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(at or server())
        with open(os.devnull, "r+b") as nothing:
            streams = [each if each is not None else nothing for each in (stdin, stdout, stderr)]
            numbers = [each if isinstance(each, int) else each.fileno() for each in streams]
            socket.send_fds(self._line, [b"."], numbers)
        self._line.sendall(json.dumps(request).encode() + b"\n")
        self._answers = self._line.makefile()
        self.pid = int(self._answers.readline())

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, as `subprocess.Popen.wait` has it.

        Raises:
            TimeoutError: it has not ended in time.
        """
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise TimeoutError(f"it runs for more than {timeout} s")
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._line.close()
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code if it has ended."""
        with contextlib.suppress(TimeoutError):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def server() -> str:
    """The path of the socket of the server, which starts when it is first needed."""
    with starting:
        return started()


starting = threading.Lock()


@cache
def started() -> str:
    folder = tempfile.TemporaryDirectory(prefix="fork-")
    path = f"{folder.name}/socket"
    process = subprocess.Popen(
        [sys.executable, __file__, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # As `exp.cli.main` sets them before NumPy and torch are imported.
        env={**os.environ, "MKL_CBWR": "AUTO", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

    def close() -> None:
        process.terminate()
        process.wait()
        folder.cleanup()

    atexit.register(close)
    return path


def serve(path: str) -> NoReturn:
    """Answers until the process that started this one is gone."""
    from hydra.core.plugins import Plugins

    import exp.api
    import exp.sweeps.dispatch
    import exp.sweeps.hydra_launcher
    import exp.sweeps.start_run
    import exp.sweeps.train_run  # noqa: F401

    Plugins.instance()  # imports them all
    os.fsync = lambda file: None  # type: ignore[assignment] # as conftest.py has it

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how those end that answer
    gc.freeze()  # nor do children look for garbage among what they share
    print("ready", flush=True)
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:  # it has no end yet
        line, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            answer(line)
        line.close()
    sys.exit()


def answer(line: socket.socket) -> NoReturn:
    """Runs one command line in a child, sends its exit code, and ends."""
    _, streams, _, _ = socket.recv_fds(line, 1, 3)
    request = json.loads(line.makefile().readline())
    child = os.fork()
    if child == 0:
        line.close()
        run(request, streams)
    for stream in streams:
        os.close(stream)
    line.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def run(request: dict[str, Any], streams: Sequence[int]) -> None:
    """As Python would, had it just started."""
    words = request["words"]
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]
    if request["session"]:
        os.setsid()
    os.chdir(request["where"])
    os.environ.clear()
    os.environ.update(request["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        execute(words)
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise
    # As at the end of Python, which would then take all modules apart for half a second.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def execute(words: Sequence[str]) -> None:
    """The module, code or script that a command line of Python names."""
    more = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[0] = os.getcwd()
        sys.path[1:1] = more
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.path[0] = ""
        sys.path[1:1] = more
        exec(words[1], {"__name__": "__main__"})
    else:
        sys.argv = words
        sys.path[0] = str(Path(words[0]).resolve().parent)
        sys.path[1:1] = more
        runpy.run_path(words[0], run_name="__main__")


def forward(path: str, words: Sequence[str]) -> NoReturn:
    """Has a server run a command line on the streams of this process: for lines of a shell."""
    child = Forked(
        [sys.executable, *words], Path.cwd(), os.environ, stdin=0, stdout=1, stderr=2, at=path
    )
    os._exit(child.wait() % 256)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        forward(sys.argv[1], sys.argv[2:])
    serve(sys.argv[1])

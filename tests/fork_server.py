"""A process that has imported exp, torch and Hydra, and forks a child for each command line.

    forked([sys.executable, "-m", "exp", "seed=1"], where, environment)

gives what `subprocess.run` gives: the child has its own working directory, environment, streams and
exit code, but starts in milliseconds, where torch takes two seconds of processor time to import.
Not for tests of what is imported, of variables that Python or a library reads when it starts, of
terminals and signals: those start a process.
"""

from __future__ import annotations

import atexit
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
from typing import Any, NoReturn

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
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line,
    ):
        streams = [Path(folder) / name for name in ("out", "err")]
        line.settimeout(timeout)
        line.connect(server())
        request = {
            "words": list(command[1:]),
            "where": str(where),
            "environment": dict(environment),
            "streams": [str(path) for path in streams],
        }
        line.sendall(json.dumps(request).encode() + b"\n")
        code = int(line.makefile().readline())
        out, err = (path.read_text() for path in streams)
        return subprocess.CompletedProcess(list(command), code, out, err)


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

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how those end that answer
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
    request = json.loads(line.makefile().readline())
    child = os.fork()
    if child == 0:
        line.close()
        run(request)
    _, status = os.waitpid(child, 0)
    line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def run(request: dict[str, Any]) -> None:
    """As Python would, had it just started."""
    words = request["words"]
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = [os.open(path, os.O_WRONLY | os.O_CREAT) for path in request["streams"]]
    for number, file in enumerate([nothing, *files]):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["where"])
    os.environ.clear()
    os.environ.update(request["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
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
    sys.exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])

"""A helper process that draws while the main process goes on.

matplotlib's import takes as long as drawing a run's figures several times over. The helper does
both beside the main process, which only hands over arrays.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import queue
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

from exp.plotting.picture import Picture
from exp.util.errors import ExpError

_LENGTH = struct.Struct(">Q")
# Not "-m": that would look for exp in the current folder first. The folder that holds this exp
# comes last on the path, for the case that it is not installed at all.
_CHILD = "import sys; sys.path.append(sys.argv[1]); import exp.plotting.__main__"


class FigureError(ExpError):
    """Figures could not be drawn.

    Attributes:
        stderr: all that the helper process had to say.
    """

    exit_code = 1

    def __init__(self, message: str, stderr: str = "") -> None:
        super().__init__(message)
        self.stderr = stderr


class FigureWorker:
    """Draws pictures in a helper process; one worker serves any number of pictures.

    Start it as early as possible, so that it imports matplotlib while the caller imports and
    computes. The helper leaves by itself when its caller is gone, however that ends.

        with FigureWorker() as worker:
            ...  # train
            worker.submit(picture, folder)
            ...  # write other files
            paths = worker.finish()
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The helper's process id; None where none runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Launch the helper, unless it runs already; returns at once.

        Raises:
            FigureError: no process can be started.
        """
        if self._process is not None:
            return
        root = str(Path(__file__).resolve().parents[2])
        # A file, not a pipe: nobody reads it before the end, and a full pipe would block.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the helper
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CHILD, root],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                # Its products are small: more threads would only take time to start.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                # Ctrl-C is for the caller, who decides what becomes of the figures.
                process_group=0,
            )
        except OSError as error:
            self._stderr.close()
            raise FigureError(f"the figures' helper process cannot be started: {error}") from error

    def submit(self, picture: Picture, folder: Path) -> None:
        """Have `picture` drawn into `folder` (made if missing) as by `exp.plotting.draw.draw`.

        Raises:
            FigureError: the helper has died.
        """
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            for part in (os.fsencode(Path(folder).absolute()), picture.to_bytes()):
                _send(self._process.stdin, part)
        except OSError as error:
            raise self._failed() from error

    def finish(self, timeout: float | None = 600.0) -> list[Path]:
        """Wait until all is drawn; the helper ends.

        Args:
            timeout: in seconds; None waits for ever.

        Returns:
            The paths of all pictures submitted, in that order.

        Raises:
            FigureError: a figure could not be drawn, or not in time. Every other one is there.
        """
        if self._process is None:
            return []
        assert self._process.stdin is not None
        try:
            _send(self._process.stdin, b"")
            answer, _ = self._process.communicate(timeout=timeout)
            result = json.loads(answer)
        except (OSError, ValueError) as error:
            raise self._failed() from error
        except subprocess.TimeoutExpired as error:
            self._process.kill()
            raise self._failed(f"not done after {timeout:g} s") from error
        if result["failed"]:
            raise self._failed()
        self.close()
        return [Path(path) for path in result["paths"]]

    def close(self) -> None:
        """End the helper; pictures not yet begun are given up. Harmless when it has ended."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(OSError):  # it is gone, with what was still to be sent
                process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def __enter__(self) -> FigureWorker:
        """Start the helper."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the helper."""
        self.close()

    def _failed(self, reason: str = "") -> FigureError:
        """The error that says why; the helper is ended."""
        assert self._process is not None
        assert self._stderr is not None
        process, stderr = self._process, self._stderr
        self._stderr = None
        self.close()
        stderr.seek(0)
        text = stderr.read().decode(errors="replace").strip()
        stderr.close()
        if not reason:
            code = process.returncode
            reason = text.rpartition("\n")[2] or f"the helper process ended with code {code}"
        return FigureError(f"the figures could not all be drawn: {reason}", text)


def serve() -> None:
    """Be the helper: draw what arrives on standard input, then answer on standard output.

    Each picture comes as two frames, the folder's path and the picture; an empty frame asks for
    the answer, `{"paths": [...], "failed": n}`. The end of input without it means that the caller
    is gone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the answers
    inbox: queue.SimpleQueue[tuple[Path, bytes] | None] = queue.SimpleQueue()
    drawing = threading.Lock()
    gone = threading.Event()
    # The reader takes in pictures while matplotlib is imported, so that the caller never waits.
    arguments = (sys.stdin.buffer, inbox, drawing, gone)
    threading.Thread(target=_receive, args=arguments, daemon=True).start()

    gc.disable()  # nothing that an import makes is garbage
    from exp.plotting.draw import draw
    from exp.plotting.style import settings

    gc.freeze()
    gc.enable()
    paths: list[str] = []
    failed = 0
    with settings():
        while (item := inbox.get()) is not None:
            with drawing:
                if gone.is_set():
                    os._exit(1)
                try:
                    paths += map(str, draw(Picture.from_bytes(item[1]), item[0]))
                except Exception:
                    failed += 1
                    traceback.print_exc()
    answers.write(json.dumps({"paths": paths, "failed": failed}).encode("ascii"))
    answers.flush()
    sys.stderr.flush()
    os._exit(0)  # an orderly exit would take apart all that was imported


def _receive(
    source: BinaryIO,
    inbox: queue.SimpleQueue[tuple[Path, bytes] | None],
    drawing: threading.Lock,
    gone: threading.Event,
) -> None:
    try:
        while folder := _next(source):
            inbox.put((Path(os.fsdecode(folder)), _next(source)))
        inbox.put(None)
    except (EOFError, OSError):
        gone.set()
        with drawing:  # a picture that is begun is finished, so that no draft is left behind
            os._exit(1)


def _send(target: IO[bytes], data: bytes) -> None:
    target.write(_LENGTH.pack(len(data)))
    target.write(data)
    target.flush()


def _next(source: BinaryIO) -> bytes:
    """The next frame.

    Raises:
        EOFError: there is none, or a part of one.
    """
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    data = source.read(_LENGTH.unpack(head)[0])
    if len(data) < _LENGTH.unpack(head)[0]:
        raise EOFError
    return data

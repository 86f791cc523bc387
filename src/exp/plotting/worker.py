"""A helper process that draws a run's figures while the main process goes on.

Importing matplotlib takes as long as drawing the figures. The helper does both beside the training;
the main process sends plain arrays and gets files back. Not a pool of concurrent.futures: that
would import the user's main module once more.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from exp.plotting.picture import Picture
from exp.util.errors import ExpError

# Not "-m": that would look for exp in the current folder first. The folder that holds this exp
# comes last on the path, for the case that it is not installed at all.
_CHILD = "import sys; sys.path.append(sys.argv[1]); from exp.plotting.worker import main; main()"


class FigureError(ExpError):
    """Figures could not be drawn.

    Attributes:
        stderr: what the helper process printed.
    """

    exit_code = 1

    def __init__(self, message: str, stderr: str = "") -> None:
        super().__init__(message)
        self.stderr = stderr


class FigureWorker:
    """Draws the figures of one run in a helper process.

    Start it as early as possible, so that it imports matplotlib while the caller imports and
    computes. The helper ends by itself when its caller is gone, however that ends.

        with FigureWorker() as worker:
            ...  # train
            worker.submit(picture)
            ...  # write other files
            files = worker.finish()

    Raises:
        FigureError: no process can be started.
    """

    def __init__(self) -> None:
        # A file, not a pipe: a full pipe would block.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the helper
        self._pool = ThreadPoolExecutor(1)
        self._answer: Future[tuple[bytes, bytes]] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CHILD, str(Path(__file__).resolve().parents[2])],
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

    @property
    def pid(self) -> int:
        """The helper's process id."""
        return self._process.pid

    def submit(self, picture: Picture) -> None:
        """Have `picture` drawn; returns at once."""
        self._answer = self._pool.submit(self._process.communicate, pickle.dumps(picture))

    def finish(self, timeout: float = 600.0) -> dict[str, bytes]:
        """Wait until all is drawn: the content of each file by its name, none without a picture.

        Args:
            timeout: in seconds.

        Raises:
            FigureError: a figure could not be drawn, or not in time.
        """
        if self._answer is None:
            return {}
        try:
            content, _ = self._answer.result(timeout)
        except TimeoutError:
            raise FigureError(f"the figures were not drawn within {timeout:g} s") from None
        if self._process.returncode:
            self._stderr.seek(0)
            text = self._stderr.read().decode(errors="replace").strip()
            code = self._process.returncode
            reason = text.rpartition("\n")[2] or f"the helper process ended with code {code}"
            raise FigureError(f"the figures could not be drawn: {reason}", text)
        files: dict[str, bytes] = pickle.loads(content)
        return files

    def close(self) -> None:
        """End the helper; a picture that is not drawn yet is given up."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._pool.shutdown()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # of what was still to be sent
                    pipe.close()
        self._process.wait()
        self._stderr.close()

    def __enter__(self) -> FigureWorker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def main() -> None:
    """Be the helper: draw the picture that arrives on standard input; the files go to standard
    output. No picture, no files: the caller is gone."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the files
    from exp.plotting.draw import drawings  # matplotlib, while the caller trains

    if content := sys.stdin.buffer.read():
        answers.write(pickle.dumps(dict(drawings(pickle.loads(content)))))
        answers.flush()

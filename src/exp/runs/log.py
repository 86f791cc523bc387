"""exp.log: how its lines look, as conf/hydra/job_logging/exp.yaml has them, and its file."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from exp.runs.directory import RunDirectory
from exp.util.terminal import printable

DATED = "%(asctime)s %(levelname)-7s %(message)s"


class LogFile(logging.FileHandler):
    """The file of a log. A line that a full disk does not take is left out in silence: the run
    ends with one clear error as soon as a file of its results cannot be written."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with control characters shown: a log is read on a terminal."""
        return printable(super().format(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what is left of the lines
            super().close()


def run_log(path: Path, *, printed: bool = False) -> logging.Logger:
    """A logger of one run, not known to `logging`, which would keep it for ever.

    Args:
        path: of its file.
        printed: whether its messages are printed, too.
    """
    log = logging.Logger("exp", logging.INFO)
    if printed:
        log.addHandler(logging.StreamHandler(sys.stdout))
    file = LogFile(path, encoding="utf-8")
    file.setFormatter(logging.Formatter(DATED))
    log.addHandler(file)
    return log


def close_log(log: logging.Logger) -> None:
    """Closes the file of a run's logger."""
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def printed_log(directory: RunDirectory) -> Iterator[logging.Logger]:
    """A logger that prints, and adds to the run's log."""
    log = run_log(directory.log, printed=True)
    try:
        yield log
    finally:
        close_log(log)

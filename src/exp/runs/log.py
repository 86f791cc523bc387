"""exp.log: how its lines look, as conf/hydra/job_logging/exp.yaml has them, and its file."""

from __future__ import annotations

import contextlib
import logging
import sys

DATED = "%(asctime)s %(levelname)-7s %(message)s"


class LogFile(logging.FileHandler):
    """The file of a log. A line that a full disk does not take is left out in silence: the run
    ends with one clear error as soon as a file of its results cannot be written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what is left of the lines
            super().close()

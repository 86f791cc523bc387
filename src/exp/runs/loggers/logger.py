"""What a logger is: it gets runs while they train, or when they have ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from exp.registry.component import Chosen
from exp.runs.loggers.finished_run import EvaluatedEpoch, FinishedRun, FinishedSweep, StartedRun

Text = Annotated[str, Field(min_length=1)]


class Logger:
    """Base of the packaged loggers. A custom logger needs `begin`, `log`, `end` and `look`.

    One that has `epochs` too gets the epochs of a run while it trains: `start` once, `epochs` about
    every second, then `log` with the whole run, or `stopped`. All calls come from one process, one
    after the other; it is not the process that trains.

    Attributes:
        NEEDS: the module that has to be installed, which is also the name of its extra.
    """

    NEEDS: ClassVar[str | None] = None

    def begin(self, sweep: FinishedSweep | None) -> None:
        """Opens the tracker.

        Args:
            sweep: the sweep of all these runs; None: they are single runs.
        """

    def start(self, run: StartedRun) -> int:
        """A run begins to train, or continues.

        Returns:
            The last epoch that the tracker has of it already; -1: none.
        """
        return -1

    def epochs(self, run: StartedRun, rows: Sequence[EvaluatedEpoch]) -> None:
        """Writes epochs of a run that trains; each comes once, in order."""

    def log(self, run: FinishedRun) -> bool:
        """Writes a run that has ended, or what is missing of it; False: all of it is there already.

        Raises:
            Exception: it could not be written. It does not count as logged.
        """
        raise NotImplementedError

    def stopped(self, run: FinishedRun | FinishedSweep) -> bool:
        """Marks a run or a sweep that was interrupted or killed; it may be resumed later.

        Returns:
            Whether the tracker has it.
        """
        return False

    def end(self, *, well: bool) -> None:
        """Closes the tracker.

        Args:
            well: whether every run of the sweep is done.
        """

    @property
    def look(self) -> str:
        """How to see what was logged: a command, or an address."""
        raise NotImplementedError


def is_live(chosen: Chosen) -> bool:
    """Whether a logger gets epochs while a run trains: it has a method for them, and its class can
    be imported by another process."""
    builder = chosen.component.builder
    method = getattr(builder, "epochs", None)
    importable = "__main__" not in chosen.component.modules
    return importable and method is not None and method is not Logger.epochs

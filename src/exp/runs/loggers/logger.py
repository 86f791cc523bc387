"""What a logger is: it gets runs that have ended, one after the other."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from exp.runs.loggers.finished_run import FinishedRun, FinishedSweep

Text = Annotated[str, Field(min_length=1)]


class Logger:
    """Base of the packaged loggers. One of your own needs the same methods and no more.

    Attributes:
        NEEDS: the module that has to be installed, which is also the name of its extra.
    """

    NEEDS: ClassVar[str | None] = None

    def begin(self, sweep: FinishedSweep | None) -> None:
        """Opens whatever the runs go into.

        Args:
            sweep: the one that all these runs belong to; None: they are runs by themselves.
        """

    def log(self, run: FinishedRun) -> bool:
        """Writes one run; False: all of it is there already.

        Raises:
            Exception: it could not be written. What there is of it does not count as there.
        """
        raise NotImplementedError

    def end(self, *, well: bool) -> None:
        """Closes what `begin` has opened.

        Args:
            well: whether every run of the sweep is done.
        """

    @property
    def look(self) -> str:
        """How to look at what is there: a command, or a place."""
        raise NotImplementedError

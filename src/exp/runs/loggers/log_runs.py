"""Logs runs that have ended. Whatever happens here, the runs are what they are."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exp.registry.component import Chosen
from exp.runs.loggers.finished_run import (
    EvaluatedEpoch,
    FinishedRun,
    FinishedSweep,
    Mark,
    StartedRun,
)
from exp.util.errors import ExpError
from exp.util.statuses import UNFINISHED
from exp.util.terminal import one_line

NEW, KNOWN, MARKED, UNENDED = OUTCOMES = (
    "logged {}", "{} already there", "marked {} as not finished", "{} not finished, not logged"
)  # fmt: skip


class _Disabled:
    """Whose loggers are not used: "this sweep", for the line that says so; None: all are used."""

    whose: str | None = None


@contextmanager
def loggers_disabled(whose: str) -> Iterator[None]:
    """Within this nothing is logged: loggers that a stranger's config names.

    Args:
        whose: they are, for the line that says so.
    """
    before, _Disabled.whose = _Disabled.whose, whose
    try:
        yield
    finally:
        _Disabled.whose = before


def disabled() -> bool:
    return _Disabled.whose is not None


def log(
    loggers: Mapping[str, Chosen],
    paths: Sequence[Path],
    sweep: FinishedSweep | None = None,
    *,
    trusted: bool = True,
) -> bool:
    """Logs runs, and says in a line for each logger what came of it.

    Args:
        loggers: label -> component.
        paths: directories of runs; those without a run.json are left out.
        sweep: what they belong to.
        trusted: whether the modules that their configs name may be imported.

    Returns:
        Whether everything could be logged.
    """
    if disabled():
        if loggers:
            names = one_line(", ".join(loggers))
            print(f"the loggers of {_Disabled.whose} are not used: {names}. To use them: --trust")
        return True
    well = True
    for label, chosen in loggers.items():
        with quiet():
            session = Session(label, chosen, sweep, trusted=trusted)
            for path in paths:
                session.ended(path)
            line, good = session.close()
        well &= good
        print(line, flush=True)
    return well


class Session:
    """One logger, and what became of the runs that were given to it.

    Args:
        label: of the logger in the config.
        sweep: that all its runs belong to; None: they are single runs.
        trusted: whether the modules that the configs of the runs name may be imported.
    """

    def __init__(
        self, label: str, chosen: Chosen, sweep: FinishedSweep | None, *, trusted: bool
    ) -> None:
        self.label, self.chosen, self.sweep, self.trusted = label, chosen, sweep, trusted
        self.logger: Any = None
        self.counts: Counter[str] = Counter()
        self.failed: list[Path] = []
        self.trouble: Exception | None = None
        self.gave_up = False
        self.well = True
        self.training: dict[Path, tuple[StartedRun, int]] = {}
        """Runs that train, and the last epoch of each that was logged."""
        self.seen: set[Path] = set()

    def opened(self) -> Any:
        if self.logger is None:
            logger = self.chosen.build()
            logger.begin(self.sweep)
            self.logger = logger
        return self.logger

    def start(self, path: Path) -> None:
        """A run begins to train.

        Raises:
            Exception: of the logger. The run is logged when it has ended.
        """
        try:
            begin = getattr(self.opened(), "start", None)
            run = StartedRun.read(path)
            self.training[path] = run, -1 if begin is None else begin(run)
        except Exception:
            self.logger = None
            raise

    def epochs(self, path: Path, rows: Sequence[EvaluatedEpoch]) -> None:
        """Logs epochs of a run that trains.

        Raises:
            Exception: of the logger. The run is logged when it has ended.
        """
        if path not in self.training:
            return
        run, last = self.training[path]
        new = [row for row in rows if row.epoch > last]
        try:
            if new:
                self.logger.epochs(run, new)
                self.training[path] = run, new[-1].epoch
        except Exception:
            del self.training[path]
            self.logger = None  # what is left of it may be of no use
            raise

    def ended(self, path: Path, marks: Sequence[Mark] = ()) -> None:
        """Logs a run that has ended, or marks one that was interrupted or killed.

        After the first run that could not be logged, none is tried: a server that does not answer
        takes its time for each.
        """
        if path in self.seen or not (path / "run.json").is_file():
            return
        self.seen.add(path)
        try:
            if self.gave_up:
                raise ExpError("an earlier run could not be logged")
            run = FinishedRun.read(path, marks, trusted=self.trusted)
        except ExpError as error:  # a damaged run says nothing of the others
            self.failed.append(path)
            self.trouble = self.trouble or error
            return
        self.well &= run.status == "done"
        try:
            self.counts[self.outcome(run)] += 1
        except Exception as error:
            self.failed.append(path)
            self.trouble, self.gave_up = error, True

    def outcome(self, run: FinishedRun) -> str:
        logger = self.opened()
        if run.status not in UNFINISHED:
            return NEW if logger.log(run) else KNOWN
        mark = getattr(logger, "stopped", None)
        if run.status == "running" or mark is None:
            return UNENDED
        return MARKED if mark(run) else UNENDED

    def close(self, *, killed: bool = False) -> tuple[str, bool]:
        """Closes the logger.

        Args:
            killed: the sweep was interrupted or killed.

        Returns:
            The line to say, and whether everything could be logged.
        """
        look = ""
        try:
            if not self.gave_up:
                logger = self.opened()
                if killed and self.sweep is not None and hasattr(logger, "stopped"):
                    logger.stopped(self.sweep)
                else:
                    logger.end(well=self.well and not self.failed)
                look = logger.look
        except Exception as error:
            self.trouble = error
        if self.trouble is not None:
            where = self.sweep.path if self.sweep else self.failed[0] if self.failed else "DIR"
            again = f"To try again: exp log {one_line(str(where))} --to {self.label}"
            what = f"{runs(len(self.failed))} could not be logged: {reason(self.trouble)}"
            return f"{self.label}: {what}. {again}", False
        parts = [how.format(runs(self.counts[how])) for how in OUTCOMES if self.counts[how]]
        counted = ", ".join(parts) or "no run to log"
        return f"{self.label}: {counted}; to look: {without_secrets(look)}", True


def runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def reason(error: Exception) -> str:
    """What went wrong, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return without_secrets(text if len(text) <= 300 else text[:297] + "...").rstrip(".")


def without_secrets(text: str) -> str:
    """Without the name and password that an address may hold."""
    return re.sub(r"(\w://)[^/@\s]+@", r"\1", text)


@contextmanager
def quiet() -> Iterator[None]:
    """What the libraries say of themselves stays unsaid, and above all out of the run's exp.log,
    whose digest stands in run.json by now."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)

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
from exp.runs.loggers.finished_run import FinishedRun, FinishedSweep
from exp.util.errors import ExpError
from exp.util.statuses import UNFINISHED
from exp.util.terminal import one_line

OUTCOMES = NEW, KNOWN, UNENDED = "logged {}", "{} already there", "{} not finished, not logged"


@contextmanager
def logged(loggers: Mapping[str, Chosen], path: Path) -> Iterator[None]:
    """Has the run in `path` logged once it has ended, also where it failed. One that is interrupted
    has not ended."""
    try:
        yield
    except Exception:
        log(loggers, [path])
        raise
    log(loggers, [path])


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


def log(
    loggers: Mapping[str, Chosen], paths: Sequence[Path], sweep: FinishedSweep | None = None
) -> bool:
    """Logs runs, and says in a line for each logger what came of it.

    Args:
        loggers: label -> component.
        paths: directories of runs; those without a run.json are left out.
        sweep: what they belong to.

    Returns:
        Whether everything could be logged.
    """
    if _Disabled.whose is not None:
        if loggers:
            names = one_line(", ".join(loggers))
            print(f"the loggers of {_Disabled.whose} are not used: {names}. To use them: --trust")
        return True
    there = [path for path in paths if (path / "run.json").is_file()]
    well = True
    for label, chosen in loggers.items():
        line, good = log_to(label, chosen, there, sweep)
        well &= good
        print(line, flush=True)
    return well


def log_to(
    label: str, chosen: Chosen, paths: Sequence[Path], sweep: FinishedSweep | None
) -> tuple[str, bool]:
    """Logs runs to one logger.

    Returns:
        The line to say, and whether everything could be logged. After the first run that could not,
        none is tried: a server that does not answer takes its time for each.
    """
    counts: Counter[str] = Counter()
    trouble: Exception | None = None
    done, look = True, ""
    try:
        with quiet():
            logger: Any = chosen.build()
            logger.begin(sweep)
            for path in paths:
                try:
                    run = FinishedRun.read(path)
                except ExpError as error:  # a damaged one says nothing of the others
                    trouble = trouble or error
                    continue
                done &= run.status == "done"
                how = UNENDED if run.status in UNFINISHED else NEW if logger.log(run) else KNOWN
                counts[how] += 1
            logger.end(well=done and trouble is None)
            look = logger.look
    except Exception as error:
        trouble = error
    if trouble is not None:
        count = len(paths) - counts.total()
        where = sweep.path if sweep else paths[0] if paths else "DIR"
        again = f"To try again: exp log {one_line(str(where))} --to {label}"
        return f"{label}: {runs(count)} could not be logged: {reason(trouble)}. {again}", False
    counted = ", ".join(how.format(runs(counts[how])) for how in OUTCOMES if counts[how])
    return f"{label}: {counted or 'no run to log'}; to look: {without_secrets(look)}", True


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

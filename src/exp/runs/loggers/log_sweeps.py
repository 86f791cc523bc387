"""Logs the runs of a sweep: those of a stack as soon as it has ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exp.config.environment import restored
from exp.config.plan import loggers_of
from exp.runs.collection import below
from exp.runs.loggers.finished_run import FinishedSweep
from exp.runs.loggers.log_runs import disabled, log
from exp.runs.loggers.logger import is_live
from exp.runs.loggers.tracker import Tracker, print_closed
from exp.runs.record import RunRecord
from exp.util.errors import ExpError
from exp.util.terminal import one_line


class SweepLog:
    """Logs the runs of one sweep.

    Args:
        sweep: the directory that they lie in.
    """

    def __init__(self, sweep: Path) -> None:
        self.sweep = sweep.absolute()
        self.tracker = Tracker(self.sweep)
        self.known: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}

    def divided(self, settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The loggers of a config that log while the sweep trains, and those that log at its end;
        label -> name and parameters."""
        key = json.dumps(settings)
        if key not in self.known:
            chosen, _ = loggers_of(settings)
            parts: tuple[dict[str, Any], dict[str, Any]] = {}, {}
            for label, each in chosen.items():
                parts[not is_live(each) or disabled()][label] = each.as_dict()
            self.known[key] = parts
        return self.known[key]

    def ended(self, path: Path, settings: Any) -> None:
        """Has a run logged that has ended; does not wait for that.

        Args:
            settings: the node `logger` of its config.
        """
        if settings and (live := self.divided(settings)[0]):
            self.tracker.say("ended", path.absolute(), live)

    def finish(self, wanted: Sequence[tuple[Path, Any]]) -> None:
        """Logs every run of the sweep that is not logged yet, and waits for that.

        Args:
            wanted: directories of runs, and the node `logger` of their configs.
        """
        for path, settings in wanted:
            self.ended(path, settings)
        again = f"exp log {one_line(str(self.sweep))} --to LOGGER"
        print_closed(self.tracker.close(), again=again)
        log_sweep(self.sweep, [(path, self.divided(each)[1]) for path, each in wanted if each])

    def stop(self) -> None:
        """Marks the sweep as interrupted."""
        again = f"exp log {one_line(str(self.sweep))} --to LOGGER"
        print_closed(self.tracker.close(killed=True), again=again)


def log_sweep(sweep: Path, wanted: Sequence[tuple[Path, Any]]) -> None:
    """Logs runs as their configs want it.

    Args:
        sweep: the directory that they lie in.
        wanted: directories of runs, and the node `logger` of their configs.
    """
    # As a rule all want the same.
    same: dict[str, tuple[Any, list[Path]]] = {}
    for path, settings in wanted:
        if settings:
            same.setdefault(json.dumps(settings), (settings, []))[1].append(path)
    for settings, paths in same.values():
        chosen, _ = loggers_of(settings)
        log(chosen, paths, FinishedSweep(sweep.absolute()))


def log_found(sweep: Path) -> None:
    """Logs the runs that another sweeper than exp's own has left in a directory."""
    if sweep.is_dir():
        SweepLog(sweep).finish(found_below(sweep))


def found_below(sweep: Path) -> list[tuple[Path, Any]]:
    """The directories of the runs in a directory, and their loggers."""
    return [(path, settings_of(path)) for path in below(sweep, 1) if path != sweep]


def settings_of(path: Path) -> Any:
    """The node `logger` of a stored config; None where there is none that can be read."""
    try:
        return restored(RunRecord(path).config()).get("logger")
    except ExpError:
        return None

"""Logs the runs of a sweep, in the order of their numbers, once the last has ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exp.config.environment import restored
from exp.config.plan import loggers_of
from exp.runs.collection import below
from exp.runs.loggers.finished_run import FinishedSweep
from exp.runs.loggers.log_runs import log
from exp.runs.record import RunRecord
from exp.util.errors import ExpError


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
        places = [path for path in below(sweep, 1) if path != sweep]
        log_sweep(sweep, [(path, settings_of(path)) for path in places])


def settings_of(path: Path) -> Any:
    """The node `logger` of a stored config; None where there is none that can be read."""
    try:
        return restored(RunRecord(path).config()).get("logger")
    except ExpError:
        return None

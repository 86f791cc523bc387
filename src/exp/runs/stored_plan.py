"""A run on disk becomes a plan and a job again. What its directory names (modules, loggers, the
folder that it was started in) is used only with trust: a stranger may have made it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp.config import plugins
from exp.config.environment import restored, values_unshown
from exp.config.plan import Plan, plan
from exp.plotting.frames import SWEEP_GRID
from exp.runs.record import RunRecord
from exp.util.errors import ConfigError, ExpError, Fault, shown
from exp.util.terminal import one_line
from exp.util.text_file import found_from

if TYPE_CHECKING:
    from exp.engine import Job


def plan_of(run: RunRecord, *, trust: bool) -> Plan:
    """The validated plan of a run.

    Args:
        trust: the modules that its config names may be imported, its loggers used, and the
            folder that it was started in entered. Without, the plan has no loggers, and no
            value is read from the environment for them.

    Raises:
        ExpError: its config is not valid today, or needs that trust.
    """
    config = run.config()
    config = restored(config if trust else {**config, "logger": {}})
    with values_unshown(config):
        names = plugins_of(config)
        if names and not trust:
            listing = ", ".join(names)
            raise ExpError(
                f"{run.path} needs modules that would be imported: {listing}. "
                "If you trust whoever made this run, add --trust"
            )
        if trust and (folder := start_folder(run)) is not None:
            os.chdir(folder)  # a csv file's path is relative to it
        plugins.import_all(names)
        trainer = config.get("trainer")
        if isinstance(trainer, dict) and "restore_best" not in trainer:
            # Of a version before that key: its results were those of the last weights.
            config = {**config, "trainer": {**trainer, "restore_best": False}}
        figures = config.get("figures")
        if isinstance(figures, dict) and "frames" in figures and "frame_resolution" not in figures:
            # Of a version before that key: all frames were of this size.
            config = {**config, "figures": {**figures, "frame_resolution": SWEEP_GRID}}
        return plan(config)


def job_of(run: RunRecord, found: Plan, *, trust: bool) -> Job:
    """A plan of a run with its rows, which are looked for where the run was started."""
    from exp.engine import Job  # torch

    with found_from(None if trust else start_folder(run)):
        return Job.of(found)


def matches(run: RunRecord, job: Job) -> bool:
    """Whether a job is that of a run: the same config, data, code and version of exp."""
    return bool(job.signature_of(run.config()) == run.record.get("signature"))


def start_folder(run: RunRecord) -> Path | None:
    """The folder that a run was started in, where it is there."""
    folder = run.record.get("folder")
    with contextlib.suppress(OSError, ValueError):
        if isinstance(folder, str) and os.path.isdir(folder):
            return Path(folder)
    return None


def unused_loggers(run: RunRecord, *, trust: bool) -> str | None:
    """The line that says that the loggers of a run are not used; None where they are, or where
    there are none."""
    loggers = run.config().get("logger")
    if trust or not loggers:
        return None
    listed = ", ".join(map(str, loggers)) if isinstance(loggers, dict) else shown(loggers)
    names = one_line(listed)
    return f"the loggers of this run are not used: {names}. To use them: --trust"


def origin_elsewhere(run: RunRecord, *, trust: bool) -> dict[str, Any]:
    """What run.json is to say where a run goes on, or is done again, from another folder than it
    was started in: relative paths still begin there, and the code there is not looked at."""
    folder = start_folder(run)
    if trust or folder is None or folder == Path.cwd():
        return {}
    return {"folder": str(folder), "git": None}


def plugins_of(config: dict[str, Any]) -> list[str]:
    """The modules that a config names.

    Raises:
        ConfigError: that is not what stands there.
    """
    value = config.get("plugins")
    names: list[Any] = value if isinstance(value, list) else [] if value is None else [value]
    if not all(plugins.is_place(name) for name in names):
        raise ConfigError([Fault("plugins", f"expected names of modules, found {shown(value)}")])
    return names

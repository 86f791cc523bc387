"""A run as its directory tells it, checked before anything is done with it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from exp.config import plugins
from exp.config.environment import restored, values_unshown
from exp.config.schema import Plan, plan
from exp.runs import manifest
from exp.runs.directory import RunDirectory
from exp.runs.record import RunRecord
from exp.util.errors import ConfigError, DamagedError, ExpError, Fault, RunDirectoryError, shown
from exp.util.terminal import one_line
from exp.util.text_file import found_from

if TYPE_CHECKING:
    from exp.engine import Job


class SavedRun(RunRecord):
    """A run that is worked with: its record, and the plan of its config."""

    @classmethod
    def at(cls, path: Path) -> Self:
        """The run in this directory.

        Raises:
            RunDirectoryError: there is none, or its run.json is damaged.
        """
        record = RunDirectory(path).record
        if not record.exists() and (instead := other_than_a_run(path)) is not None:
            raise RunDirectoryError(f"{path} is no run directory: {instead}")
        if not record.exists() and RunDirectory(path).was_never_begun():
            raise RunDirectoryError(
                f"the run in {path} ended before it had begun to train: there is nothing to go on "
                f"with. The same command with hydra.run.dir={path} does it there"
            )
        return super().at(path)

    def plan(self, *, trust: bool) -> Plan:
        """The validated plan of the run.

        Args:
            trust: the modules that its config names may be imported, its loggers used, and the
                folder that it was started in entered. Without, the plan has no loggers, and no
                value is read from the environment for them.

        Raises:
            ExpError: its config is not valid today, or needs that trust.
        """
        config = self.config()
        config = restored(config if trust else {**config, "logger": {}})
        with values_unshown(config):
            return self._plan(config, trust)

    def _plan(self, config: dict[str, Any], trust: bool) -> Plan:
        names = named(config.get("plugins"))
        if names and not trust:
            listing = ", ".join(names)
            raise ExpError(
                f"{self.directory.path} needs modules that would be imported: {listing}. "
                "If you trust whoever made this run, add --trust"
            )
        if trust and (folder := self.folder) is not None:
            os.chdir(folder)  # a csv file's path is relative to it
        plugins.import_all(names)
        trainer = config.get("trainer")
        if isinstance(trainer, dict) and "restore_best" not in trainer:
            # Of a version before that key: its results were those of the last weights.
            config = {**config, "trainer": {**trainer, "restore_best": False}}
        return plan(config)

    def job(self, found: Plan, *, trust: bool) -> Job:
        """A plan of this run with its rows, which are looked for where the run was started."""
        from exp.engine import Job

        with found_from(None if trust else self.folder):
            return Job.of(found)

    @property
    def folder(self) -> Path | None:
        """The folder that the run was started in, where it is there."""
        folder = self.record.get("folder")
        with contextlib.suppress(OSError, ValueError):
            if isinstance(folder, str) and os.path.isdir(folder):
                return Path(folder)
        return None

    def left_out(self, *, trust: bool) -> str | None:
        """What is said where the loggers of this run are not used."""
        loggers = self.config().get("logger")
        if trust or not loggers:
            return None
        listed = ", ".join(map(str, loggers)) if isinstance(loggers, dict) else shown(loggers)
        names = one_line(listed)
        return f"the loggers of this run are left out: {names}. To use them: --trust"

    def origin(self, *, trust: bool) -> dict[str, Any]:
        """What run.json is to say where this run goes on, or is done again, from another folder
        than its own: relative paths are still those of its own, whose code is not looked at."""
        folder = self.folder
        if trust or folder is None or folder == Path.cwd():
            return {}
        return {"folder": str(folder), "git": None}

    def is_of(self, job: Job) -> bool:
        """Whether a job is that of this run: the same config, data, code and version of exp."""
        return bool(job.signature_of(self.config()) == self.record.get("signature"))


def named(value: object) -> list[str]:
    """The modules that a config names.

    Raises:
        ConfigError: that is not what stands there.
    """
    names: list[Any] = value if isinstance(value, list) else [] if value is None else [value]
    if not all(plugins.is_place(name) for name in names):
        raise ConfigError([Fault("plugins", f"expected names of modules, found {shown(value)}")])
    return names


def no_links(path: Path) -> None:
    """
    Raises:
        DamagedError: a link in a run directory, through which files elsewhere would be written;
            or a FIFO or a device, which may be opened for ever.
    """
    for found in path.rglob("*"):
        if found.is_symlink():
            raise DamagedError(f"{found} is a link; exp writes none, and follows none there")
        if not (found.is_file() or found.is_dir()):
            raise DamagedError(f"{found} is neither a file nor a folder; exp writes nothing else")


def other_than_a_run(path: Path) -> str | None:
    """What a directory without a run.json is instead, where that can be told."""
    if is_sweep(path):
        first = next(iter(sorted(path.glob("*/run.json"))), None)
        one = f", such as {first.parent}" if first is not None else ""
        return f"it is a sweep. Expected one run of it{one}"
    if not path.is_dir():
        return None
    within = sorted({*path.glob("*/run.json"), *path.glob("*/*/run.json")})
    below = [found.parent for found in within if not is_sweep(found.parent.parent)]
    sweeps = sorted({*path.glob(f"*/{manifest.NAME}"), *path.glob(f"*/*/{manifest.NAME}")})
    inner = [*(found.parent for found in sweeps), *below]
    return f"it holds others. Expected one of them, such as {inner[0]}" if inner else None


def is_sweep(path: Path) -> bool:
    return (path / manifest.NAME).is_file()

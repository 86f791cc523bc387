"""A run as its directory tells it, checked before anything is done with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exp import plugins
from exp.bounds import read, yaml_of
from exp.config import Plan, plan
from exp.environment import restored
from exp.errors import ConfigError, DamagedError, ExpError, Fault, RunDirectoryError, shown
from exp.runs import manifest, process
from exp.runs.directory import RunDirectory

ENDED = ("done", "diverged")
TRUST = "import the modules that it names, and read its configs: whoever made it is trusted"


@dataclass(frozen=True)
class SavedRun:
    """A run directory and what its run.json says."""

    directory: RunDirectory
    record: dict[str, Any]

    @classmethod
    def at(cls, path: Path) -> SavedRun:
        """The run in this directory.

        Raises:
            RunDirectoryError: there is none, or its run.json is damaged.
        """
        directory = RunDirectory(path)
        if not directory.record.exists() and (instead := other_than_a_run(path)) is not None:
            raise RunDirectoryError(f"{path} is no run directory: {instead}")
        if not directory.record.exists() and directory.was_never_begun():
            raise RunDirectoryError(
                f"the run in {path} ended before it had begun to train: there is nothing to go on "
                f"with. The same command with hydra.run.dir={path} does it there"
            )
        return cls(directory, directory.read_record())

    @property
    def status(self) -> str:
        """As run.json has it; `crashed` where the process of a running one is gone."""
        status = str(self.record.get("status"))
        if status == "running" and not process.is_alive(
            self.record.get("process"), self.directory.path
        ):
            return "crashed"
        return status

    @property
    def damaged(self) -> list[str]:
        """What is no longer as it was written."""
        return self.directory.damaged(self.record)

    def check(self) -> None:
        """
        Raises:
            DamagedError: naming every file that is not what was written.
        """
        if found := self.damaged:
            listing = "\n".join(f"  {text}" for text in found)
            raise DamagedError(f"{self.directory.path} is not as it was written:\n{listing}")

    def config(self) -> dict[str, Any]:
        """The config of the run as it was stored: values from the environment by name."""
        try:
            found = yaml_of(read(self.directory.config))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RunDirectoryError(f"cannot read {self.directory.config}: {reason}") from error
        if not isinstance(found, dict):
            raise RunDirectoryError(f"{self.directory.config} holds no config")
        return found

    def plan(self, *, trust: bool) -> Plan:
        """The validated plan of the run, from the folder that it was started in.

        Args:
            trust: the modules that its config names may be imported.

        Raises:
            ExpError: its config is not valid today, or needs that trust.
        """
        config = restored(self.config())
        names = named(config.get("plugins"))
        if names and not trust:
            listing = ", ".join(names)
            raise ExpError(
                f"{self.directory.path} needs modules that would be imported: {listing}. "
                "If you trust whoever made this run, add --trust"
            )
        folder = self.record.get("folder")
        if isinstance(folder, str) and os.path.isdir(folder):
            os.chdir(folder)  # a csv file's path is relative to it
        plugins.import_all(names)
        return plan(config)


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
        DamagedError: a link in a run directory, through which files elsewhere would be written.
    """
    for found in path.rglob("*"):
        if found.is_symlink():
            raise DamagedError(f"{found} is a link; exp writes none, and follows none there")


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

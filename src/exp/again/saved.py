"""A run as its directory tells it, checked before anything is done with it."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from exp.config import Plan, plan
from exp.errors import ConfigError, DamagedError, ExpError, Fault, RunDirectoryError
from exp.runs import process
from exp.runs.directory import RunDirectory

ENDED = ("done", "diverged")


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
        return cls(directory, directory.read_record())

    @property
    def status(self) -> str:
        """As run.json has it; `crashed` where the process of a running one is gone."""
        status = str(self.record.get("status"))
        if status == "running" and not process.is_alive(self.record.get("process")):
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
        """The resolved config of the run."""
        try:
            found = yaml.safe_load(self.directory.config.read_bytes())
        except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise RunDirectoryError(f"cannot read {self.directory.config}: {reason}") from error
        if not isinstance(found, dict):
            raise RunDirectoryError(f"{self.directory.config} holds no config")
        return found

    def plan(self) -> Plan:
        """The validated plan of the run, from the folder that it was started in.

        Raises:
            ExpError: its config is not valid today.
        """
        config = self.config()
        folder = self.record.get("folder")
        if isinstance(folder, str) and os.path.isdir(folder):
            os.chdir(folder)  # a csv file's path is relative to it
        for name in config.get("plugins") or []:
            import_plugin(name)
        return plan(config)


def import_plugin(name: object) -> None:
    """Imports a module of the user's own components, from the working directory."""
    if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
        raise ConfigError([Fault("plugins", f"expected names of modules, found {name!r}")])
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    importlib.import_module(name)


class Parser(argparse.ArgumentParser):
    """Tells a wrong word as every other fault is told."""

    def error(self, message: str) -> NoReturn:
        raise ExpError(f"{self.prog}: {message}. See {self.prog} --help")


def place(text: str) -> Path:
    """An absolute path of a directory that is there.

    Raises:
        RunDirectoryError: it is not.
    """
    with contextlib.suppress(OSError, ValueError):
        if (path := Path(text).absolute()).is_dir():
            return path
    raise RunDirectoryError(f"there is no directory {text!r}")


def is_sweep(path: Path) -> bool:
    return (path / "sweep.json").is_file()

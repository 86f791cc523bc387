"""Components of installed packages: the entry point group `exp.components`.

A package names one of its modules there, and exp imports it when a config names a component that
exp does not have, never before. Option files may lie in a folder `conf/` of that module's package.
The working directory is never searched: its files may come from somebody else.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

from exp.registry.user_code import imported

GROUP = "exp.components"


@dataclass(frozen=True)
class Entry:
    """One entry point of one package."""

    name: str
    value: str
    package: str
    version: str

    @property
    def module(self) -> str:
        return self.value.partition(":")[0].strip()

    def load(self) -> None:
        """
        Raises:
            PluginError: its module cannot be imported.
        """
        what = f"entry point {self.name} = {self.value} of package {self.package} {self.version}"
        imported(what, EntryPoint(self.name, self.value, GROUP).load)

    def folder(self) -> Path | None:
        """The `conf/` of its package, found without importing anything; the innermost one."""
        top, *rest = self.module.split(".")
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError):
            return None
        found = None
        for place in (spec.submodule_search_locations or ()) if spec else ():
            at = Path(place)
            for part in ("", *rest):
                at = at / part
                if (at / "conf").is_dir():
                    found = at / "conf"
        return found


_loaded: set[Entry] = set()


def load() -> bool:
    """Imports the entry points of every installed package, once.

    Returns:
        Whether any was new.

    Raises:
        PluginError: one cannot be imported, and which.
    """
    before = len(_loaded)
    for entry in found():
        if entry not in _loaded:
            _loaded.add(entry)  # first, as the imported module may look up a name
            try:
                entry.load()
            except BaseException:
                _loaded.discard(entry)
                raise
    return len(_loaded) > before


def found() -> tuple[Entry, ...]:
    """All entry points of the group, by package and name."""
    here = os.path.realpath(os.getcwd())
    return on(tuple(place for place in sys.path if place and os.path.realpath(place) != here))


@lru_cache
def on(path: tuple[str, ...]) -> tuple[Entry, ...]:
    """The entry points of the packages in these directories."""
    known: dict[str, list[Entry]] = {}
    for package in distributions(path=list(path)):
        # As text first: parsing the entry points of all packages takes ten times as long.
        if GROUP not in (package.read_text("entry_points.txt") or ""):
            continue
        name, version = package.metadata["Name"], package.version
        entries = [
            Entry(point.name, point.value, name, version)
            for point in package.entry_points
            if point.group == GROUP
        ]
        known.setdefault(name, entries)  # the first one on the path is the one that is imported
    flat = [entry for entries in known.values() for entry in entries]
    return tuple(sorted(flat, key=lambda entry: (entry.package, entry.name)))


def package_of(module: str) -> Entry | None:
    """The entry point that a module came from, or None."""
    top = module.partition(".")[0]
    return next((entry for entry in _loaded if entry.module.partition(".")[0] == top), None)

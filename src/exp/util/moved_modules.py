"""Old names of modules, which components of users import: they work, with a warning."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "exp.check": "exp.cli.check",
    "exp.components.numbers": "exp.components.losses.regression_losses",
    "exp.components.parameters": "exp.components.optimizers.parameter_buffer",
    "exp.errors": "exp.util.errors",
    "exp.loggers": "exp.runs.loggers",
    "exp.loggers.finished": "exp.runs.loggers.finished_run",
    "exp.mapping": "exp.data.feature_map",
    "exp.schema": "exp.registry.types",
}
"""Old name -> new name; modules within a package move with it."""


def new_name(name: str) -> str | None:
    """Where a module is now; None: its name has not changed."""
    package, _, module = name.rpartition(".")
    if name in MOVED or not package:
        return MOVED.get(name)
    inside = new_name(package)
    return f"{inside}.{module}" if inside else None


class MovedModules(MetaPathFinder, Loader):
    """Finds a module under its old name: the same module, not a copy."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name.startswith("exp.") and new_name(name) else None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        new = new_name(name) or name
        sys.modules[name] = importlib.import_module(new)
        warnings.warn(f"{name} is now {new}", DeprecationWarning, stacklevel=2)


def install() -> None:
    """Has imports look for old names too."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())

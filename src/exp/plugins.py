"""The user's own modules of components: imported only if a command line names them."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable

from exp.errors import ConfigError, Fault, shown

loaded: list[str] = []
"""Those that this process was asked for, in their order."""


def load(overrides: Iterable[str]) -> None:
    """Imports the modules that `plugins=[...]` names among the words of a command line.

    Raises:
        ConfigError: such a module does not exist. An error inside it is shown in full.
    """
    loaded.clear()
    for override in overrides:
        key, equals, value = override.partition("=")
        if key.strip("+") == "plugins" and equals:
            names = re.findall(r"[^,\s\[\]'\"]+", value)
            # Validation tells of a name that is none.
            import_all(name for name in names if is_name(name))


def only_named(words: Iterable[str]) -> None:
    """
    Raises:
        ConfigError: a word names a module that was not on the command line: it stood in a file.
    """
    for word in words:
        key, _, value = word.partition("=")
        if key.strip("+~ ") == "plugins":
            names = re.findall(r"[^,\s\[\]'\"]+", value)
            strange = [name for name in names if is_name(name) and name not in loaded]
            if strange:
                what = f"only the command line may name modules, not a file: {shown(strange[0])}"
                raise ConfigError([Fault("plugins", what)])


def is_name(name: object) -> bool:
    return isinstance(name, str) and all(part.isidentifier() for part in name.split("."))


def import_all(names: Iterable[str]) -> None:
    """Imports modules, from the working directory or of an installed package.

    Raises:
        ConfigError: such a module does not exist. An error inside it is shown in full.
    """
    import exp.components  # noqa: F401 - declares the kinds that a plug-in registers

    for name in names:
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            where = f"no module {name!r} in {os.getcwd()} or among the installed packages"
            raise ConfigError([Fault("plugins", where)]) from None
        if name not in loaded:
            loaded.append(name)

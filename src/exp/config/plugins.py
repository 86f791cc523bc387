"""The user's own modules of components: imported only if a command line names them.

`plugins=[mine,./components]` names modules, and folders of which every file is imported: whatever
holds a `/` is a folder. `--components DIR` is another way to name a folder.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
import sys
import types
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import exp.registry.kinds  # noqa: F401 - declares the kinds that a plug-in registers
from exp.registry import entry_points
from exp.registry.component import Chosen
from exp.registry.user_code import imported
from exp.util.errors import ConfigError, Fault, shown

loaded: list[str] = []
"""The modules and folders that were imported, in their order."""
TOKENS = re.compile(r"'([^']*)'|\"([^\"]*)\"|([^,\s\[\]'\"]+)")
LEFT_OUT = re.compile(r"test_.*|conftest|_.*")
"""Files of a folder that are not imported: its tests, and what the others import themselves."""


def load(overrides: Iterable[str]) -> None:
    """Imports what `plugins=[...]` names among the words of a command line.

    Raises:
        ConfigError: there is no such module or folder.
        PluginError: an error inside it, shown in full.
    """
    loaded.clear()
    for override in overrides:
        if names := named(override):
            # Validation tells of a name that is none.
            import_all(name for name in names if is_place(name))


def named(word: str) -> list[str]:
    """What a word `plugins=[...]` lists; nothing for any other word."""
    key, equals, value = word.partition("=")
    if key.strip("+~ ") != "plugins" or not equals:
        return []
    return ["".join(parts) for parts in TOKENS.findall(value)]


def with_folders(overrides: list[str], folders: list[str]) -> list[str]:
    """The words of a command line with those folders among its `plugins`.

    Raises:
        ConfigError: a folder's name that a config cannot hold.
    """
    if not folders:
        return overrides
    for folder in folders:
        if not folder.isprintable() or set("'\"\\") & set(folder):
            what = f"a name with quotes or control characters cannot be used: {shown(folder)}"
            raise ConfigError([Fault("--components", what)])
    names = [name for word in overrides for name in named(word)]
    names += [folder if "/" in folder else f"./{folder}" for folder in folders]
    written = ",".join(f"'{name}'" for name in names)
    return [*(word for word in overrides if not named(word)), f"plugins=[{written}]"]


def only_named(words: Iterable[str]) -> None:
    """
    Raises:
        ConfigError: a word names a module that was not on the command line: it stood in a file.
    """
    for word in words:
        strange = [name for name in named(word) if is_place(name) and name not in loaded]
        if strange:
            what = f"only the command line may name modules, not a file: {shown(strange[0])}"
            raise ConfigError([Fault("plugins", what)])


def is_place(name: object) -> bool:
    """Whether this could name a module or a folder."""
    return is_name(name) or is_folder(name)


def is_name(name: object) -> bool:
    return isinstance(name, str) and all(part.isidentifier() for part in name.split("."))


def is_folder(name: object) -> bool:
    return isinstance(name, str) and "/" in name and name.isprintable()


def import_all(names: Iterable[str], base: str | None = None) -> None:
    """Imports modules, from the working directory or of an installed package, and folders.

    Args:
        base: stands for the working directory.

    Raises:
        ConfigError: there is no such module or folder.
        PluginError: an error inside it, shown in full.
    """
    here = base or os.getcwd()
    for name in names:
        if is_folder(name):
            import_folder(Path(here, name), name)
        else:
            import_module(name, here)
        if name not in loaded:
            loaded.append(name)


def import_module(name: str, here: str) -> None:
    if here not in sys.path:
        sys.path.insert(0, here)

    def work() -> None:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            missing.append(error.name)

    missing: list[str] = []
    imported(f"module {name} of plugins", work)
    if missing:
        where = f"no module {name!r} in {here} or among the installed packages"
        raise ConfigError([Fault("plugins", where)])


def import_folder(folder: Path, name: str) -> None:
    """Imports every file of a folder as a module of one package, so that one can import another
    (`from . import other`), and none hides an installed module."""
    if not folder.is_dir():
        raise ConfigError([Fault("plugins", f"there is no folder {name!r}")])
    files = sorted(p for p in folder.glob("*.py") if not LEFT_OUT.fullmatch(p.stem))
    if not files:
        raise ConfigError([Fault("plugins", f"no Python file in {name!r} to import")])
    package = package_name(folder)
    if package not in sys.modules:
        made = types.ModuleType(package)
        made.__path__ = [str(folder.resolve())]
        sys.modules[package] = made
    for file in files:
        if not file.stem.isidentifier():
            raise ConfigError(
                [Fault("plugins", f"{file.name!r} in {name!r} is not a valid module name")]
            )
        imported(str(file), partial(importlib.import_module, f"{package}.{file.stem}"))


def package_name(folder: Path) -> str:
    """The name of a folder as a package: its path is part of it, so that it is unique."""
    path = folder.resolve()
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return f"components_{re.sub(r'[^A-Za-z0-9]+', '_', path.name)}_{digest}"


def conf_folders() -> list[Path]:
    """The `conf/` of each folder that was named, if it has one."""
    return [place for name in loaded if is_folder(name) and (place := Path(name, "conf")).is_dir()]


def origins(chosen: Iterable[Chosen]) -> dict[str, dict[str, str]]:
    """Where components that are not exp's come from: what their results depend on besides exp.

    Returns:
        By the name of their module: `sha256` of its file where it has one, and of a package that is
        installed and named an entry point, its name and version.
    """
    found: dict[str, dict[str, str]] = {}
    for module in sorted({module for choice in chosen for module in modules(choice)}):
        digest = source(module)
        entry = entry_points.package_of(module)
        origin = {"sha256": digest} if digest else {}
        if entry is not None:
            origin |= {"package": entry.package, "version": entry.version}
        found[title(module)] = origin
    return found


def title(module: str) -> str:
    """A module's name; of one in a folder that was named, `folder/file.py`."""
    package, _, stem = module.rpartition(".")
    owner = sys.modules.get(package)
    if package.startswith("components_") and getattr(owner, "__file__", None) is None:
        return f"{Path(owner.__path__[0]).name}/{stem}.py" if owner else module
    return module


def modules(choice: Chosen) -> Iterator[str]:
    """The modules outside exp of a component and those nested in it."""
    if not choice.component.packaged:
        yield from choice.component.modules
    for value in choice.params.values():
        if isinstance(value, Chosen):
            yield from modules(value)


def source(module: str) -> str | None:
    """sha256 of the file that a module was imported from; None where it has none to be read."""
    file: Any = getattr(sys.modules.get(module), "__file__", None)
    try:
        return digest_of(file, os.stat(file).st_mtime_ns) if file else None
    except OSError:
        return None


@lru_cache
def digest_of(file: str, changed: int) -> str:
    """sha256 of a file: a sweep asks once, not for each run, unless the file has changed."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()

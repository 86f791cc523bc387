"""Hydra's loader of configs, which lets through only what is safe to go on with."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.core_plugins.importlib_resources_config_source import (
    ImportlibResourcesConfigSource,
)
from hydra._internal.defaults_list import Overrides
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import GroupDefault, ResultDefault
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, MissingConfigException
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf, open_dict

from exp.config import suggestions, trust
from exp.config.registered_options import Repository
from exp.config.replaced_options import Replaced
from exp.registry import entry_points
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault, shown
from exp.util.untrusted import first_line, read, scan

PACKAGES = ("pkg://exp.conf", "pkg://hydra.conf")


class GuardedLoader(ConfigLoaderImpl):  # type: ignore[misc]
    """Every config that Hydra composes for exp comes through here, before anything is done with it.

    Args:
        trusted: `--trust-config` was given: nothing is looked at.

    Attributes:
        left_out: of the config that was composed last, a line for each option that was replaced
            and what presets gave to it.

    All methods raise `ConfigError` with what is not let through.
    """

    def __init__(self, search_path: ConfigSearchPath, *, trusted: bool) -> None:
        with checked_files():
            super().__init__(config_search_path=search_path)
            self.repository = Repository(search_path)
        self.trusted, self.extended = trusted, False
        self.left_out: list[str] = []
        self._given: frozenset[str] = frozenset()
        self._replaced: Replaced | None = None

    def load_configuration(self, *args: Any, **kwargs: Any) -> DictConfig:
        config = self._found(*args, **kwargs)
        if not self.trusted:
            trust.check(config)
        return config

    def _found(self, *args: Any, **kwargs: Any) -> DictConfig:
        """Composed with as much of installed packages as it takes. Looking for their files takes
        longer than composing, and importing them takes longer still.

        Raises:
            PluginError: an option is not found in any file, and a package cannot be imported.
        """
        while True:
            try:
                return super().load_configuration(*args, **kwargs)  # type: ignore[no-any-return]
            except HydraException as error:
                failed = error
            # Not while that is handled: a package's own error would be told as its consequence.
            missing = isinstance(failed, MissingConfigException)
            if not (self.extend() or (missing and entry_points.load())):
                raise failed

    def extend(self) -> bool:
        """Lets the option files of installed packages join, behind all others.

        Returns:
            Whether there are any that had not joined before.
        """
        if self.extended:
            return False
        self.extended = True
        known = self.config_search_path.get_path()
        folders = [(entry.package, entry.folder()) for entry in entry_points.found()]
        new = [(package, f"file://{folder}") for package, folder in folders if folder is not None]
        for package, place in new:
            if all(part.path != place for part in known):
                # In front of the last one, in which Hydra looks for schemas only.
                self.config_search_path.prepend(f"package {package}", place, anchor="schema")
        with checked_files():
            self.repository = Repository(self.config_search_path)
        return bool(new)

    def get_group_options(
        self,
        group_name: str,
        results_filter: Any = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        """Hydra copies every source for each question: `--help` asks a hundred of them."""
        if overrides:
            return super().get_group_options(group_name, results_filter, config_name, overrides)  # type: ignore[no-any-return]
        return self.repository.get_group_options(group_name, results_filter)

    def load_sweep_config(self, *args: Any, **kwargs: Any) -> DictConfig:
        """The config of one run, whose directory must lie within that of the sweep."""
        config: DictConfig = super().load_sweep_config(*args, **kwargs)
        job = config.hydra.job
        before = [job._get_node(key)._value() for key in ("id", "num")]
        with open_dict(config.hydra):
            job.id, job.num = "0", 0
        subdir = trust.value(config.hydra, "sweep", "subdir")
        with open_dict(config.hydra):
            job.id, job.num = before
        fault = trust.subdir_fault(str(subdir)) if subdir is not None else None
        if fault is not None:
            raise ConfigError([fault])
        return config

    def _parse_overrides_and_create_caching_repo(self, *args: Any, **kwargs: Any) -> Any:
        parsed, repo = super()._parse_overrides_and_create_caching_repo(*args, **kwargs)
        self._given = frozenset(override.key_or_group for override in parsed)
        return parsed, repo

    def _compose_config_from_defaults_list(self, defaults: Any, repo: Any) -> DictConfig:
        """The files of a config, without what presets give to options that were replaced."""
        one_option_each(defaults)
        self._replaced = Replaced(defaults, repo, self._given)
        try:
            return super()._compose_config_from_defaults_list(self._replaced.kept, repo)  # type: ignore[no-any-return]
        finally:
            self.left_out, self._replaced = self._replaced.lines, None

    def _load_single_config(self, default: Any, repo: Any) -> ConfigResult:
        loaded = super()._load_single_config(default, repo)
        return self._replaced.without(default, loaded) if self._replaced else loaded

    def _process_config_searchpath(self, config_name: Any, parsed: Any, repo: Any) -> None:
        """Looks at the packages that would be imported as places of configs, before Hydra does."""
        if not self.trusted:
            primary = repo.load_config(config_path=config_name) if config_name else None
            places = OmegaConf.select(primary.config, "hydra.searchpath") if primary else None
            given = [o.value() for o in parsed if o.get_key_element() == "hydra.searchpath"]
            for found in [places, *given]:
                listed = found if OmegaConf.is_list(found) or isinstance(found, list) else []
                for place in listed:
                    if str(place).strip().startswith("pkg:") and place not in PACKAGES:
                        what = f"{shown(place)} would be imported: {trust.TRUST}"
                        raise ConfigError([Fault("hydra.searchpath", what)])
        with checked_files():
            super()._process_config_searchpath(config_name, parsed, repo)


def one_option_each(defaults: Iterable[ResultDefault]) -> None:
    """
    Raises:
        ConfigError: a file chooses several options of a group, which Hydra would merge into one.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for each in defaults:
        group, _, option = str(each.config_path).rpartition("/")
        parent = str(each.parent)
        inherited = parent.rpartition("/")[0] == group  # an option that builds on others
        if group in register.kinds and group not in suggestions.SEVERAL and not inherited:
            options = found.setdefault((parent, group, str(each.package)), [])
            options += [] if option in options else [option]
    faults = [
        Fault(group, suggestions.several(group, options))
        for (_, group, _), options in found.items()
        if len(options) > 1
    ]
    if faults:
        raise ConfigError(faults)


def add_override(self: Overrides, parent_config_path: str, default: GroupDefault) -> None:
    """Lets a preset choose a launcher, a sweeper and so on: the primary config, which Hydra would
    have win, says only what they are otherwise."""
    key = default.get_override_key()
    known = self.override_metadata.get(key)
    primary = known and not known.external_override and known.containing_config_path
    if (
        primary
        and "/" not in primary
        and key.startswith("hydra/")
        and parent_config_path != primary
    ):
        del self.override_choices[key], self.override_metadata[key]
    _add_override(self, parent_config_path, default)


_add_override = Overrides.add_override
Overrides.add_override = add_override


class CheckedFiles(FileConfigSource):  # type: ignore[misc]
    """Config files of a directory, bounded in size, depth and aliases."""

    def load_config(self, config_path: str) -> ConfigResult:
        place = Path(self.path, self._normalize_file_name(config_path))
        if place.exists():
            try:
                scan(read(place))
            except ValueError as error:
                raise ConfigError([Fault(config_path, f"{place}: {error}")]) from None
        try:
            return super().load_config(config_path)
        except yaml.YAMLError as error:
            raise ConfigError([Fault(config_path, f"{place}: {first_line(error)}")]) from None


class PackagedFiles(ImportlibResourcesConfigSource):  # type: ignore[misc]
    """Config files of a package. A sweep, a search or a notebook composes again and again; a file
    that was asked for before is parsed once more and then kept for as long as it is the same."""

    kept: ClassVar[dict[tuple[str, str, str], tuple[float, ConfigResult | None]]] = {}

    def load_config(self, config_path: str) -> ConfigResult:
        place = resources.files(self.path).joinpath(self._normalize_file_name(config_path))
        if not isinstance(place, Path) or not place.exists():
            return super().load_config(config_path)
        key, written = (self.provider, self.path, config_path), place.stat().st_mtime
        known = self.kept.get(key)
        if known is None or known[0] != written:
            self.kept[key] = written, None  # most command lines never ask again
            return super().load_config(config_path)
        if known[1] is None:
            known = self.kept[key] = written, super().load_config(config_path)
        return copy.deepcopy(known[1])


@contextmanager
def checked_files() -> Iterator[None]:
    """Within this, Hydra makes our own of the places of a search path."""
    kinds = SourcesRegistry.instance().types
    Plugins.instance()  # it is what registers Hydra's own kinds
    ours = {kind.scheme(): kind for kind in (CheckedFiles, PackagedFiles)}
    before = {scheme: kinds[scheme] for scheme in ours}
    kinds.update(ours)
    try:
        yield
    finally:
        kinds.update(before)

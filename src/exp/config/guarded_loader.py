"""Hydra's loader of configs, which lets through only what is safe to go on with."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any, ClassVar

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.default_element import GroupDefault, ResultDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf

from exp.config import suggestions, trust
from exp.config.hydra_internal import ConfigLoaderImpl, Overrides
from exp.config.registered_options import Repository
from exp.config.replaced_options import Replaced
from exp.registry import entry_points
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault, shown

PACKAGES = ("pkg://exp.conf", "pkg://hydra.conf")
STORED = frozenset({"hydra", "_dummy_empty_config_.yaml"})
"""What Hydra itself and its plugins register in its store of schemas."""


class GuardedLoader(ConfigLoaderImpl):  # type: ignore[misc]
    """Every config that Hydra composes for exp comes through here, before anything is done with it.

    Args:
        trusted: `--trust-config` was given: nothing is looked at.

    Attributes:
        left_out: of the config that was composed last, a line for each option that was replaced
            and what presets gave to it.

    All methods raise `ConfigError` with what is not let through.
    """

    merged: ClassVar[dict[object, bytes]] = {}
    """Packaged files that have been merged, as a pickled config: merging takes half the time of
    composing, and the next command line often differs in its values only."""

    def __init__(self, search_path: ConfigSearchPath, *, trusted: bool) -> None:
        super().__init__(config_search_path=search_path)
        self.repository = Repository(search_path)
        self.trusted, self.extended = trusted, False
        self.left_out: list[str] = []
        self._typed: frozenset[str] = frozenset()

    def load_configuration(
        self, config_name: str | None, overrides: list[str], *args: Any, **kwargs: Any
    ) -> DictConfig:
        self._typed = frozenset(
            word.lstrip("+~").partition("=")[0].partition("@")[0] for word in overrides
        )
        if not self.trusted:
            self._check_search_path(config_name, overrides)
        config = self._composed(config_name, overrides, *args, **kwargs)
        if not self.trusted:
            trust.check(config)
        return config

    def _composed(self, *args: Any, **kwargs: Any) -> DictConfig:
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
            # Not while that is handled: a package's own error would seem its consequence.
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
        self.repository = Repository(self.config_search_path)
        return bool(new)

    def load_sweep_config(self, *args: Any, **kwargs: Any) -> DictConfig:
        """The config of one run, whose directory must lie within that of the sweep."""
        config: DictConfig = super().load_sweep_config(*args, **kwargs)
        job = config.hydra.job
        job.id, job.num = "0", 0
        subdir = trust.value(config.hydra, "sweep", "subdir")
        job.id, job.num = "???", "???"  # as Hydra has it: missing
        fault = trust.subdir_fault(str(subdir)) if subdir is not None else None
        if fault is not None:
            raise ConfigError([fault])
        return config

    def _compose_config_from_defaults_list(self, defaults: Any, repo: Any) -> DictConfig:
        """The files of a config, without what presets give to options that were replaced."""
        one_option_each(defaults)
        replaced = Replaced(defaults, repo, self._typed)
        key = merged_key(replaced)
        if key in self.merged:
            self.left_out = []
            config: DictConfig = pickle.loads(self.merged[key])
            return config
        try:
            config = super()._compose_config_from_defaults_list(replaced.kept, replaced)
        finally:
            self.left_out = replaced.lines
        if key is not None and not replaced.lines:
            self.merged[key] = pickle.dumps(config)
        return config

    def _check_search_path(self, config_name: str | None, overrides: list[str]) -> None:
        """Looks at the packages that would be imported as places of configs, before Hydra does."""
        primary = self.repository.load_config(config_path=config_name) if config_name else None
        places = [OmegaConf.select(primary.config, "hydra.searchpath")] if primary else []
        given = [word for word in overrides if "hydra.searchpath" in word.partition("=")[0]]
        places += [each.value() for each in OverridesParser.create().parse_overrides(given)]
        for listed in places:
            for place in listed if OmegaConf.is_list(listed) or isinstance(listed, list) else ():
                if str(place).strip().startswith("pkg:") and place not in PACKAGES:
                    what = f"{shown(place)} would be imported: {trust.TRUST}"
                    raise ConfigError([Fault("hydra.searchpath", what)])


def merged_key(replaced: Replaced) -> object:
    """What a merged config depends on: its files, and where each is put. None if that is not all:
    files of an application may change, its schemas are merged too, and presets may lose values."""
    if not STORED.issuperset(ConfigStore.instance().repo) or replaced.nested:
        return None
    for each in replaced.defaults:
        loaded = replaced.repo.load_config(config_path=str(each.config_path))
        if loaded is None or loaded.path not in ("structured://", *PACKAGES):
            return None
    return tuple(
        (each.config_path, each.package, each.override_key, each.primary)
        for each in replaced.defaults
    )


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

"""Registered components as options of their groups, where no file makes them one.

A signature with its defaults says all that an option file would say. So a component of one's own
needs no file: Hydra is offered its name and defaults, behind every file that there is.
"""

from __future__ import annotations

import copy
import inspect
import pickle
from pathlib import Path
from typing import Any, ClassVar

import yaml
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import OmegaConf

from exp.config.hydra_internal import ConfigRepository
from exp.registry import kinds
from exp.registry.component import Chosen, Component
from exp.registry.parameter_schema import config_parameters
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault
from exp.util.untrusted import first_line, read, scan

PACKAGES = {"activation": "model.activation", "logger": "logger.{}"}
"""Where the options of a group go in the config, if not to the group's own key."""
LEFT_TO_THE_SCHEMA = object()


class Registered(ConfigSource):  # type: ignore[misc]
    """The components that are registered at the moment, exp's own left out: they have files."""

    @staticmethod
    def scheme() -> str:
        return "registered"

    def available(self) -> bool:
        return True

    def load_config(self, config_path: str) -> ConfigResult:
        found = component(config_path)
        if found is None:
            raise ConfigLoadError(f"{config_path} is not registered")
        package = PACKAGES.get(found.kind.name)
        return ConfigResult(
            provider=self.provider,
            path=self.full_path(),
            config=OmegaConf.create(values(found)),
            header={"package": package.format(found.name) if package else None},
        )

    def is_group(self, config_path: str) -> bool:
        return bool(names(config_path.rstrip("/")))

    def is_config(self, config_path: str) -> bool:
        return component(config_path) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        if config_path == "":
            groups = results_filter is not ObjectType.CONFIG
            return sorted(group for group in register.kinds if groups and names(group))
        return names(config_path) if results_filter is not ObjectType.GROUP else []


class Repository(ConfigRepository):  # type: ignore[misc]
    """Hydra's places of configs, with the registered components behind all files.

    Files of a directory are bounded in size, depth and aliases; those of a package are parsed once.
    """

    packaged: ClassVar[dict[tuple[str, str], bytes]] = {}
    """Pickled, since `pickle.loads` copies a config in a fifth of `copy.deepcopy`'s time."""

    def __deepcopy__(self, _: object) -> Repository:
        return copy.copy(self)  # Hydra gives the copy other places; nothing else in it changes

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        super().initialize_sources(config_search_path)
        # The last one is where Hydra looks for schemas.
        self.sources.insert(-1, Registered("registered", "registered://"))

    def get_group_options(
        self, group_name: str, results_filter: ObjectType | None = ObjectType.CONFIG
    ) -> list[str]:
        """The options of a group; none of a name that is too long for a file."""
        try:
            return list(super().get_group_options(group_name, results_filter))
        except OSError:
            return []

    def load_config(self, config_path: str) -> ConfigResult | None:
        """What a file says, and of an option the keys that all of its kind have: they need not
        stand in each file."""
        found = self._file(config_path)
        group, _, _ = config_path.rpartition("/")
        kind = register.kinds.get(group)
        common = kind.common if kind else None
        # Those that are known before any component is imported, so that it is always the same; an
        # option that builds on another one has them from there.
        known = common is not None and common.__module__ == kinds.__name__
        if not known or found is None or found.defaults_list or not is_plain(found):
            return found
        assert common is not None
        for key, parameter in config_parameters(common).items():
            if key not in found.config.keys():  # noqa: SIM118 - a missing value is there
                found.config[key] = plain(parameter.default)
        return found

    def _file(self, config_path: str) -> ConfigResult | None:
        """
        Raises:
            ConfigError: the file is too large, too deep, or no YAML.
        """
        source = next((each for each in self.sources if each.is_config(config_path)), None)
        key = (source.path, config_path) if source else ("", config_path)
        if key in self.packaged:
            parsed: ConfigResult = pickle.loads(self.packaged[key])
            return parsed
        name = config_path if config_path.endswith((".yaml", ".yml")) else f"{config_path}.yaml"
        try:
            if source is not None and source.scheme() == "file":
                scan(read(Path(source.path, name)))
            found: ConfigResult | None = super().load_config(config_path)
        except (yaml.YAMLError, ValueError) as error:
            place = Path(source.path, name) if source else config_path
            reason = first_line(error) if isinstance(error, yaml.YAMLError) else str(error)
            raise ConfigError([Fault(config_path, f"{place}: {reason}")]) from None
        if source is not None and source.scheme() == "pkg" and found is not None:
            self.packaged[key] = pickle.dumps(found)
        return found


def is_plain(found: ConfigResult) -> bool:
    """Whether a file holds the keys of its group, and not those of another place."""
    return OmegaConf.is_dict(found.config) and found.header.get("package") is None


def names(group: str) -> list[str]:
    """The components of a group that are not exp's; nothing is imported to know them."""
    kind = None if group == "metric" else register.kinds.get(group)  # no part of a config
    known = kind.components.items() if kind else ()
    return sorted(name for name, each in known if not each.packaged)


def component(config_path: str) -> Component | None:
    """What `group/name` or `group/name.yaml` is, if it is one of them."""
    group, _, name = config_path.removesuffix(".yaml").rpartition("/")
    return register.kinds[group].components[name] if name in names(group) else None


def values(found: Component) -> dict[str, Any]:
    """What an option file of a component would hold; `???` for a parameter without default."""
    written = {key: plain(each.default) for key, each in found.parameters.items()}
    kept = {key: value for key, value in written.items() if value is not LEFT_TO_THE_SCHEMA}
    return {"name": found.name, **kept}


def plain(default: Any) -> Any:
    """A default as YAML has it.

    Returns:
        `LEFT_TO_THE_SCHEMA` where YAML has no such value, or another meaning for it: validation
        fills in the default itself.
    """
    if default is inspect.Parameter.empty:
        return "???"
    if isinstance(default, Chosen):
        return plain(default.as_dict())
    if isinstance(default, str):
        return LEFT_TO_THE_SCHEMA if "${" in default or default == "???" else str(default)
    if default is None or type(default) in (bool, int, float):
        return default
    if type(default) is dict and all(type(key) is str for key in default):
        mapping = {key: plain(value) for key, value in default.items()}
        return LEFT_TO_THE_SCHEMA if LEFT_TO_THE_SCHEMA in mapping.values() else mapping
    if type(default) in (list, tuple):
        items = [plain(value) for value in default]
        return LEFT_TO_THE_SCHEMA if LEFT_TO_THE_SCHEMA in items else items
    return LEFT_TO_THE_SCHEMA

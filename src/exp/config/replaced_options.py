"""What presets give to an option that another has replaced.

A preset chooses SGD and gives it a learning rate of 1.0. `optimizer=adam` on the command line, or
in a preset that includes it, replaces SGD: the rate was meant for SGD and is left out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.default_element import ConfigDefault, GroupDefault, ResultDefault
from hydra.plugins.config_source import ConfigResult
from omegaconf import open_dict

from exp.config.unresolved import unresolved, value_at

Options = frozenset[str]


@dataclass
class Replaced:
    """The presets of a config, and which of their choices were replaced; for Hydra a repository.

    Args:
        defaults: the files that Hydra composes, in their order.
        repo: where Hydra reads them.
        given: groups of which the command line names an option.

    Attributes:
        kept: the files that are composed: without options that stand inside of replaced ones.
        lines: what is left out, a sentence for each preset and option.
    """

    defaults: Sequence[ResultDefault]
    repo: Any
    given: frozenset[str]
    lines: list[str] = field(default_factory=list)
    chosen: dict[str, set[str]] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    views: dict[str, dict[str, Options]] = field(default_factory=dict)
    nested: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for default in self.defaults:
            group, _, option = str(default.config_path).rpartition("/")
            self.places[str(default.config_path)] = default.package or ""
            if "@" not in str(default.override_key):
                self.chosen.setdefault(group, set()).add(option)
                self.packages.setdefault(group, default.package or "")
        inside = {path: list(self._inside(path)) for path in self._presets()}
        for path, paths in inside.items():
            for each in paths:
                self.nested.setdefault(each, []).append(path)
        self.kept = [each for each in self.defaults if str(each.config_path) not in self.nested]

    def get_schema_source(self) -> Any:
        """Of Hydra's repositories: where schemas are."""
        return self.repo.get_schema_source()

    def load_config(self, config_path: str) -> ConfigResult | None:
        """Of Hydra's repositories: a file, without what it gives to options that were replaced."""
        loaded: ConfigResult | None = self.repo.load_config(config_path=config_path)
        path = config_path
        if loaded is None or path not in self._presets():
            return loaded
        config = copy.deepcopy(loaded.config)
        for group, options in self._replaced(path):
            named = [f"{group}={option}" for option in sorted(options)]
            left = list(taken_out(config, self.packages[group], inside=self.places[path]))
            choices = [each for each, paths in self.nested.items() if path in paths]
            left += [
                each.replace("/", "=")
                for each in choices
                if self.packages[each.rpartition("/")[0]].startswith(f"{self.packages[group]}.")
            ]
            if left:
                now = ", ".join(f"{group}={option}" for option in sorted(self.chosen[group]))
                verb = "is" if len(left) == 1 else "are"
                self.lines.append(
                    f"{path.replace('/', '=')}: {', '.join(left)} {verb} for {' '.join(named)} "
                    f"and left out with {now}"
                )
        other = copy.copy(loaded)
        other.config = config
        return other

    def _presets(self) -> list[str]:
        """Files that choose options of groups other than their own."""
        paths = (str(each.config_path) for each in self.defaults if not each.primary)
        return [path for path in dict.fromkeys(paths) if self._view(path)]

    def _replaced(self, path: str) -> Iterator[tuple[str, Options]]:
        """Groups of which a preset has chosen an option, and the config has another."""
        for group, options in self._view(path).items():
            if group in self.chosen and options.isdisjoint(self.chosen[group]):
                yield group, options

    def _inside(self, path: str) -> Iterator[str]:
        """Options that a preset has chosen for a part of an option that was replaced, such as the
        activation of a model."""
        outer = [self.packages[group] for group, _ in self._replaced(path)]
        for group, options in self._view(path).items():
            package = self.packages.get(group, "")
            if group not in self.given and any(package.startswith(f"{each}.") for each in outer):
                yield from (f"{group}/{option}" for option in options & self.chosen[group])

    def _view(self, path: str) -> dict[str, Options]:
        """The options that a file chooses, by itself or in a file that it includes."""
        if path not in self.views:
            self.views[path] = {}  # a file that includes itself
            self.views[path] = dict(self._declared(path))
        return self.views[path]

    def _declared(self, path: str) -> Iterator[tuple[str, Options]]:
        loaded = self.repo.load_config(config_path=path) if path != "_dummy_" else None
        folder = path.rpartition("/")[0]
        own: list[tuple[str, Options]] = []
        for each in (loaded and loaded.defaults_list) or ():
            if isinstance(each, ConfigDefault) and not each.is_self():
                yield from self._view(absolute(str(each.path), folder)).items()
            elif isinstance(each, GroupDefault) and not each.is_self():
                group = absolute(str(each.group), folder)
                values = each.value if isinstance(each.value, list) else [each.value]
                options = frozenset(str(value) for value in values if value is not None)
                if group == folder:
                    for option in options:
                        yield from self._view(f"{group}/{option}").items()
                elif options and not group.startswith("hydra/"):
                    own.append((group, options))
        yield from own


def absolute(path: str, folder: str) -> str:
    """A path in a defaults list from the root of all configs."""
    if path.startswith("/"):
        return path[1:]
    return f"{folder}/{path}" if folder else path


def taken_out(config: Any, package: str, *, inside: str = "") -> Iterable[str]:
    """Takes all values of a package out of a config; yields them as they are written.

    Args:
        inside: the package of the config itself.
    """
    if inside and not package.startswith(f"{inside}."):
        return
    *above, last = package.removeprefix(f"{inside}.").split(".")
    written = unresolved(config)
    for key in above:
        written = written.get(key) if isinstance(written, dict) else None
    if not isinstance(written, dict) or last not in written:
        return
    yield from leaves(written[last], package)
    node = value_at(config, tuple(above))
    with open_dict(node):
        del node[last]


def leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from leaves(below, f"{path}.{key}")
    else:
        text = value if isinstance(value, str) else repr(value).replace(" ", "")
        yield f"{path}={text}"

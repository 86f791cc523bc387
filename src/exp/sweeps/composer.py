"""Composing the runs of a sweep: Hydra once for each choice of groups, values by themselves.

Hydra takes 0.1 s for a config. The runs of a sweep mostly differ in values: those are set on one
composed config, which is put back as it was for the next run. What Hydra makes of an override that
adds or deletes keys is left to Hydra.
"""

from __future__ import annotations

import copy
import json
import re
import secrets
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hydra._internal.config_loader_impl import get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from exp.compose import compose, group_names, one_line, resolved, value_fault, value_of, with_texts
from exp.environment import WRITTEN
from exp.errors import ConfigError, Fault
from exp.resolving import bounded
from exp.runs.texts import yaml_text
from exp.safety import subdir_fault
from exp.sweeps.grid import Words

FAILURES = (HydraException, OmegaConfBaseException, ValueError, RecursionError)
TASK, DIRNAME, ID, NUMBER, OUTPUT = MARKS = tuple(
    f"exp-{secrets.token_hex(8)}-{name}" for name in ("task", "dirname", "id", "number", "output")
)
"""Stand in the text of hydra.yaml for what differs from run to run."""


@dataclass(frozen=True)
class Composed:
    """The config of one run.

    Attributes:
        plain: resolved values by top-level key, Hydra's own node left out.
        subdir: of the run, within the sweep's directory.
        texts: the content of .hydra/config.yaml, in pieces that runs share.
        hydra: the content of .hydra/hydra.yaml, with the placeholders of this module.
        dirname: Hydra's override_dirname.
    """

    plain: dict[str, Any]
    subdir: str
    texts: tuple[str, ...]
    hydra: str
    dirname: str


def hydra_files(
    texts: tuple[str, ...], template: str, words: Words, *, number: int, dirname: str, output: str
) -> dict[str, str]:
    """The files of a run's .hydra folder, by name."""
    values = dict(zip(MARKS, (list(words), dirname, str(number), number, output), strict=True))
    filled = re.sub(
        "|".join(MARKS), lambda mark: json.dumps(values[mark[0]], ensure_ascii=False), template
    )
    overrides = yaml_text(list(words))
    return {"config.yaml": "".join(texts), "hydra.yaml": filled, "overrides.yaml": overrides}


class Base:
    """A composed config that runs with the same choice of groups share."""

    def __init__(self, loader: ConfigLoader, master: DictConfig, words: Words) -> None:
        try:
            self.config = loader.load_sweep_config(master, list(words))
        except FAILURES as error:
            fixed = OmegaConf.to_container(master.hydra.overrides.hydra)
            assert isinstance(fixed, list)
            name = str(master.hydra.job.config_name)
            _, faults = compose(loader, name, [*fixed, *words], RunMode.RUN)
            raise ConfigError(faults or [Fault(name, one_line(error))]) from None
        with open_dict(self.config):
            self.config.hydra.mode = RunMode.MULTIRUN
        # `${hydra:...}` looks at the config that Hydra holds to be the current one.
        HydraConfig.instance().cfg = self.config
        keys = [str(key) for key in self.config if key != "hydra"]
        raw = {key: container(self.config, key) for key in keys}
        self.texts = {key: yaml_text({key: value}) for key, value in raw.items()}
        live = {key: text for key, text in self.texts.items() if "${" in text}
        self.reads = {key: read_by(text, live) for key, text in live.items()}
        self.plain = resolved(self.config, [])
        self.template = self._template()

    def _template(self) -> str:
        node = OmegaConf.to_container(self.config.hydra, resolve=False, enum_to_str=True)
        assert isinstance(node, dict)
        node["overrides"]["task"] = TASK
        node["job"] |= {"override_dirname": DIRNAME, "id": ID, "num": NUMBER}
        node["runtime"]["output_dir"] = OUTPUT
        return yaml_text({"hydra": node})

    def composed(self, number: int, words: Words, changes: Iterable[Override]) -> Composed:
        """This config with other values.

        Raises:
            ConfigError: with each value that cannot be set, and interpolations that lead nowhere.
        """
        config, changes = self.config, list(changes)
        touched = dict.fromkeys(change.key_or_group.split(".")[0] for change in changes)
        before = [
            self._before(change.key_or_group.split("."))
            for change in changes
            if change.key_or_group.split(".")[0] in config
        ]
        try:
            faults = [fault for change in changes if (fault := self._set(change)) is not None]
            if faults:
                raise ConfigError(faults)
            dirname, subdir = self._names(number, words)
            keys = [key for key in self.plain if key != WRITTEN]
            paths = [change.key_or_group for change in changes]
            again = [key for key in keys if key in touched or self._follows(key, paths)]
            plain = dict(self.plain)
            for key in again:
                plain[key] = value_of(config, key)
            plain = with_texts(config, plain)
            texts = [
                yaml_text({key: container(config, key)}) if key in touched else text
                for key, text in self.texts.items()
            ]
        finally:
            with open_dict(config):
                for parent, key, value in reversed(before):
                    parent[key] = value
        return Composed(plain, subdir, tuple(texts), self.template, dirname)

    def _follows(self, key: str, changed: Iterable[str]) -> bool:
        """Whether a key has another value once the values at these paths are others."""
        if key not in self.reads:
            return False
        read = self.reads[key]
        return read is None or any(meet(path, other) for path in changed for other in read)

    def _before(self, path: list[str]) -> tuple[Any, str, Any]:
        """What undoes a change of this value: where to set what to which value."""
        node: Any = self.config
        for key in path:
            parent = node
            if not OmegaConf.is_dict(parent) or key not in parent.keys():  # noqa: SIM118
                break  # a key that is there may still not be `in`: its value may be missing
            node = parent._get_node(key)
        else:
            if not OmegaConf.is_config(node):
                return parent, path[-1], node._value()
        # Setting it changes more than one value, or fails.
        return self.config, path[0], copy.deepcopy(self.config._get_node(path[0]))

    def _set(self, change: Override) -> Fault | None:
        key = change.key_or_group
        try:
            OmegaConf.update(self.config, key, change.value(), merge=True)
        except FAILURES as error:
            return value_fault(self.config, change) or Fault(key, one_line(error))
        return None

    @bounded()
    def _names(self, number: int, words: Words) -> tuple[str, str]:
        job = self.config.hydra.job
        options = job.config.override_dirname
        dirname = get_overrides_dirname(
            overrides=[parsed(word) for word in words],
            kv_sep=options.kv_sep,
            item_sep=options.item_sep,
            exclude_keys=options.exclude_keys,
        )
        with open_dict(self.config.hydra):
            job.override_dirname, job.id, job.num = dirname, str(number), number
        try:
            subdir = str(OmegaConf.select(self.config, "hydra.sweep.subdir"))
        except FAILURES as error:
            raise ConfigError([Fault("hydra.sweep.subdir", one_line(error))]) from None
        if (fault := subdir_fault(subdir)) is not None:
            raise ConfigError([fault])
        return dirname, subdir


class Composer:
    """Composes the runs of one sweep.

    Args:
        loader: Hydra's.
        master: the config of the sweep itself.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader, self.master = loader, master
        self.groups = set(group_names(loader))
        self.last: tuple[Words, Base] | None = None

    def all(
        self, runs: Iterable[tuple[int, Words]]
    ) -> Iterator[tuple[int, Words, Composed | ConfigError]]:
        """Every run, those with the same base together: one base is held at a time."""
        sharing: dict[Words, list[tuple[int, Words]]] = {}
        for number, words in runs:
            sharing.setdefault(self.base(words), []).append((number, words))
        held = HydraConfig.instance().cfg
        try:
            for key, members in sharing.items():
                yield from self._sharing(key, members)
        finally:
            HydraConfig.instance().cfg = held

    def _sharing(
        self, key: Words, members: list[tuple[int, Words]]
    ) -> Iterator[tuple[int, Words, Composed | ConfigError]]:
        try:
            base = self._base_of(key)
        except ConfigError as error:
            if members[0][1] != key and self._whole(members[0][1]):
                # What the base lacks, such as a seed that is `???`, the runs give.
                for number, words in members:
                    yield from self._sharing(words, [(number, words)])
            else:
                yield from ((number, words, error) for number, words in members)
            return
        apart = set(key)
        for number, words in members:
            changes = [parsed(word) for word in words if word not in apart]
            try:
                yield number, words, base.composed(number, words, changes)
            except ConfigError as error:
                yield number, words, error

    def _base_of(self, key: Words) -> Base:
        """The base of these words; the last one is kept, since a search asks for it again with
        every batch."""
        if self.last is None or self.last[0] != key:
            self.last = None  # two would be held else
            self.last = key, Base(self.loader, self.master, key)
        base = self.last[1]
        HydraConfig.instance().cfg = base.config  # what `${hydra:...}` looks at
        return base

    def _whole(self, words: Words) -> bool:
        """Whether Hydra can compose a run from all of its overrides."""
        try:
            Base(self.loader, self.master, words)
        except ConfigError:
            return False
        return True

    def base(self, words: Words) -> Words:
        """Those of a run's overrides that Hydra composes."""
        choices = tuple(w for w in words if parsed(w).key_or_group in self.groups)
        plain = all(mild(parsed(word), word in choices) for word in words)
        return choices if plain else words


def mild(override: Override, choice: bool) -> bool:
    """Whether an override chooses groups, or else sets one value that is there."""
    if choice:
        # A mapping given to a group sets values there, in its turn among the others.
        return not isinstance(override.value(), dict)
    adds = override.is_add() or override.is_force_add() or override.is_delete()
    return not override.package and not adds


@lru_cache(maxsize=100_000)
def parsed(word: str) -> Override:
    """An override of a run; parsing one takes Hydra a millisecond."""
    (override,) = OverridesParser.create().parse_overrides([word])
    return override


def read_by(text: str, live: Container[str]) -> set[str] | None:
    """The paths of all values that the interpolations of a text read; None where that cannot be
    told: of resolvers, relative and nested ones, those of values that are interpolated, and those
    of Hydra's own node."""
    found = re.findall(r"\$\{([A-Za-z_][\w.]*)\}", text)
    first = {path.split(".")[0] for path in found}
    # Hydra's own node holds what no change names: the number of the run, its overrides.
    plain = "hydra" not in first and not any(key in live for key in first)
    return set(found) if plain and len(found) == text.count("${") else None


def meet(path: str, other: str) -> bool:
    """Whether one of two paths is the other or leads to it."""
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")


def container(config: DictConfig, key: str) -> Any:
    """The value of a top-level key, interpolations as they are written."""
    node = config._get_node(key)
    if OmegaConf.is_config(node):
        return OmegaConf.to_container(node, resolve=False, enum_to_str=True)
    return node._value()  # type: ignore[union-attr]

"""A composed config that many runs of a sweep share, all but some values."""

from __future__ import annotations

import copy
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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

from exp.config import environment
from exp.config.compose import compose, one_line, resolved, slug, value_fault, value_of, with_texts
from exp.config.interpolation import bounded
from exp.config.trust import subdir_fault
from exp.sweeps.composed import DIRNAME, ID, NUMBER, OUTPUT, TASK, Composed
from exp.sweeps.grid import Words
from exp.util.errors import ConfigError, Fault
from exp.util.serialize import yaml_text

FAILURES = (HydraException, OmegaConfBaseException, ValueError, RecursionError, OSError)
JOB = {"hydra.job.num", "hydra.job.id", "hydra.job.override_dirname"}
"""What is set of Hydra's node for each run."""
MANY = 2_000
"""So many parts of configs are kept: the seeds of a sweep come again with every learning rate."""

Part = tuple[Any, str | None]
"""The value of a top-level key, and its text where that is another than before."""


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
        self.left_out = list(getattr(loader, "left_out", ()))
        if faults := list(set_for_all(loader, master, self.config, words)):
            raise ConfigError(faults)
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
        # Whether the name of a run's directory depends on no value of its config.
        self.named_by_job = named_by_job(self.config.hydra.sweep._get_node("subdir"))
        # Key and the changes that decide its value -> that value, and its text where they set it.
        self.known: dict[tuple[str, Words], Part] = {}

    def _template(self) -> str:
        node = OmegaConf.to_container(self.config.hydra, resolve=False, enum_to_str=True)
        assert isinstance(node, dict)
        node["overrides"]["task"] = TASK
        node["job"] |= {"override_dirname": DIRNAME, "id": ID, "num": NUMBER}
        node["runtime"]["output_dir"] = OUTPUT
        return yaml_text({"hydra": node})

    def composed(self, number: int, words: Words, changes: Sequence[Override]) -> Composed:
        """This config with other values.

        Args:
            words: the overrides of the run.
            changes: those of them that this config does not have.

        Raises:
            ConfigError: with each value that cannot be set, and interpolations that lead nowhere.
        """
        decided = self._decided(changes)
        if self.named_by_job and decided is not None and all(key in self.known for key in decided):
            dirname, subdir = self._names(number, words)
            found = {key[0]: self.known[key] for key in decided}
            plain = self.plain | values_of(found)
        else:
            with self._changed(changes):
                dirname, subdir = self._names(number, words)
                found = self._parts(changes)
                plain = with_texts(self.config, self.plain | values_of(found))
            if len(self.known) > MANY:
                self.known.clear()
            self.known |= {key: found[key[0]] for key in decided or () if key[0] in found}
        texts = self.texts | {key: text for key, (_, text) in found.items() if text is not None}
        return Composed(plain, subdir, tuple(texts.values()), self.template, dirname)

    def _decided(self, changes: Sequence[Override]) -> list[tuple[str, Words]] | None:
        """The keys whose values these changes decide, each with those that do; None where more than
        that might: resolvers, the environment, the number of the run."""
        read_at_will = any(read is None for read in self.reads.values())
        if read_at_will or environment.was_read():
            return None
        if any("$" in change.input_line or top(change) not in self.texts for change in changes):
            return None
        deciding = {
            key: tuple(
                str(change.input_line)
                for change in changes
                if key == top(change) or self._follows(key, [change])
            )
            for key in self.texts
        }
        return [(key, words) for key, words in deciding.items() if words]

    @contextmanager
    def _changed(self, changes: Sequence[Override]) -> Iterator[None]:
        """Within this the config has other values."""
        before = [
            self._before(change.key_or_group.split("."))
            for change in changes
            if top(change) in self.config
        ]
        try:
            faults = [fault for change in changes if (fault := self._set(change)) is not None]
            if faults:
                raise ConfigError(faults)
            yield
        finally:
            with open_dict(self.config):
                for parent, key, value in reversed(before):
                    parent[key] = value

    def _parts(self, changes: Sequence[Override]) -> dict[str, Part]:
        """Keys whose values may be others than before, in the config as it is changed."""
        touched = {top(change) for change in changes}
        again = [key for key in self.texts if key in touched or self._follows(key, changes)]
        return {
            key: (
                value_of(self.config, key),
                yaml_text({key: container(self.config, key)}) if key in touched else None,
            )
            for key in again
            if key in self.plain or not OmegaConf.is_missing(self.config, key)
        }

    def _follows(self, key: str, changes: Iterable[Override]) -> bool:
        """Whether a key may have another value once these are made."""
        if key not in self.reads:
            return False
        read = self.reads[key]
        return read is None or any(meet(c.key_or_group, path) for c in changes for path in read)

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
        values = {"override_dirname": dirname, "id": str(number), "num": number}
        for key, value in values.items():  # in a tenth of the time that attributes take
            job._get_node(key)._set_value(value)
        try:
            with environment.name_of_variable(self.config, slug):
                subdir = str(OmegaConf.select(self.config, "hydra.sweep.subdir"))
        except FAILURES as error:
            raise ConfigError([Fault("hydra.sweep.subdir", one_line(error))]) from None
        if (fault := subdir_fault(subdir)) is not None:
            raise ConfigError([fault])
        return dirname, subdir


def set_for_all(
    loader: ConfigLoader, master: DictConfig, config: DictConfig, words: Words
) -> Iterator[Fault]:
    """Settings of a sweep as a whole that the options of one of its runs would change."""
    paths = {"hydra.launcher": "hydra/launcher", "hydra.sweeper": "hydra/sweeper"}
    changed = [
        path for path in (*paths, "hydra.callbacks") if raw(master, path) != raw(config, path)
    ]
    # Those that the command line decides are looked for in the files of swept options.
    named = {word.lstrip("+").partition("=")[0] for word in list(master.hydra.overrides.hydra)[:-2]}
    for word in words:
        group, _, option = word.partition("=")
        if word in master.hydra.overrides.task or not re.fullmatch(r"[\w/]+=[\w.-]+", word):
            continue
        try:
            loaded = loader.repository.load_config(config_path=f"{group}/{option}")
        except FAILURES:
            continue
        if loaded is not None and loaded.header.get("package") == "_global_":
            for path in ("sweep", "run", "hydra.sweep.dir"):
                if raw(loaded.config, path) is not None and path not in named:
                    changed.append(path)
    for path in dict.fromkeys(changed):
        what = (
            "a swept option sets it, but it holds for the whole sweep: set it on the command line"
        )
        yield Fault(paths.get(path, path), what)


def raw(config: DictConfig, path: str) -> Any:
    """A node as it is written."""
    node: Any = config
    for key in path.split("."):
        node = node._get_node(key) if OmegaConf.is_dict(node) and key in node.keys() else None  # noqa: SIM118
    if OmegaConf.is_config(node):
        return OmegaConf.to_container(node, resolve=False)
    return None if node is None else node._value()


def values_of(parts: Mapping[str, Part]) -> dict[str, Any]:
    return {key: value for key, (value, _) in parts.items()}


def top(change: Override) -> str:
    """The top-level key below which something is changed."""
    return str(change.key_or_group).partition(".")[0]


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


def named_by_job(subdir: Any) -> bool:
    """Whether the directory of a run, as its interpolation is written, has its name from Hydra's
    `JOB` alone."""
    text = str(subdir._value())
    read = re.findall(r"\$\{([\w.]+)\}", text)
    return set(read) <= JOB and len(read) + text.count("${exp.slug:") == text.count("${")


def meet(path: str, other: str) -> bool:
    """Whether one of two paths is the other or leads to it."""
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")


def container(config: DictConfig, key: str) -> Any:
    """The value of a top-level key, interpolations as they are written."""
    node = config._get_node(key)
    if OmegaConf.is_config(node):
        return OmegaConf.to_container(node, resolve=False, enum_to_str=True)
    return node._value()  # type: ignore[union-attr]

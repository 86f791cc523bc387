"""Composing the runs of a sweep: Hydra once for each choice of options, values by themselves.

Hydra takes 80 ms for a config, and most runs of a sweep differ in values only. So each run gets a
copy of the config that Hydra has composed for its options, and its values are set there. Overrides
that add or delete keys are left to Hydra.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from exp.config import environment
from exp.config.compose import compose, group_names, resolved, slug, value_of
from exp.config.hydra_errors import BROKEN, one_line
from exp.config.interpolation import bounded
from exp.config.override_faults import value_fault
from exp.config.trust import subdir_fault
from exp.config.unresolved import unresolved, walk
from exp.sweeps.grid import Words, parsed
from exp.util.errors import ConfigError, Fault
from exp.util.serialize import yaml_text


@dataclass(frozen=True)
class Composed:
    """The config of one run.

    Attributes:
        plain: resolved values by top-level key, Hydra's own node left out.
        written: the same, interpolations as they are written.
        hydra: Hydra's own node, but for what differs from run to run.
        subdir: the directory of the run, within that of the sweep.
        dirname: Hydra's override_dirname.
    """

    plain: dict[str, Any]
    written: dict[str, Any]
    hydra: dict[str, Any]
    subdir: str
    dirname: str


def hydra_files(
    written: Mapping[str, Any],
    hydra: Mapping[str, Any],
    words: Words,
    *,
    number: int,
    dirname: str,
    output: str,
) -> dict[str, str]:
    """The files of a run's .hydra folder, by name: the same as Hydra would write."""
    node = {
        **hydra,
        "overrides": {**hydra["overrides"], "task": list(words)},
        "job": {**hydra["job"], "override_dirname": dirname, "id": str(number), "num": number},
        "runtime": {**hydra["runtime"], "output_dir": output},
    }
    return {
        "config.yaml": yaml_text(dict(written)),
        "hydra.yaml": yaml_text({"hydra": node}),
        "overrides.yaml": yaml_text(list(words)),
    }


class SharedConfig:
    """A config that runs with the same choice of options share.

    Args:
        words: the overrides that Hydra composes.

    Raises:
        ConfigError: it cannot be composed.
    """

    def __init__(self, loader: ConfigLoader, sweep_config: DictConfig, words: Words) -> None:
        try:
            self.config = loader.load_sweep_config(sweep_config, list(words))
        except BROKEN as error:
            fixed = list(sweep_config.hydra.overrides.hydra)
            name = str(sweep_config.hydra.job.config_name)
            _, faults = compose(loader, name, [*fixed, *words], RunMode.RUN)
            raise ConfigError(faults or [Fault(name, one_line(error))]) from None
        self.left_out = list(getattr(loader, "left_out", ()))
        if faults := list(sweep_settings(loader, sweep_config, self.config, words)):
            raise ConfigError(faults)
        self.config.hydra.mode = RunMode.MULTIRUN
        self.hydra: dict[str, Any] = unresolved(self.config.hydra)
        self.written = {k: v for k, v in unresolved(self.config).items() if k != "hydra"}
        # Keys without interpolations, which are the same in every run that does not set them.
        self.constant = {
            key: value_of(self.config, key)
            for key, value in self.written.items()
            if value != "???" and not any(interpolates(below) for _, below in walk(value))
        }
        # For a copy of each run: `copy.deepcopy` takes 8 ms, this 1.3.
        self.copied = pickle.dumps(self.config)

    def composed(self, number: int, words: Words, changes: Iterable[Override]) -> Composed:
        """This config with the values of one run.

        Args:
            words: the overrides of the run.
            changes: those of them that this config does not have.

        Raises:
            ConfigError: with each value that cannot be set, and interpolations that lead nowhere.
        """
        config = pickle.loads(self.copied)
        faults = [fault for change in changes if (fault := set_value(config, change)) is not None]
        if faults:
            raise ConfigError(faults)
        dirname = override_dirname(words, config.hydra.job.config.override_dirname)
        config.hydra.job.override_dirname = dirname
        config.hydra.job.id, config.hydra.job.num = str(number), number
        HydraConfig.instance().cfg = config  # what `${hydra:...}` looks at
        changed = {change.key_or_group.partition(".")[0] for change in changes}
        known = {key: value for key, value in self.constant.items() if key not in changed}
        plain = resolved(config, [], known)
        written = self.written | unresolved(OmegaConf.masked_copy(config, sorted(changed)))
        return Composed(plain, written, self.hydra, run_directory(config), dirname)


def interpolates(value: Any) -> bool:
    return isinstance(value, str) and "${" in value


def set_value(config: DictConfig, change: Override) -> Fault | None:
    try:
        OmegaConf.update(config, change.key_or_group, change.value(), merge=True)
    except BROKEN as error:
        return value_fault(config, change) or Fault(change.key_or_group, one_line(error))
    return None


@bounded()
def run_directory(config: DictConfig) -> str:
    """The directory of a run, within that of its sweep.

    Raises:
        ConfigError: it cannot be resolved, or would lie elsewhere.
    """
    try:
        with environment.name_of_variable(config, slug):
            subdir = str(OmegaConf.select(config, "hydra.sweep.subdir"))
    except BROKEN as error:
        raise ConfigError([Fault("hydra.sweep.subdir", one_line(error))]) from None
    if (fault := subdir_fault(subdir)) is not None:
        raise ConfigError([fault])
    return subdir


def override_dirname(words: Words, options: DictConfig) -> str:
    """What Hydra makes of overrides for `hydra.job.override_dirname`."""
    named = sorted(w for w in words if parsed(w).key_or_group not in options.exclude_keys)
    return str(options.item_sep).join(named).replace("=", str(options.kv_sep))


def sweep_settings(
    loader: ConfigLoader, sweep_config: DictConfig, config: DictConfig, words: Words
) -> Iterator[Fault]:
    """Settings of the whole sweep that the options of one of its runs would change."""
    before, after = unresolved(sweep_config.hydra), unresolved(config.hydra)
    changed = [
        f"hydra/{key}" if key != "callbacks" else "hydra.callbacks"
        for key in ("launcher", "sweeper", "callbacks")
        if before.get(key) != after.get(key)
    ]
    # A value of the command line wins over that of a file, whatever the file says.
    given = list(sweep_config.hydra.overrides.hydra)[:-2]  # the last two come from `fix_names`
    typed = {word.lstrip("+").partition("=")[0] for word in given}
    for word in words:
        group, _, option = word.partition("=")
        if word in sweep_config.hydra.overrides.task or not re.fullmatch(r"[\w/]+=[\w.-]+", word):
            continue
        try:
            loaded = loader.repository.load_config(config_path=f"{group}/{option}")
        except BROKEN:
            continue
        if loaded is not None and loaded.header.get("package") == "_global_":
            content = unresolved(loaded.config)
            places = {"sweep": content.get("sweep"), "run": content.get("run")}
            places["hydra.sweep.dir"] = (content.get("hydra", {}).get("sweep") or {}).get("dir")
            changed += [path for path, value in places.items() if value and path not in typed]
    what = (
        "a swept option sets this key, but the key applies to the whole sweep: set it on "
        "the command line"
    )
    yield from (Fault(path, what) for path in dict.fromkeys(changed))


class Composer:
    """Composes the runs of one sweep.

    Args:
        loader: Hydra's.
        sweep_config: the config of the sweep itself.
    """

    def __init__(self, loader: ConfigLoader, sweep_config: DictConfig) -> None:
        self.loader, self.sweep_config = loader, sweep_config
        self.groups = set(group_names(loader))
        self.last: tuple[Words, SharedConfig] | None = None
        self.left_out: dict[str, bool] = {}

    def all(
        self, runs: Iterable[tuple[int, Words]]
    ) -> Iterator[tuple[int, Words, Composed | ConfigError]]:
        """Every run, those with the same options together, so that one shared config is kept."""
        sharing: dict[Words, list[tuple[int, Words]]] = {}
        for number, words in runs:
            sharing.setdefault(self.composed_by_hydra(words), []).append((number, words))
        before = HydraConfig.instance().cfg
        try:
            for key, members in sharing.items():
                yield from self._sharing(key, members)
        finally:
            HydraConfig.instance().cfg = before

    def _sharing(
        self, key: Words, members: list[tuple[int, Words]]
    ) -> Iterator[tuple[int, Words, Composed | ConfigError]]:
        try:
            shared = self._shared(key)
        except ConfigError as error:
            if members[0][1] != key and self._whole(members[0][1]):
                # What the shared config lacks, such as a seed that is `???`, the runs give.
                for number, words in members:
                    yield from self._sharing(words, [(number, words)])
            else:
                yield from ((number, words, error) for number, words in members)
            return
        for number, words in members:
            changes = [parsed(word) for word in words if word not in key]
            try:
                yield number, words, shared.composed(number, words, changes)
            except ConfigError as error:
                yield number, words, error

    def _shared(self, key: Words) -> SharedConfig:
        """The shared config of these words; a search asks for the last one with every batch."""
        if self.last is None or self.last[0] != key:
            self.last = key, SharedConfig(self.loader, self.sweep_config, key)
            for line in self.last[1].left_out:
                self.left_out.setdefault(line, False)
        return self.last[1]

    def left_out_lines(self) -> list[str]:
        """What presets give to options that were replaced, each once."""
        new = [line for line, printed in self.left_out.items() if not printed]
        self.left_out |= dict.fromkeys(new, True)
        return new

    def _whole(self, words: Words) -> bool:
        """Whether Hydra can compose a run from all of its overrides."""
        try:
            SharedConfig(self.loader, self.sweep_config, words)
        except ConfigError:
            return False
        return True

    def composed_by_hydra(self, words: Words) -> Words:
        """Those of a run's overrides that Hydra composes."""
        choices = tuple(word for word in words if parsed(word).key_or_group in self.groups)
        simple = all(
            # A mapping given to a group sets values there, in its turn among the others.
            not isinstance(parsed(word).value(), dict) if word in choices else sets_a_value(word)
            for word in words
        )
        return choices if simple else words


def sets_a_value(word: str) -> bool:
    """Whether an override sets one value that is there."""
    override = parsed(word)
    adds = override.is_add() or override.is_force_add() or override.is_delete()
    return not override.package and not adds

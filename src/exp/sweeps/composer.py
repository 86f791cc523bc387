"""Composing the runs of a sweep: Hydra once for each choice of groups, values by themselves.

Hydra takes 0.1 s for a config. The runs of a sweep mostly differ in values: those are set on one
composed config, which is put back as it was for the next run. What Hydra makes of an override that
adds or deletes keys is left to Hydra.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from exp.config.compose import group_names
from exp.sweeps.composed import Composed
from exp.sweeps.grid import Words
from exp.sweeps.shared_config import Base, parsed
from exp.util.errors import ConfigError


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
        self.lines: dict[str, bool] = {}

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
            for line in self.last[1].left_out:
                self.lines.setdefault(line, False)
        base = self.last[1]
        HydraConfig.instance().cfg = base.config  # what `${hydra:...}` looks at
        return base

    def left_out(self) -> list[str]:
        """What presets give to options that were replaced, each once."""
        new = [line for line, said in self.lines.items() if not said]
        self.lines |= dict.fromkeys(new, True)
        return new

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

"""Which keys the options of a run have.

`-m dataset=moons,blobs dataset.noise=0.1,0.2` means both noises for the data set that has any. Each
run is judged by its own options: a key that only others have is left out of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from exp.config.compose import BROKEN, value_fault
from exp.registry.registry import register
from exp.sweeps.grid import Words, parsed, swept_keys
from exp.util.errors import ConfigError

if TYPE_CHECKING:
    from exp.sweeps.composer import Composer

Origin = Hashable
"""Where a word was written: a line of a file of runs, or None for the command line."""


class Applicable:
    """Leaves words out of a run whose options have no such key.

    Args:
        composer: of the sweep.
        runs: of which the options are compared; a key that none of them has is left to validation.
        lines: for each of them, the words that stand in a line of a file, and which line it is:
            only runs of that line are compared for them.
    """

    def __init__(
        self,
        composer: Composer,
        runs: Sequence[Words],
        lines: Sequence[tuple[Origin, Words]] = (),
    ) -> None:
        self.composer = composer
        self.missing: dict[Words, frozenset[str] | None] = {}
        self.left_out: dict[str, dict[str, None]] = {}
        varying = {key.lstrip("+").partition("@")[0] for key in swept_keys(runs)}
        self.needed = not varying.isdisjoint(composer.groups)
        self.had: set[tuple[Origin, str]] = set()
        for number, words in enumerate(runs if self.needed else ()):
            if (missing := self._missing(words)) is None:
                continue
            for word, origin in self._origins(words, lines[number] if lines else (None, ())):
                if (key := key_of(word)) is not None and key not in missing:
                    self.had.add((origin, key))

    def __call__(self, words: Words, line: tuple[Origin, Words] = (None, ())) -> Words:
        """The words of a run that apply to its options."""
        if not self.needed or not (missing := self._missing(words)):
            return words
        kept = []
        for word, origin in self._origins(words, line):
            key = key_of(word)
            if key in missing and (origin, key) in self.had:
                self.left_out.setdefault(str(key), {})[self._options(words, str(key))] = None
            else:
                kept.append(word)
        return tuple(kept)

    def told(self) -> Iterator[str]:
        """A line for each key that was left out of some runs."""
        for key, options in self.left_out.items():
            some = ", ".join(list(options)[:8]) + (", ..." if len(options) > 8 else "")
            yield f"{key} is left out of the runs whose options have no such key: {some}"

    @staticmethod
    def _origins(words: Words, line: tuple[Origin, Words]) -> Iterator[tuple[str, Origin]]:
        origin, own = line
        return ((word, origin if word in own else None) for word in words)

    def _choices(self, words: Words) -> Words:
        groups = self.composer.groups
        found = [word for word in words if parsed(word).key_or_group in groups]
        return tuple(word for word in found if not isinstance(parsed(word).value(), dict))

    def _options(self, words: Words, key: str) -> str:
        """The choice of a run that has not got a key, as it was written."""
        choices = self._choices(words)
        group = key.partition(".")[0]
        return " ".join([w for w in choices if parsed(w).key_or_group == group] or choices)

    def _missing(self, words: Words) -> frozenset[str] | None:
        """Keys of a run that its options have not got; None where they cannot be composed."""
        choices = self._choices(words)
        keys = {key for word in words if (key := key_of(word)) and key not in self.composer.groups}
        known = (*choices, *sorted(keys))
        if known not in self.missing:
            self.missing[known] = self._looked_up(choices, keys)
        return self.missing[known]

    def _looked_up(self, choices: Words, keys: set[str]) -> frozenset[str] | None:
        open_keys = {key for key in keys if not self._in_file(choices, key)}
        if not open_keys:
            return frozenset()
        try:
            config = self.composer.loader.load_sweep_config(
                self.composer.sweep_config, list(choices)
            )
        except (*BROKEN, ConfigError):
            return None  # validation says what is wrong with it
        return frozenset(key for key in open_keys if not has(config, key))

    def _in_file(self, choices: Words, key: str) -> bool:
        """Whether the file of the option that a run names has a key. Composing takes far longer."""
        group, _, rest = key.partition(".")
        chosen = [word for word in choices if word.partition("=")[0] == group]
        if not rest or len(chosen) != 1:
            return False
        try:
            path = f"{group}/{parsed(chosen[0]).value()}"
            found = self.composer.loader.repository.load_config(config_path=path)
            return found is not None and value_fault(found.config, parsed(f"{rest}=0")) is None
        except (*BROKEN, ConfigError):
            return False


def tell(lines: Iterable[str]) -> None:
    """Says what was left out."""
    for line in lines:
        print(line, flush=True)


@lru_cache(maxsize=100_000)
def key_of(word: str) -> str | None:
    """The key that a word sets; None where it adds, deletes or names a package."""
    change = parsed(word)
    adds = change.is_add() or change.is_force_add() or change.is_delete()
    return None if adds or change.package else str(change.key_or_group)


def has(config: DictConfig, key: str) -> bool:
    """Whether a config has a key, or its component would take it although no file names it."""
    if value_fault(config, parsed(f"{key}=0")) is None:
        return True
    group, _, rest = key.partition(".")
    try:
        name = OmegaConf.select(config, f"{group}.name")
    except OmegaConfBaseException:
        return True
    kind = register.kinds.get(group)
    if kind is None:
        return False
    kind.load()
    component = kind.components.get(str(name))
    return component is not None and rest.partition(".")[0] in component.parameters

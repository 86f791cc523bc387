"""Which keys the options of a run have.

`-m dataset=moons,blobs dataset.noise=0.1,0.2` means both noises for the data set that has any: a
key that only the options of other runs have is left out of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from exp.config.hydra_errors import BROKEN
from exp.config.override_faults import value_fault
from exp.registry.registry import register
from exp.sweeps.composer import Composer, sets_a_value
from exp.sweeps.grid import Words, parsed, swept_keys
from exp.util.errors import ConfigError

Line = tuple[int | None, Words]
"""A line of a file of runs: its number, and the words that it adds to a run. None: no such line."""
NO_LINE: Line = (None, ())


class Applicable:
    """Leaves words out of a run whose options have no such key.

    Args:
        composer: of the sweep.
        runs: of which the options are compared; a key that none of them has is left to validation.
        lines: of a file of runs, that of each run: a word of a line is compared within its line.
    """

    def __init__(
        self, composer: Composer, runs: Sequence[Words], lines: Sequence[Line] = ()
    ) -> None:
        self.composer = composer
        self.missing: dict[Words, frozenset[str] | None] = {}
        self.left_out: dict[str, dict[str, None]] = {}
        varying = {key.lstrip("+").partition("@")[0] for key in swept_keys(runs)}
        self.needed = not varying.isdisjoint(composer.groups)
        self.known: set[tuple[int | None, str]] = set()
        for number, words in enumerate(runs if self.needed else ()):
            if (missing := self._missing(words)) is None:
                continue
            line = lines[number] if lines else NO_LINE
            for word in words:
                if (key := key_of(word)) is not None and key not in missing:
                    self.known.add((line_of(word, line), key))

    def __call__(self, words: Words, line: Line = NO_LINE) -> Words:
        """The words of a run that apply to its options."""
        if not self.needed or not (missing := self._missing(words)):
            return words
        kept = []
        for word in words:
            key = key_of(word)
            if key in missing and (line_of(word, line), key) in self.known:
                self.left_out.setdefault(str(key), {})[self._options(words, str(key))] = None
            else:
                kept.append(word)
        return tuple(kept)

    def messages(self) -> Iterator[str]:
        """A line for each key that was left out of some runs."""
        for key, options in self.left_out.items():
            some = ", ".join(list(options)[:8]) + (", ..." if len(options) > 8 else "")
            yield f"{key} is left out of the runs whose options have no such key: {some}"

    def _choices(self, words: Words) -> Words:
        found = [word for word in words if parsed(word).key_or_group in self.composer.groups]
        return tuple(word for word in found if not isinstance(parsed(word).value(), dict))

    def _options(self, words: Words, key: str) -> str:
        """The choice of a run whose options have no such key, as it was written."""
        choices = self._choices(words)
        group = key.partition(".")[0]
        return " ".join([w for w in choices if parsed(w).key_or_group == group] or choices)

    def _missing(self, words: Words) -> frozenset[str] | None:
        """Keys of a run that its options have not got; None where they cannot be composed."""
        choices = self._choices(words)
        keys = {key for word in words if (key := key_of(word)) and key not in self.composer.groups}
        case = (*choices, *sorted(keys))
        if case not in self.missing:
            self.missing[case] = self._look_up(choices, keys)
        return self.missing[case]

    def _look_up(self, choices: Words, keys: set[str]) -> frozenset[str] | None:
        if not keys:
            return frozenset()
        composer = self.composer
        try:
            config = composer.loader.load_sweep_config(composer.sweep_config, list(choices))
        except (*BROKEN, ConfigError):
            return None  # validation says what is wrong with it
        return frozenset(key for key in keys if not takes(config, key))


def line_of(word: str, line: Line) -> int | None:
    """The number of the line that a word of a run comes from; None: from the command line."""
    return line[0] if word in line[1] else None


@lru_cache(maxsize=100_000)
def key_of(word: str) -> str | None:
    """The key that a word sets; None where it adds, deletes or names a package."""
    return str(parsed(word).key_or_group) if sets_a_value(word) else None


def takes(config: DictConfig, key: str) -> bool:
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

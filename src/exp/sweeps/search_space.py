"""The space of a search, in Hydra's syntax: choice, range, interval, lists, tags."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from exp.config.grammar import MOST, values_of
from exp.sweeps.grid import Words
from exp.util.errors import ConfigError, Fault, shown, unknown

SEEDS = ("seed", "seeds.data", "seeds.split", "seeds.init", "seeds.shuffle")
"""Keys that are not searched: a trial has a run for each of their values."""
TAGS = ("log",)
VALUES = 10_000
"""Values of one key that can be listed."""


@dataclass(frozen=True)
class Axis:
    """A key that is searched, and what its values may be: Optuna's distribution of them."""

    key: str
    distribution: BaseDistribution

    def word(self, value: Any) -> str:
        """The override that sets a value. Numbers have all their digits: a trial is repeatable."""
        return f"{self.key}={value if isinstance(value, str) else repr(value)}"

    @property
    def ends(self) -> list[Any]:
        """Every value that is listed, the two ends of a range of numbers."""
        choices = getattr(self.distribution, "choices", None)
        if choices is not None:
            return list(choices)
        low, high = self.distribution.low, self.distribution.high
        return list(dict.fromkeys([low, high]))

    @property
    def every(self) -> list[Any] | None:
        """All values, where they can be counted."""
        kind = self.distribution
        if getattr(kind, "choices", None) is not None:
            return list(kind.choices)
        if isinstance(kind.low, int):
            return list(range(kind.low, kind.high + 1, kind.step))
        return None


@dataclass(frozen=True)
class Space:
    """What is searched, and what all trials share.

    Attributes:
        axes: the keys that are searched.
        fixed: the overrides of every trial.
        repeats: what each run of a trial adds to its overrides: a seed, or nothing for one run.
        repeated: the overrides that name these seeds, as they were typed.
    """

    axes: tuple[Axis, ...]
    fixed: Words
    repeats: tuple[Words, ...] = ((),)
    repeated: Words = ()

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        return {axis.key: axis.distribution for axis in self.axes}

    def words(self, values: Mapping[str, Any]) -> Words:
        """The overrides of a trial."""
        return (*self.fixed, *(axis.word(values[axis.key]) for axis in self.axes))

    def corners(self) -> list[Words]:
        """Runs at the ends of the space: each end of each key, all other keys at their first."""
        first = {axis.key: axis.ends[0] for axis in self.axes}
        ends = [{**first, axis.key: end} for axis in self.axes for end in axis.ends]
        return list(dict.fromkeys(self.words(values) for values in ends))

    @property
    def size(self) -> int:
        """How many combinations there are; every axis can be counted."""
        count = 1
        for axis in self.axes:
            count *= len(axis.every or ())
        return count

    def combination(self, number: int) -> dict[str, Any]:
        """One of all combinations, the last key varying fastest."""
        found = {}
        for axis in reversed(self.axes):
            values = axis.every or []
            number, place = divmod(number, len(values))
            found[axis.key] = values[place]
        return {axis.key: found[axis.key] for axis in self.axes}


def space_of(overrides: Sequence[Override], *, grid: bool) -> Space:
    """The space that a command line names.

    Args:
        overrides: a key that is given twice counts once, with its last value.
        grid: whether every value has to be listed.

    Raises:
        ConfigError: nothing is searched, or a key cannot be.
    """
    given = {str(override.get_key_element()): override for override in overrides}
    axes, fixed, faults = [], [], []
    seeds: dict[str, list[str]] = {}
    for key, override in given.items():
        if not override.is_sweep_override():
            fixed.append(str(override.input_line))
            continue
        try:
            if key.lstrip("+~") in SEEDS:
                seeds[key] = seeds_of(override)
                continue
            axis = Axis(key, distribution(override))
            if grid and axis.every is None:
                wanted = "sampler=grid needs values that can be listed (a,b or range(a,b))"
                raise ValueError(f"{wanted}, found {shown(override.get_value_string())}")
            axes.append(axis)
        except ValueError as error:
            faults.append(Fault(key, str(error)))
    if not axes and not faults:
        wanted = "name what to search, such as 'optimizer.lr=tag(log,interval(0.001,1))'"
        faults.append(Fault("hydra/sweeper", f"nothing varies: {wanted}"))
    every = itertools.product(*([f"{key}={value}" for value in seeds[key]] for key in seeds))
    repeats = tuple(itertools.islice(every, VALUES))
    repeated = tuple(str(given[key].input_line) for key in seeds)
    space = Space(tuple(axes), tuple(fixed), repeats, repeated)
    if grid and not faults and space.size > MOST:
        faults.append(Fault("hydra.sweeper.sampler", f"that would be {space.size:,} trials"))
    if faults:
        raise ConfigError(faults)
    return space


def seeds_of(override: Override) -> list[str]:
    """The values of a seed, of which each trial has a run.

    Raises:
        ValueError: they cannot be listed.
    """
    if isinstance(override.value(), IntervalSweep):
        raise ValueError("a trial trains a run for each seed: list them, such as seed=range(0,5)")
    found = list(dict.fromkeys(itertools.islice(values_of(override), VALUES + 1)))
    if not 0 < len(found) <= VALUES:
        count = "none" if not found else f"more than {VALUES:,}"
        raise ValueError(f"expected 1 to {VALUES:,} values, found {count}")
    return found


def distribution(override: Override) -> BaseDistribution:
    """What an override lets a key be.

    Raises:
        ValueError: there is no such distribution.
    """
    value: Any = override.value()
    tags = sorted(getattr(value, "tags", ()))
    for tag in tags:
        if tag not in TAGS:
            raise ValueError(unknown("tag", tag, TAGS))
    log = "log" in tags
    if isinstance(value, IntervalSweep):
        assert value.start is not None
        assert value.end is not None
        return numbers(value.start, value.end, None, log=log)
    if isinstance(value, RangeSweep) and not value.shuffle:
        return numbers(*ends(value), log=log)
    if log:
        raise ValueError("the tag log needs numbers: interval(a,b) or range(a,b)")
    texts = list(dict.fromkeys(itertools.islice(values_of(override), VALUES + 1)))
    if not 0 < len(texts) <= VALUES:
        found = "none" if not texts else f"more than {VALUES:,}"
        raise ValueError(f"expected 1 to {VALUES:,} values, found {found}")
    return CategoricalDistribution(texts)


def ends(value: RangeSweep) -> tuple[Any, Any, Any]:
    """First and last value of a range, and its step; the stop is not among them, as in Python."""
    values = list(itertools.islice(iter(value.range()), MOST + 1))
    if not 0 < len(values) <= MOST:
        raise ValueError(f"expected 1 to {MOST:,} values, found {len(values):,}")
    low, high = min(values[0], values[-1]), max(values[0], values[-1])
    return low, high, abs(value.step)


def numbers(low: Any, high: Any, step: Any, *, log: bool) -> BaseDistribution:
    """Numbers from `low` to `high`, both included; integers if both are.

    Raises:
        ValueError: there are none, or no logarithm of them.
    """
    for end in (low, high):
        if end != end or end in (float("inf"), float("-inf")):
            raise ValueError(f"expected finite numbers, found {end}")
    if low > high or (low == high and step is None):
        raise ValueError(f"expected a first number below the second, found {low} and {high}")
    if log and low <= 0:
        raise ValueError(f"the tag log needs numbers above 0, found {low}")
    if isinstance(low, int) and isinstance(high, int):
        if log and step not in (None, 1):
            raise ValueError(f"the tag log needs steps of 1, found {step}")
        return IntDistribution(low, high, log=log, step=step or 1)
    if log and step is not None:
        raise ValueError("the tag log needs an interval, found a range with steps")
    return FloatDistribution(float(low), float(high), log=log, step=step and float(step))

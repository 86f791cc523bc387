"""Which runs a sweep has: Hydra's sweep syntax, keys that advance together, a file of runs."""

from __future__ import annotations

import itertools
import math
import shlex
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override

from exp.config.grammar import MOST, values_of
from exp.util.errors import ConfigError, DataError, Fault, nearest, shown
from exp.util.text_file import content

Words = tuple[str, ...]
"""The overrides of one run, as on a command line."""
Axis = tuple[str, list[Words]]
"""A key, and what each of its values adds to a run."""
Parse = Callable[[list[str]], list[Override]]


@lru_cache(maxsize=100_000)
def parsed(word: str) -> Override:
    """An override of a run: many runs have the same, and Hydra takes a millisecond for each."""
    (override,) = OverridesParser.create().parse_overrides([word])
    return override


def expand(
    overrides: Sequence[Override],
    *,
    linked: Sequence[Sequence[str]] = (),
    lines: Sequence[Words] = ((),),
) -> list[Words]:
    """Every run, the last key varying fastest.

    Args:
        overrides: of the command line; those that name several values are swept. A key that is
            given twice counts once, with its last value.
        linked: groups of swept keys whose values advance together.
        lines: overrides that come before; one run, or one grid, for each.

    Raises:
        ConfigError: keys that cannot be linked, intervals, more runs than `MOST`.
    """
    axes: dict[str, list[Words]] = {}
    for override in overrides:
        # A mapping given to a group sets values of the option that another word chooses.
        what = "{}" if is_mapping(override) else ""
        axes[str(override.get_key_element()) + what] = values(override)
    joined = link(axes, linked)
    count = math.prod([len(lines), *(len(points) for _, points in joined)])
    if count > MOST:
        raise ConfigError([Fault("sweep", f"that would be {count:,} runs; at most {MOST:,}")])
    points = [points for _, points in joined]
    return [tuple(itertools.chain(*parts)) for parts in itertools.product(lines, *points)]


def is_mapping(override: Override) -> bool:
    """Whether an override gives mappings, one or several."""
    value = override.value()
    given = value.list if isinstance(value, ChoiceSweep) else [value]
    return all(isinstance(each, dict) for each in given)


def values(override: Override) -> list[Words]:
    """What each value of an override adds to a run.

    Raises:
        ConfigError: its values cannot be listed.
    """
    key = str(override.get_key_element())
    if not override.is_sweep_override():
        return [(str(override.input_line),)]
    if not override.is_discrete_sweep():
        wanted = "expected values that can be listed (a,b or range(a,b)) for hydra/sweeper=grid"
        raise ConfigError([Fault(key, f"{wanted}, found {shown(override.get_value_string())}")])
    some = list(itertools.islice(values_of(override), MOST + 1))
    if len(some) > MOST or not some:
        found = f"more than {MOST:,}" if some else "none"
        raise ConfigError([Fault(key, f"expected 1 to {MOST:,} values, found {found}")])
    return [(f"{key}={value}",) for value in some]


def link(axes: dict[str, list[Words]], linked: Sequence[Sequence[str]]) -> list[Axis]:
    """The axes, those of each linked group merged into one at the place of its first.

    Raises:
        ConfigError: a key that is not swept, stands in two groups, or has another number of values.
    """
    swept = [key for key, points in axes.items() if len(points) > 1]
    faults: list[Fault] = []
    owner: dict[str, int] = {}
    for index, keys in enumerate(linked):
        for key in keys:
            if key not in swept:
                hint = nearest(key, swept)
                faults.append(Fault("sweep.zip", f"{shown(key)} is not swept by -m.{hint}"))
            elif key in owner:
                faults.append(Fault("sweep.zip", f"{shown(key)} is named twice"))
            owner[key] = index
        counts = {key: len(axes[key]) for key in keys if key in axes}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{key} {count}" for key, count in counts.items())
            faults.append(
                Fault("sweep.zip", f"each key needs the same number of values, found {found}")
            )
    if faults:
        raise ConfigError(faults)
    merged: dict[str, list[Words]] = {}
    for key, points in axes.items():
        name = f"zip {owner[key]}" if key in owner else key
        if name in merged:
            pairs = zip(merged[name], points, strict=True)
            merged[name] = [(*before, *new) for before, new in pairs]
        else:
            merged[name] = points
    return list(merged.items())


def listed(path: str, parse: Parse) -> list[tuple[int, Words]]:
    """The runs of a file, each with the number of its line: one line of overrides each, quoted as
    in a shell, `#` for comments.

    A line may sweep by itself.

    Raises:
        ConfigError: the file cannot be read, or a line cannot; with every fault.
    """
    try:
        text = content(path).decode("utf-8-sig")
    except DataError as error:
        raise ConfigError([Fault("sweep.file", str(error))]) from error
    faults: list[Fault] = []
    runs: list[tuple[int, Words]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            words = shlex.split(line, comments=True)
            if words:
                runs += [(number, run) for run in expand(parse(words))]
        except ValueError as error:
            faults.append(Fault("sweep.file", f"{path}, line {number}: {error}"))
        except ConfigError as error:
            faults += [
                Fault("sweep.file", f"{path}, line {number}: {fault.path}: {fault.message}")
                for fault in error.faults
            ]
    if not runs and not faults:
        faults.append(Fault("sweep.file", f"{path} has no runs"))
    if faults:
        raise ConfigError(faults)
    return runs


def swept_keys(runs: Sequence[Words]) -> Iterator[str]:
    """The keys that are not the same in every run, in their order."""
    seen: dict[str, set[str | None]] = {}
    for run in runs:
        for word in run:
            key, _, value = word.partition("=")
            seen.setdefault(key, set()).add(value)
    counts: dict[str, int] = dict.fromkeys(seen, 0)
    for run in runs:
        for key in {word.partition("=")[0] for word in run}:
            counts[key] += 1
    for key, found in seen.items():
        if len(found) > 1 or counts[key] < len(runs):
            yield key

"""Scores of methods on data sets, like with like: what `exp results --across` compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from exp.report.captions import caption, short
from exp.report.design import Design, complete
from exp.report.groups import Group, Groups, grouped, mean, over_seeds
from exp.report.results import data_keys
from exp.report.time_to_target import Times
from exp.runs.collection import Runs, with_keys
from exp.runs.config_values import Scalar, names_seed, written
from exp.util.errors import ExpError, unknown
from exp.util.text_tables import cell

Values = NDArray[np.float64]
Place = tuple[str, ...]
"""Values of keys as text: 1 and true are different."""
LISTED = 5
"""Names in a message; the others are counted."""
Of = TypeVar("Of", Group, Times)


@dataclass(frozen=True, eq=False)
class Block:
    """The scores on one data set.

    Attributes:
        name: of the data set.
        design: how its seeds differ.
        scores: `[units, methods]`: means over the seeds of a unit of the design, and over the other
            keys that vary. Every method has each of them.
        settings: how many values of those keys all methods have on this data set.
        unused: method -> its scores that are not compared, as another method lacks them.
        incomplete: seeds that are not used, as their round of folds is not complete.
    """

    name: str
    design: Design
    scores: Values
    settings: int
    unused: dict[str, int]
    incomplete: int


@dataclass(frozen=True, eq=False)
class Cells:
    """
    Attributes:
        unit, by, other: the keys that make a data set, those that make a method, and all others
            that vary but the seeds.
        methods: the values of `by` of each.
        names: of the methods.
        blocks: the data sets that every method has scores on.
        left_out: data set -> methods without a score there that the others have.
        without: methods that have no score on any data set.
        higher: whether higher scores are better.
    """

    unit: tuple[str, ...]
    by: tuple[str, ...]
    other: tuple[str, ...]
    metric: str
    methods: tuple[tuple[Scalar, ...], ...]
    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    left_out: dict[str, tuple[str, ...]]
    without: tuple[str, ...]
    higher: bool

    @property
    def noun(self) -> str:
        """What methods are compared over."""
        return noun(self.unit)


def noun(unit: Sequence[str]) -> str:
    """What the values of some keys are called."""
    return "data set" if any(key.split(".")[0] == "dataset" for key in unit) else "setting"


def keys_of(
    runs: Runs, across: Sequence[str], by: Sequence[str] | None
) -> tuple[Runs, list[str], list[str]]:
    """The runs with the values of all keys that are needed, the keys that make a data set and those
    that make a method.

    Args:
        across: the keys that were asked for. Those below them (`dataset.noise` of `dataset`) and
            those of data sets count with them where they vary.
        by: the keys of a method; None: all others that vary but the seeds.

    Raises:
        ExpError: an unknown key, a seed, or no key that makes a method.
    """
    what = f"--across {','.join(across)}"
    if seeds := [key for key in across if names_seed(key)]:
        raise ExpError(
            f"{what}: {seeds[0]} is a seed; without --across, groups are compared over seeds"
        )
    missing = [key for key in across if key not in runs.keys]
    if missing:
        runs, found = with_keys(runs, missing)
        known = [
            cell(key) for key in dict.fromkeys([*runs.keys, *found]) if not key.endswith(".name")
        ]
        for key in missing:
            if key not in found:
                raise ExpError("--across: " + unknown("key", key, known))
    below = tuple(f"{key}." for key in across)
    more = [key for key in over_seeds(runs.keys) if key.startswith(below)]
    unit = list(dict.fromkeys([*data_keys(runs, ()), *across, *more]))
    if wrong := [key for key in by or () if key in unit]:
        raise ExpError(
            f"{what}: --by {wrong[0]} makes no method: methods are compared over its values"
        )
    rest = [key for key in (over_seeds(runs.keys) if by is None else by) if key not in unit]
    if not rest:
        why = f"nothing else varies but {', '.join(map(cell, unit))}"
        raise ExpError(
            f"{what}: there is only one method ({why}); a sweep over what is to be compared, such "
            "as optimizer=sgd,adam, makes several"
        )
    return runs, unit, rest


class Arranged(NamedTuple, Generic[Of]):
    """Groups by data set and method.

    Attributes:
        groups: data set -> method -> group.
        methods: their values.
        labels: of the methods.
        names: of the data sets.
    """

    groups: dict[Place, dict[Place, Of]]
    methods: dict[Place, tuple[Scalar, ...]]
    labels: dict[Place, str]
    names: dict[Place, str]


def arranged(groups: Iterable[Of], unit: Sequence[str], rest: Sequence[str]) -> Arranged[Of]:
    """Groups by data set and method.

    Args:
        groups: by the keys of `unit`, then those of `rest`.
    """
    found: dict[Place, dict[Place, Of]] = {}
    methods, data_sets = dict[Place, tuple[Scalar, ...]](), dict[Place, tuple[Scalar, ...]]()
    for group in groups:
        ends = group.values[: len(unit)], group.values[len(unit) :]
        place, method = (tuple(map(written, values)) for values in ends)
        data_sets.setdefault(place, ends[0])
        methods.setdefault(method, ends[1])
        found.setdefault(place, {})[method] = group
    labels = dict(zip(methods, labelled(rest, list(methods.values())), strict=True))
    names = dict(zip(data_sets, labelled(unit, list(data_sets.values())), strict=True))
    return Arranged(found, methods, labels, names)


def cells(runs: Runs, metric: str, across: Sequence[str], by: Sequence[str] | None = None) -> Cells:
    """The scores of the methods on each data set that all of them have.

    Args:
        metric: by its full name.
        across, by: see `keys_of`.

    Raises:
        ExpError: an unknown key; fewer than two methods or data sets that can be compared.
    """
    runs, unit, rest = keys_of(runs, across, by)
    other = [key for key in over_seeds(runs.keys) if key not in (*unit, *rest)]
    groups = grouped(runs.rows, (*unit, *rest), metric, other)
    found, methods, labels, names = arranged(groups.all, unit, rest)
    scored = {m for some in found.values() for m, group in some.items() if group.cells}
    kept = [method for method in methods if method in scored]
    blocks, left_out = [], dict[str, tuple[str, ...]]()
    for place, some in found.items():
        lacking = [labels[m] for m in kept if m not in some or not some[m].cells]
        block = (
            None if lacking else block_of(groups, names[place], {labels[m]: some[m] for m in kept})
        )
        if block is None:
            left_out[names[place]] = tuple(lacking)
        else:
            blocks.append(block)
    made = Cells(
        tuple(unit), tuple(rest), tuple(other), metric,
        tuple(methods[m] for m in kept), tuple(labels[m] for m in kept), tuple(blocks), left_out,
        tuple(labels[m] for m in methods if m not in scored), groups.higher,
    )  # fmt: skip
    check(made, across, by)
    return made


def check(made: Cells, across: Sequence[str], by: Sequence[str] | None) -> None:
    """
    Raises:
        ExpError: there is nothing to compare.
    """
    what = f"--across {','.join(across)}"
    names = [*(block.name for block in made.blocks), *made.left_out]
    if not made.methods:
        raise ExpError(f"{what}: no run has a score {cell(made.metric)}")
    if len(made.methods) < 2:
        raise ExpError(f"{what}: only {made.names[0]} has scores: there is nothing to compare with")
    if len(names) < 2:
        raise ExpError(
            f"{what}: there is only one value ({names[0]}); without --across, the groups are "
            "compared on it"
        )
    if len(made.blocks) < 2:
        missing = [
            f"{name}: no score of {some_of(lacking)}" if lacking else f"{name}: no seed in common"
            for name, lacking in made.left_out.items()
        ]
        hint = "; --by KEYS names the keys that make a method" if by is None and made.by[1:] else ""
        raise ExpError(
            f"{what}: at least 2 of {len(names)} must have scores of all {len(made.methods)} "
            f"methods, found {len(made.blocks)} ({some_of(missing, '; ')}){hint}"
        )


def block_of(groups: Groups, name: str, methods: dict[str, Group]) -> Block | None:
    """The scores of some methods on a data set; None where they have no seed in common.

    Args:
        groups: all groups.
        methods: method -> its runs on this data set.
    """
    first, *others = methods.values()
    shared = [where for where in first.cells if all(where in each.cells for each in others)]
    if not shared:
        return None
    lists = [each.seeds(shared) for each in others]
    common = [seeds for seeds in first.seeds(shared) if all(seeds in each for each in lists)]
    design = groups.design(first, shared)
    draws = {seeds: [first.draws[where][seeds] for where in shared] for seeds in common}
    kept, incomplete = complete(design, draws)
    if not kept:
        return None
    units: dict[object, list[list[float]]] = {}
    for seeds in kept:
        row = [mean([each.cells[where][seeds] for where in shared]) for each in methods.values()]
        units.setdefault(design.unit_of(seeds, draws[seeds]), []).append(row)
    compared = len(common) * len(shared)
    unused = {
        method: total - compared
        for method, each in methods.items()
        if (total := sum(map(len, each.cells.values()))) > compared
    }
    means = np.array([np.mean(rows, axis=0) for rows in units.values()])
    return Block(name, design, means, len(shared), unused, incomplete)


def labelled(keys: Sequence[str], values: Sequence[tuple[Scalar, ...]]) -> list[str]:
    """Names for some values of keys: the first value alone where that tells them apart, as it does
    for most data sets, else every value that varies."""
    first = [written(each[0]) for each in values]
    if len(set(first)) == len(values):
        return first
    names = short(keys)
    varying = [at for at in range(len(keys)) if len({written(each[at]) for each in values}) > 1]
    found = []
    for each in values:
        known = {keys[at]: each[at] for at in varying if at == 0 or each[at] is not None}
        shown = {key: names[key] for key in known if key != keys[0]}
        more = caption(known, shown)
        head = written(each[0])
        found.append(", ".join(part for part in (head if 0 in varying else "", more) if part))
    return found


def some_of(names: Sequence[str], between: str = ", ") -> str:
    """Names in a message, at most `LISTED` of them."""
    if len(names) <= LISTED + 1:
        return between.join(names)
    return f"{between.join(names[:LISTED])} and {len(names) - LISTED:,} more"

"""Scores of methods on data sets, like with like: what `exp results --across` compares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp.report.captions import caption, short
from exp.report.groups import Group, Groups, Seeds, grouped, over_seeds
from exp.runs.collection import Row, Runs, with_keys
from exp.runs.config_values import Scalar, written
from exp.util.errors import ExpError, unknown
from exp.util.text_tables import cell, count

Values = NDArray[np.float64]
Place = tuple[str, ...]
"""Values of keys as text: 1 and true are different."""
LISTED = 5
"""Names in a message; the others are counted."""


@dataclass(frozen=True, eq=False)
class Block:
    """The scores on one data set.

    Attributes:
        name: of the data set.
        seeds: those that every method has.
        scores: `[seeds, methods]`, means over the other keys that vary.
        settings: how many values of those keys all methods have on this data set.
        unused: method -> its scores that are not compared, as another method lacks them.
        first: its first run.
    """

    name: str
    seeds: tuple[Seeds, ...]
    scores: Values
    settings: int
    unused: dict[str, int]
    first: Row


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


def keys_of(
    runs: Runs, across: Sequence[str], by: Sequence[str] | None
) -> tuple[Runs, list[str], list[str]]:
    """The runs with the values of all keys that are needed, the keys that make a data set and those
    that make a method.

    Args:
        across: the keys that were asked for; the keys below them (`dataset.noise` of `dataset`)
            count with them where they vary.
        by: the keys of a method; None: all others that vary but the seeds.

    Raises:
        ExpError: an unknown key, or no key that makes a method.
    """
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
    unit = list(dict.fromkeys([*across, *(k for k in runs.keys if k.startswith(below))]))
    rest = [key for key in (over_seeds(runs.keys) if by is None else by) if key not in unit]
    if not rest:
        several = (
            f"nothing but {', '.join(map(cell, unit))} varies" if by is None else "--by names none"
        )
        raise ExpError(
            f"--across {','.join(across)}: there is one method only ({several}): sweep what is to be "
            "compared, such as optimizer=sgd,adam"
        )
    return runs, unit, rest


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
    groups = grouped(runs.rows, (*unit, *rest, *other), metric)
    found: dict[Place, dict[Place, list[Group]]] = {}
    ends = len(unit), len(unit) + len(rest)
    values: dict[Place, tuple[Scalar, ...]] = {}
    for group in groups.all:
        place, method = texts(group.values[: ends[0]]), texts(group.values[ends[0] : ends[1]])
        values.setdefault(method, group.values[ends[0] : ends[1]])
        found.setdefault(place, {}).setdefault(method, []).append(group)
    labels = dict(zip(values, labelled(rest, list(values.values())), strict=True))
    named = labelled(unit, [first_of(each).values[: ends[0]] for each in found.values()])
    scored = {
        m for each in found.values() for m, some in each.items() if any(g.scores for g in some)
    }
    methods = [method for method in values if method in scored]
    blocks, left_out = [], dict[str, tuple[str, ...]]()
    for name, by_method in zip(named, found.values(), strict=True):
        block, lacking = block_of(name, by_method, methods, labels, ends[1])
        if block is not None:
            blocks.append(block)
        else:
            left_out[name] = tuple(labels[method] for method in lacking)
    made = Cells(
        tuple(unit), tuple(rest), tuple(other), metric,
        tuple(values[method] for method in methods), tuple(labels[method] for method in methods),
        tuple(blocks), left_out, tuple(labels[m] for m in values if m not in scored), groups.higher,
    )  # fmt: skip
    check(made, across, groups, by)
    return made


def check(made: Cells, across: Sequence[str], groups: Groups, by: Sequence[str] | None) -> None:
    """
    Raises:
        ExpError: there is nothing to compare.
    """
    what = f"--across {','.join(across)}"
    if not made.methods:
        raise ExpError(f"{what}: no run has a score {made.metric}")
    if len(made.methods) < 2:
        raise ExpError(
            f"{what}: only one method has scores ({made.names[0]}): there is none to compare it with"
        )
    total = len(made.blocks) + len(made.left_out)
    if total < 2:
        (name,) = [*(block.name for block in made.blocks), *made.left_out]
        raise ExpError(
            f"{what}: all runs have the same value ({name}), so there is nothing to compare across: "
            "leave --across out to compare the groups on it"
        )
    if len(made.blocks) < 2:
        lines = [f"{name} lacks {some_of(lacking)}" for name, lacking in made.left_out.items()]
        hint = (
            ""
            if by is not None
            else "; --by KEYS names the keys that make a method, such as --by " + cell(made.by[0])
        )
        raise ExpError(
            f"{what}: {count(len(made.blocks), 'data set')} of {total} with scores of all "
            f"{len(made.methods)} methods; at least 2 are needed. {some_of(lines, '; ')}{hint}"
        )


def block_of(
    name: str,
    by_method: dict[Place, list[Group]],
    methods: Sequence[Place],
    labels: dict[Place, str],
    keys: int,
) -> tuple[Block | None, list[Place]]:
    """The scores on a data set; None and the methods to blame where some method has none that the
    others have too."""
    scores = [
        {
            (texts(g.values[keys:]), seeds): s
            for g in by_method.get(m, ())
            for seeds, s in g.scores.items()
        }
        for m in methods
    ]
    common = (
        [item for item in scores[0] if all(item in each for each in scores[1:])] if scores else []
    )
    if not common:
        lacking = [method for method, each in zip(methods, scores, strict=True) if not each]
        return None, lacking or list(methods)
    by_seed: dict[Seeds, list[int]] = {}
    for at, (_, seeds) in enumerate(common):
        by_seed.setdefault(seeds, []).append(at)
    table = np.array([[each[item] for each in scores] for item in common])
    means = np.array([table[rows].mean(axis=0) for rows in by_seed.values()])
    unused = {
        labels[method]: len(each) - len(common)
        for method, each in zip(methods, scores, strict=True)
        if len(each) > len(common)
    }
    settings = len({setting for setting, _ in common})
    return Block(name, tuple(by_seed), means, settings, unused, first_of(by_method).first), []


def first_of(by_method: dict[Place, list[Group]]) -> Group:
    return next(iter(by_method.values()))[0]


def texts(values: Iterable[Scalar]) -> Place:
    return tuple(map(written, values))


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


def not_finite(value: float) -> float | None:
    """None in place of a number that JSON does not have."""
    return value if math.isfinite(value) else None

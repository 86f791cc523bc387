"""Which seeds a sweep with `sweep.until=decided` begins with, and which come next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from hydra.core.override_parser.types import Override

from exp.config.grammar import values_of
from exp.report.design import folds_of
from exp.report.statistics.anytime import next_look
from exp.runs.config_values import leaves, names_seed
from exp.sweeps.grid import Words
from exp.sweeps.planner import Planned
from exp.util.errors import Fault

KEY = "seed"
UNTIL = "sweep.until=decided adds values of seed"


def given_seeds(overrides: Iterable[Override]) -> list[int] | None:
    """The seeds that the command line names; None where one is not an integer."""
    given: dict[int, None] = {}
    for override in overrides:
        if override.key_or_group == KEY:
            values = values_of(override) if override.is_sweep_override() else [override.value()]
            try:
                given = dict.fromkeys(int(str(value)) for value in values)
            except ValueError:
                return None
    return list(given)


def more_seeds(seeds: Sequence[int], count: int) -> list[int]:
    """Seeds, and behind them as many of the integers that follow as there are to be."""
    start = max(seeds, default=-1) + 1
    return [*seeds, *range(start, start + count - len(seeds))]


def next_count(seeds: int, most: int, folds: int) -> int:
    """How many seeds there are to be at the next look.

    Args:
        seeds: there are already.
        folds: seeds are added in whole rounds of so many test folds.

    Returns:
        `seeds` where there can be no more.
    """
    wanted = seeds if seeds % folds else next_look(seeds, most)
    wanted = -(-wanted // folds) * folds
    return max(seeds, min(wanted, most // folds * folds))


def misplaced(
    overrides: Iterable[Override], linked: Sequence[Sequence[str]], lines: Iterable[Words]
) -> list[Fault]:
    """Seeds that are varied in another way."""
    keys = [str(each.key_or_group) for each in overrides if each.is_sweep_override()]
    faults = [
        Fault(key, f"{UNTIL}: give this key one value, or none")
        for key in keys
        if key != KEY and names_seed(key)
    ]
    if any(names_seed(key) for keys in linked for key in keys):
        faults.append(Fault("sweep.zip", f"{UNTIL}: it cannot advance with another key"))
    words = {word.partition("=")[0].lstrip("+") for line in lines for word in line}
    if named := sorted(filter(names_seed, words)):
        faults.append(Fault("sweep.file", f"{UNTIL}: no line may set {', '.join(named)}"))
    return faults


def without_effect(runs: Sequence[Planned]) -> list[Fault]:
    """That every seed gives the same run."""
    if len({str(run.config["seeds"]) for run in runs}) > 1:
        return []
    what = "seeds.data, split, init and shuffle are all set, so that seed changes nothing"
    return [Fault("sweep.until", f"{what}: leave at least one of them out")]


def round_of(runs: Iterable[Planned]) -> int:
    """After how many seeds each test fold of cross-validation had its turn; 1 without it."""
    return math.lcm(
        *(
            folds_of(leaves(run.config)) or 1
            for run in runs
            if run.config["seeds"]["split"] == run.config[KEY]
        )
    )


def incomplete(seeds: Sequence[int], folds: int, most: int) -> list[Fault]:
    """Why seeds do not go through whole rounds of test folds."""
    if most < folds:
        wanted = f"expected at least {folds}, so that each fold is tested once"
        return [Fault("sweep.max_seeds", f"{wanted}; found {most}")]
    rounds: dict[int, int] = {}
    for seed in more_seeds(seeds, -(-len(seeds) // folds) * folds):
        rounds[seed // folds] = rounds.get(seed // folds, 0) + 1
    if all(count == folds for count in rounds.values()):
        return []
    wanted = f"the seed chooses the test fold: expected whole rounds of {folds} seeds"
    return [Fault(KEY, f"{wanted}, such as seed=range(0,{folds})")]

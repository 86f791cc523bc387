"""A message where the seeds of a sweep do not use each fold of a cross-validation equally often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from exp.sweeps.planner import Planned


def incomplete_rounds(runs: Sequence[Planned]) -> Iterator[str]:
    """A line for each number of folds that the seeds of `split=kfold` do not go through whole."""
    seeds: dict[int, set[int]] = {}
    for run in runs:
        config = run.config
        if config["split"]["name"] == "kfold":
            seeds.setdefault(config["split"]["folds"], set()).add(config["seeds"]["split"])
    for folds, used in seeds.items():
        tested = Counter(seed % folds for seed in used)
        whole = len(tested) == folds and len(set(tested.values())) == 1
        # One seed, or one fold with several inner folds, is a choice.
        if len(tested) > 1 and not whole:
            yield (
                f"split=kfold: the {len(used)} seeds do not test on each of the {folds} folds "
                f"equally often; seed=range(0,{folds * max(1, -(-len(used) // folds))}) does"
            )

"""From a dataset and a split of the config to rows that are ready for a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from exp import cache
from exp.data import Data, Prepared, Split
from exp.datafaults import TooFewRowsError
from exp.errors import ComponentError, DataError
from exp.packages import installed
from exp.plugins import source
from exp.registry import Chosen


def prepare(
    dataset: Chosen, split: Chosen, *, data_seed: int, split_seed: int, keep: bool = True
) -> Prepared:
    """Makes the rows and splits them, or takes both from the cache of `exp.cache`.

    Args:
        dataset: built with `data_seed`; gives `Data`.
        split: built with the labels and `split_seed`; gives `Split`. If it has a parameter
            `standardize` and it is true, the features are standardized by the training rows.
        data_seed: of the rows.
        split_seed: of the split.
        keep: whether what had to be made goes into the cache.

    Raises:
        DataError: the rows cannot be used, cannot be split so, or do not fit in memory.
        ComponentError: a component gave something else than `Data` or `Split`.
    """
    try:
        data, parts = cached(dataset, split, data_seed, split_seed, keep)
        standardize = bool(split.params.get("standardize", False))
        prepared = Prepared.of(data, parts, standardize=standardize)
        _ = prepared.X  # standardizing can fail: here, where a DataError is expected
        return prepared
    except MemoryError as error:
        raise DataError(f"dataset {dataset.name} does not fit in memory: {error}") from error


def cached(
    dataset: Chosen, split: Chosen, data_seed: int, split_seed: int, keep: bool
) -> tuple[Data, Split]:
    """Both as `made` makes them, from the cache where they are repeatable and there already."""
    recipe = recipe_of(dataset, split, data_seed, split_seed)
    found = cache.load(recipe) if recipe else None
    if found is not None:
        arrays, names = found
        named = [tuple(names[key]) for key in ("classes", "features", "units")]
        data = Data(arrays["X"], arrays["y"], *named)
        return data, Split(arrays["train"], arrays["test"], arrays["validation"])
    data, parts = made(dataset, split, data_seed, split_seed)
    if recipe and keep:
        names = {"classes": data.classes, "features": data.features, "units": data.units}
        rows = {"train": parts.train, "test": parts.test, "validation": parts.validation}
        cache.save(recipe, {"X": data.X, "y": data.y, **rows}, names)
    return data, parts


def made(dataset: Chosen, split: Chosen, data_seed: int, split_seed: int) -> tuple[Data, Split]:
    data = dataset.build(data_seed)
    if not isinstance(data, Data):
        found = type(data).__name__
        raise ComponentError(f"dataset {dataset.name} must give an exp.data.Data, found {found}")
    try:
        parts = split.build(data.y, split_seed)
    except TooFewRowsError as error:
        raise error.named(data.classes) from error
    if not isinstance(parts, Split):
        found = type(parts).__name__
        raise ComponentError(f"split {split.name} must give an exp.data.Split, found {found}")
    return data, parts


def recipe_of(
    dataset: Chosen, split: Chosen, data_seed: int, split_seed: int
) -> dict[str, Any] | None:
    """All that the rows and their split depend on; None where that cannot be told."""
    builders = (dataset.component.builder, split.component.builder)
    if not all(cache.is_repeatable(builder) for builder in builders):
        return None
    makers = [builder.__module__ for builder in builders]
    sources = [source(name) for name in (*makers, __name__, cache.__name__, Data.__module__)]
    if None in sources:
        return None
    return {
        "dataset": dataset.as_dict(),
        "data_seed": data_seed,
        "split": split.as_dict(),
        "split_seed": split_seed,
        "sources": sources,
        "numpy": np.__version__,
        "scikit-learn": installed("scikit-learn"),
    }

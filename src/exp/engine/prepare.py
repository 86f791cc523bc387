"""From a dataset, a split and features of the config to rows that are ready for a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.components.datasets.custom_rows import rows_of
from exp.components.splits.time_splits import ranges
from exp.config.plugins import source
from exp.data import cache
from exp.data.dataset import Data, Split
from exp.data.faults import TooFewRowsError
from exp.data.prepared import Prepared
from exp.data.set_aside import set_aside
from exp.engine.feature_mapping import is_fitted, mapped_alone, mapping
from exp.registry.component import Chosen, Component
from exp.registry.user_code import calling, seeded
from exp.util.errors import (
    ComponentError,
    ConfigError,
    DataError,
    Fault,
    ImpossibleError,
    shown,
    unknown,
)
from exp.util.metric_names import class_named
from exp.util.packages import installed

AT_ONCE = 0.1
"""Seconds: a user's data set that takes no longer is built twice and must give the same rows."""


def prepare(
    dataset: Chosen,
    split: Chosen,
    *,
    data_seed: int,
    split_seed: int,
    features: Chosen | None = None,
    init_seed: int = 0,
    keep: bool = True,
) -> Prepared:
    """Makes the rows and splits them, or takes both from the cache of `exp.data.cache`.

    Args:
        dataset: built with `data_seed`; gives `Data`.
        split: built with the labels, `split_seed` and the columns of the data that it names; gives
            `Split`. If it has a parameter `standardize`, it says how the features are scaled by the
            training rows; `standardize_target`, which every split has, says it of the target.
        data_seed: of the rows.
        split_seed: of the split.
        features: built with the names of the features, `init_seed` and, if it takes them, the
            training rows; gives a `FeatureMap`, or None for the features as they are.
        init_seed: of the feature map, which is as random as the weights behind it.
        keep: whether what had to be made goes into the cache.

    Raises:
        DataError: the rows cannot be used, cannot be split so, or do not fit in memory.
        ComponentError: a component gave something else than `Data`, `Split` or `FeatureMap`.
        ConfigError: there is no such class as `dataset.positive` names.
        ImpossibleError: a feature map that these features cannot have, a positive class where
            there are not two classes, or a scaled target that is a class.
    """
    try:
        data, parts = cached(dataset, split, data_seed, split_seed, keep)
        data = with_positive(data, dataset.common.get("positive"))
        return prepared_by(split, data, parts, features=features, init_seed=init_seed)
    except MemoryError as error:
        raise DataError(f"dataset {dataset.name} does not fit in memory: {error}") from error


def prepared_by(
    split: Chosen,
    data: Data,
    parts: Split,
    *,
    features: Chosen | None = None,
    init_seed: int = 0,
) -> Prepared:
    """The rows as a split's `standardize` and `standardize_target`, and a feature map, want them.

    Args:
        features, init_seed: as for `prepare`.

    Raises:
        DataError: the rows cannot be split so.
        ComponentError: the component of the feature map gave something else.
        ImpossibleError: the target is to be scaled, and it is a class; a feature map that these
            features cannot have.
    """
    scaled = bool(split.common["standardize_target"])
    if scaled and not data.numeric:
        raise ImpossibleError(
            "split.standardize_target is for a target that is a number, and these data have "
            f"{len(data.classes)} classes: leave it false"
        )
    standardize = split.params.get("standardize", False)
    prepared = Prepared.of(data, parts, standardize=standardize, standardize_target=scaled)
    if features is not None:
        fitted_on = prepared.scaled[parts.train] if is_fitted(features) else None
        prepared = prepared.mapped_by(mapping(features, prepared.features, init_seed, fitted_on))
    if features is None or features.component.packaged or prepared.mapping is None:
        prepared.check()  # numbers can grow too large: here, where a DataError is expected
    else:
        with calling(features.component.title):
            mapped_alone(prepared, features.name)
    return prepared


def with_positive(data: Data, wanted: str | float | bool | None) -> Data:
    """The same rows with the class that `dataset.positive` names as the positive one.

    Raises:
        ConfigError: there is no such class.
        ImpossibleError: there are not two classes.
    """
    if wanted is None:
        return data
    if len(data.classes) != 2:
        found = f"{len(data.classes)} classes" if data.classes else "a number as target"
        raise ImpossibleError(
            f"dataset.positive names one of two classes, and these data have {found}: leave it null"
        )
    place = class_named(wanted, data.classes)
    if place is None:
        known = list(data.classes)
        wrong = unknown("class", str(wanted), known, allowed="The classes are")
        raise ConfigError([Fault("dataset.positive", wrong)])
    return replace(data, positive=place)


def cached(
    dataset: Chosen, split: Chosen, data_seed: int, split_seed: int, keep: bool
) -> tuple[Data, Split]:
    """Both as `made` makes them, from the cache where they are repeatable and there already."""
    recipe = recipe_of(dataset, split, data_seed, split_seed)
    found = cache.load(recipe) if recipe else None
    if found is not None:
        arrays, names = found
        classes, features, units = (tuple(names[key]) for key in ("classes", "features", "units"))
        data = Data(arrays["X"], arrays["y"], classes, features, units, positive=names["positive"])
        return data, Split(arrays["train"], arrays["test"], arrays["validation"])
    data, parts = made(dataset, split, data_seed, split_seed)
    if recipe and keep and data.plain:
        names = {
            "classes": data.classes,
            "features": data.features,
            "units": data.units,
            "positive": data.positive,
        }
        rows = {"train": parts.train, "test": parts.test, "validation": parts.validation}
        cache.save(recipe, {"X": data.X, "y": data.y, **rows}, names)
    return data, parts


def made(dataset: Chosen, split: Chosen, data_seed: int, split_seed: int) -> tuple[Data, Split]:
    aside = columns_named(split)
    check_no_features(dataset, split)
    return divided(set_aside(rows(dataset, data_seed, aside), aside), split, split_seed)


def divided(data: Data, split: Chosen, split_seed: int) -> tuple[Data, Split]:
    """The parts of the rows, and the rows with what is to be said of the parts.

    Args:
        data: with the columns that the split names set aside.
    """
    try:
        parts = parts_of(data, split, split_seed)
    except TooFewRowsError as error:
        raise error.named(data.classes, data.maybe_number) from error
    time = split.params.get("time")
    if isinstance(time, str) and time in data.columns:
        # Rows of a file of test rows have no time.
        known = parts if data.test is None else replace(parts, test=parts.test[:0])
        data = replace(data, notes=(*data.notes, ranges(data.columns[time], time, known)))
    return data, parts


def columns_named(split: Chosen) -> tuple[str, ...]:
    """The columns of the data that a split needs: those of its groups, its parts and its times."""
    if "columns" not in split.component.injected.values():
        return ()
    keys = ("groups", "column", "time") if split.packaged else ("groups", "column")
    named = (split.params.get(key) for key in keys)
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))


def check_no_features(dataset: Chosen, split: Chosen) -> None:
    """
    Raises:
        DataError: the features of a file name a column that the split uses as groups or parts.
    """
    features = dataset.params.get("features") if dataset.packaged else None
    for key in ("groups", "column"):
        if (name := split.params.get(key)) is not None and name in (features or ()):
            raise DataError(
                f"dataset.features names {shown(name)}, but split.{key} uses this column, so it "
                "cannot be a feature: leave it out of `features`"
            )


def rows(dataset: Chosen, seed: int, aside: tuple[str, ...] = ()) -> Data:
    """What a data set gives.

    Args:
        aside: names of columns that are no features, as the split needs them.

    One of a user's runs with the global generators seeded, so that it may draw from them; if that
    takes no time, it runs twice, and must give the same.

    Raises:
        ComponentError: it gives no rows, or others each time.
        CustomCodeError: an exception inside it.
    """
    if dataset.component.packaged:
        data = dataset.build(seed, aside=aside)
        assert isinstance(data, Data)
        return data
    begun = time.perf_counter()
    first = user_rows(dataset, seed, aside)
    if time.perf_counter() - begun < AT_ONCE:
        repeated = user_rows(dataset, seed, aside)
        if not same_rows(repeated, first):
            raise ComponentError(
                f"dataset {dataset.name} returns different rows for the same seed ("
                f"{seed}), so a run could not be repeated. Draw from "
                "np.random.default_rng(seed), and do not use the time"
            )
    return first


def same_rows(one: Data, other: Data) -> bool:
    if one.fingerprint != other.fingerprint or one.columns.keys() != other.columns.keys():
        return False
    return all(np.array_equal(values, other.columns[name]) for name, values in one.columns.items())


def user_rows(dataset: Chosen, seed: int, aside: tuple[str, ...] = ()) -> Data:
    component = dataset.component
    with seeded(seed):
        found = dataset.build(seed, aside=aside)
        if callable(found) and not isinstance(found, (Data, Mapping)):
            # A class that is built with the parameters and then called for the rows.
            maker = Component(component.kind, component.name, found, None, component.module)
            found = maker.make(seed)
    return rows_of(found, dataset.name, aside)


def user_split(
    split: Chosen, labels: NDArray[Any], seed: int, columns: Mapping[str, NDArray[Any]]
) -> object:
    """What a user's split gives: of a copy of the labels, built twice.

    Raises:
        ComponentError: other parts each time.
    """
    found = []
    for _ in range(2):
        with seeded(seed):
            given = {name: values.copy() for name, values in columns.items()}
            found.append(checked(split.build(labels.copy(), seed, columns=given), split))
    if found[0].digest != found[1].digest:
        raise ComponentError(
            f"split {split.name} returns different parts for the same seed ({seed}), so "
            "a run could not be repeated. Draw from np.random.default_rng(seed)"
        )
    return found[0]


def split_of(
    split: Chosen, labels: NDArray[Any], seed: int, columns: Mapping[str, NDArray[Any]]
) -> Split:
    packaged = split.component.packaged
    build = split.build if packaged else partial(user_split, split)
    return checked(build(labels, seed, columns=columns), split)


def parts_of(data: Data, split: Chosen, seed: int) -> Split:
    """The split of the rows, in which rows of a file of test rows are the test part.

    Raises:
        ImpossibleError: it keeps the shares of classes, and there are none.
    """
    if data.numeric and split.params.get("stratify", False) not in (False, None, "auto"):
        raise ImpossibleError(
            "split.stratify keeps the shares of classes, and the target of these data is a number: "
            "set split.stratify=false"
        )
    if data.test is None:
        return split_of(split, data.y, seed, data.columns)
    rest = np.setdiff1d(np.arange(len(data.y), dtype=np.int64), data.test)
    if "test" in split.params:
        split = Chosen(split.component, {**split.params, "test": 0.0})
    columns = {name: values[rest] for name, values in data.columns.items()}
    parts = split_of(split, data.y[rest], seed, columns)
    if len(parts.test):
        raise DataError(
            f"split {split.name} sets test rows aside, and dataset.test_path names a file "
            "of test rows: use one of the two"
        )
    return Split(rest[parts.train], data.test, rest[parts.validation])


def checked(parts: object, split: Chosen) -> Split:
    if not isinstance(parts, Split):
        found = type(parts).__name__
        raise ComponentError(f"split {split.name} must return an exp.data.Split, found {found}")
    return parts


def recipe_of(
    dataset: Chosen, split: Chosen, data_seed: int, split_seed: int
) -> dict[str, Any] | None:
    """All that the rows and their split depend on; None where that is not known."""
    builders = (dataset.component.builder, split.component.builder)
    if not all(cache.is_repeatable(builder) for builder in builders) or columns_named(split):
        return None
    makers = [builder.__module__ for builder in builders]
    sources = [source(name) for name in (*makers, __name__, cache.__name__, Data.__module__)]
    if None in sources:
        return None
    return {
        # Not what all data sets share: which class is positive changes no row.
        "dataset": {
            key: value
            for key, value in dataset.as_dict().items()
            if key not in dataset.component.common
        },
        "data_seed": data_seed,
        "split": split.as_dict(),
        "split_seed": split_seed,
        "sources": sources,
        "numpy": np.__version__,
        "scikit-learn": installed("scikit-learn"),
    }

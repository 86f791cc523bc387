"""The table of `exp fit`: rows that are read once, test rows set aside, folds of all others."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

from exp.components.models.column_maps import ColumnMap, Map
from exp.components.splits.time_splits import newest_last
from exp.data.dataset import Data, Split
from exp.data.prepared import Prepared
from exp.data.set_aside import set_aside
from exp.engine.feature_mapping import mapping
from exp.engine.prepare import (
    check_no_features,
    columns_named,
    divided,
    prepared_by,
    rows,
    with_positive,
)
from exp.fitting.portfolio import Candidate, Shape
from exp.fitting.settings import FitSettings
from exp.registry.registry import register

Rows = NDArray[np.int64]
FOLDS, ROWS = (8, 5, 3), (2_000, 6_000)
"""Folds of up to so many training rows, of more, and of even more: the networks of small tables
need most of the rows; those of large ones take so long that too few could be compared."""
LARGE = 20_000
"""Training rows from which one fold is enough."""
VALIDATED = 10_000
"""The most validation rows of a single fold."""
MANY = 8
"""Encoded columns of a category from which it may be embedded."""
BLOCK = 4096
"""Rows that are mapped at once."""


@dataclass(frozen=True)
class Fold:
    """Rows to train and to validate candidates on.

    Attributes:
        train, validation: indices into all rows of the table.
    """

    train: Rows
    validation: Rows


class Table:
    """Prepared rows and folds.

    Args:
        settings: of the fit.

    Attributes:
        split: the group `split` of the config, with what the rows have decided.
        prepared: the rows; its training part are all rows that are not test rows.
        folds: of its training part.

    Raises:
        ExpError: the rows cannot be used.
    """

    def __init__(self, settings: FitSettings) -> None:
        plan = settings.plan()
        named = columns_named(plan["split"])
        check_no_features(plan["dataset"], plan["split"])
        data = set_aside(rows(plan["dataset"], plan.seeds.data, named), named)
        self.split = dict(plan["split"].as_dict())
        if self.stratifies(data) and not settings.sets("split.stratify"):
            self.split["stratify"] = True
        if data.numeric and not settings.sets("split.standardize_target"):
            self.split["standardize_target"] = True
        plan = settings.plan({"split": self.split})
        self.split = plan["split"].as_dict()
        data = with_positive(data, plan["dataset"].common.get("positive"))
        self.prepared = prepared_by(plan["split"], *divided(data, plan["split"], plan.seeds.split))
        self.settings, self.plan = settings, plan
        self.groups = data.columns[settings.groups] if settings.groups else None
        self.folds = folds_of(self.prepared, self.groups, settings)
        self._maps: dict[str, Data] = {}

    def stratifies(self, data: Data) -> bool:
        """Whether the test rows can have the shares of the classes."""
        free = self.split.get("groups") is None and self.split.get("time") is None
        free = free and self.split.get("column") is None and data.test is None
        return free and not data.numeric and int(np.bincount(data.y).min()) >= 2

    @property
    def train(self) -> Rows:
        """All rows that are not test rows."""
        return self.prepared.split.train

    @cached_property
    def shape(self) -> Shape:
        X = self.prepared.scaled[self.train]
        few = [len(np.unique(column[:1000])) <= 2 for column in X.T]
        classes = len(self.prepared.data.classes)
        rows, numbers = len(self.folds[0].train), few.count(False)
        return Shape(rows, X.shape[1], numbers, classes, bool(self.embedded()))

    def embedded(self, names: Sequence[str] | None = None) -> list[list[int]]:
        """Start and stop of the mapped columns of each category with many values.

        Args:
            names: of the mapped columns; None: as encoded.
        """
        encoding, found = self.prepared.encoding, []
        if encoding is None:
            return []
        named = list(names or encoding.names)
        for column in encoding.columns:
            if column.categories is not None and len(column.names) >= MANY:
                start = named.index(column.names[0])
                found.append([start, start + len(column.names)])
        return found

    def model_of(self, candidate: Candidate) -> dict[str, Any]:
        """The model of a candidate, with the columns of categories that it embeds."""
        if candidate.model["name"] != "embedded_mlp":
            return candidate.model
        chosen = register.choose("features", candidate.features, "features")
        scaled = self.prepared.scaled[self.train]
        made = mapping(chosen, self.prepared.features, self.settings.seed, scaled)
        names = None if made is None else made.names
        return candidate.model | {"categories": self.embedded(names)}

    @cached_property
    def limits(self) -> tuple[float, float] | None:
        """Between which numbers a prediction must lie, in the units of the networks: those of the
        training rows and a tenth of their range on both sides; None: classes."""
        if not self.prepared.data.numeric:
            return None
        targets = self.prepared.targets[self.train]
        low, high = float(targets.min()), float(targets.max())
        room = 0.1 * (high - low)
        return float(np.float32(low - room)), float(np.float32(high + room))

    def map_of(self, features: dict[str, Any]) -> tuple[dict[str, Any], ColumnMap]:
        """A feature map as the ensemble has it in its config, and its module, fitted."""
        chosen = register.choose("features", features, "features")
        scaled = self.prepared.scaled[self.train]
        made = mapping(chosen, self.prepared.features, self.settings.seed, scaled)
        columns = self.prepared.scaled.shape[1]
        if made is None:
            return {"name": "none"}, Map(name="none").module(columns)
        config: dict[str, Any] = {"name": chosen.name}
        if chosen.name == "quantile":
            config["n_quantiles"] = chosen.params["n_quantiles"]
        else:
            config["outputs"] = len(made.names)
        module = Map.model_validate(config).module(columns)
        values = {
            f"inner.{n}": torch.from_numpy(np.array(v)) for n, v in (made.values or {}).items()
        }
        # As the ensemble will hold them.
        module.float().load_state_dict(values)
        return config, module

    def mapped(self, features: dict[str, Any]) -> Data:
        """All rows as a candidate is given them."""
        key = repr(features)
        if key not in self._maps:
            _, module = self.map_of(features)
            scaled, source = self.prepared.scaled, self.prepared.data
            parts = [scaled[at : at + BLOCK] for at in range(0, len(scaled), BLOCK)]
            with torch.no_grad():
                X = torch.cat([module(torch.from_numpy(part)) for part in parts]).numpy()
            names = tuple(f"x{n}" for n in range(X.shape[1]))
            units = (None,) * len(names)
            self._maps = dict(list(self._maps.items())[-3:])  # the others would fill the memory
            self._maps[key] = Data(
                X, source.y, source.classes, names, units, weights=source.weights
            )
        return self._maps[key]

    def fold_data(self, features: dict[str, Any], fold: Fold, share: float) -> Prepared:
        """The rows of a fold as a candidate is given them.

        Args:
            share: of the training rows that are used.
        """
        train = fold.train if share >= 1 else self.some(fold.train, share)
        parts = Split(train=train, validation=fold.validation)
        return Prepared(self.mapped(features), parts, target_scale=self.prepared.target_scale)

    def some(self, train: Rows, share: float) -> Rows:
        """The first rows in a random order, with at least one of each class."""
        kept = train[: max(1, round(share * len(train)))]
        if self.prepared.data.numeric:
            return kept
        labels, first = np.unique(self.prepared.y[train], return_index=True)
        lacking = ~np.isin(labels, self.prepared.y[kept])
        return np.concatenate([kept, train[first[lacking]]])


def folds_of(prepared: Prepared, groups: NDArray[Any] | None, settings: FitSettings) -> list[Fold]:
    """The folds of the training part; one where there are many rows. Rows of one group
    stay together; with `time` the newest rows validate."""
    train, numeric = prepared.split.train, prepared.data.numeric
    seed, labels = settings.seed, prepared.y[train]
    random = np.random.default_rng([seed, 5])
    group = None if groups is None else groups[train]
    if settings.time:
        times = prepared.data.columns[settings.time][train]
        parts = newest_last(times, settings.time, max(1, round(0.2 * len(train))), 0)
        return [Fold(train[random.permutation(parts.train)], train[parts.test])]
    # A class with a single row is always trained.
    single = np.zeros(len(train), bool) if numeric else np.bincount(labels)[labels] == 1
    single = single if group is None else np.zeros(len(train), bool)
    places = np.flatnonzero(~single)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer rows than folds
        divided = divide(places, labels[places], None if group is None else group[places],
                         seed, numeric=numeric)  # fmt: skip
    found = []
    for validated in divided:
        kept = np.setdiff1d(np.arange(len(train)), validated)
        if not numeric and len(np.unique(labels[kept])) < len(np.unique(labels)):
            continue  # all rows of a class are in one group
        found.append(Fold(train[random.permutation(kept)], train[validated]))
    return found


def divide(
    places: Rows, labels: NDArray[Any], group: NDArray[Any] | None, seed: int, *, numeric: bool
) -> list[Rows]:
    """The validation rows of each fold, as scikit-learn divides them."""
    if len(places) > LARGE:
        size = min(VALIDATED, round(0.2 * len(places)))
        if group is not None:
            one = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
            return [places[next(one.split(places, groups=group))[1]]]
        stratify = None if numeric or np.bincount(labels).min(initial=2) < 2 else labels
        return [train_test_split(places, test_size=size, random_state=seed, stratify=stratify)[1]]
    folds = FOLDS[bisect_left(ROWS, len(places))]
    if group is not None:
        count = min(folds, len(np.unique(group)))
        kind = (
            GroupKFold(count)
            if numeric
            else StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        )
        return [places[part] for _, part in kind.split(places, labels, group)]
    count = min(folds, len(places))
    plain = numeric or np.bincount(labels).max() < count
    kind = (KFold if plain else StratifiedKFold)(count, shuffle=True, random_state=seed)
    return [places[part] for _, part in kind.split(places, labels)]

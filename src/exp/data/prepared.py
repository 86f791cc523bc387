"""Rows that are ready for a model: encoded, standardized and mapped, by the training rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from exp.data.dataset import Data, Floats, Split
from exp.data.encoding import Encoding
from exp.data.faults import TooFewRowsError
from exp.data.feature_map import FeatureMap
from exp.data.scaling import fitted, ranged, standardized
from exp.data.target_scale import TargetScale
from exp.util.errors import DataError, SplitError
from exp.util.memory import give_back
from exp.util.metric_names import positive_class

AT_ONCE = 64 << 20
"""Bytes that are made of large data at a time."""
Fit = Callable[[Floats], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Of rows [rows, features] two numbers for each feature."""
Standardize = bool | Literal["minmax"]
"""true: mean 0 and standard deviation 1; minmax: from 0 to 1; both over the training rows."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Rows that are ready for a run: checked, split, encoded, standardized, mapped.

        data.X --encoding--> rows --mean, scale--> scaled --mapping--> X

    A step that is not configured or not needed leaves the rows as they are.

    Attributes:
        data: the rows as they came.
        split: which of them do what.
        mean: [columns of `rows`] float64 of the training rows, or None: not standardized; their
            lowest value for minmax.
        scale: the same, their standard deviation or for minmax their range (1 for a constant
            feature), or None.
        encoding: turns categories and gaps into numbers, or None: there are none.
        mapping: the features that a model is given instead, or None: those that there are.
        target_scale: how a target that is a number is scaled for the model, or None: it is not.

    Raises:
        DataError: a split that does not fit the data: a training part that lacks a class, a row
            that does not exist, a row that stands in two parts.
    """

    data: Data
    split: Split
    mean: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None
    encoding: Encoding | None = None
    mapping: FeatureMap | None = None
    target_scale: TargetScale | None = None

    def __post_init__(self) -> None:
        seen = np.zeros(len(self.data.y), bool)
        for name, rows in self.split.parts.items():
            if rows.min() < 0 or rows.max() >= len(seen):
                raise SplitError(f"{name} names a row outside 0..{len(seen) - 1}")
            if seen[rows].any():
                row = rows[seen[rows]][0]
                raise SplitError(f"row {row} is in {name} and in another part")
            seen[rows] = True
        for name, rows in self.split.parts.items():
            if (weights := self.weights_of(rows)) is not None and not weights.any():
                raise DataError(f"the weights of all {name} rows are 0, so that no row would count")
        if self.data.numeric:
            if not len(self.split.train):
                raise SplitError("there are no training rows")
            return
        trained = np.bincount(self.data.y[self.split.train], minlength=len(self.data.classes))
        if lacking := np.flatnonzero(trained == 0).tolist():
            total = np.bincount(self.data.y)
            need = "the training part needs a row of each class, but has none of these classes"
            few = {n: int(total[n]) for n in lacking}
            raise TooFewRowsError(few, need, self.data.classes, self.data.maybe_number)

    @classmethod
    def of(
        cls,
        data: Data,
        split: Split,
        *,
        standardize: Standardize = False,
        standardize_target: bool = False,
    ) -> Prepared:
        """Encoded by the training rows where that is needed, with `mean` and `scale` fitted on
        them if `standardize`: for minmax the lowest value and the range; and with the scale of
        their targets if `standardize_target`."""
        encoding = None
        if any(data.categories) or data.gaps:
            cls(data, split)  # a split that does not fit is refused before the rows are encoded
            encoding = Encoding.fit(data, split.train).with_notes(data, split.parts)
        prepared = cls(data, split, encoding=encoding)
        weights = prepared.weights_of(split.train)
        if standardize_target:
            prepared = replace(prepared, target_scale=TargetScale.fit(data.y[split.train], weights))
        if not standardize:
            return prepared
        fit = ranged if standardize == "minmax" else partial(fitted, weights=weights)
        mean, scale = prepared.scales(fit)
        return replace(prepared, mean=mean, scale=scale)

    def scales(self, fit: Fit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and scale [columns of `rows`] of the training rows; 0 and 1 for a column of a
        category. Some columns at a time, which keeps the memory low."""
        train, width = self.split.train, len(self.features)
        given = np.arange(self.data.X.shape[1])
        numbers = given if self.encoding is None else given[self.encoding.of_numbers]
        places = np.arange(width)
        mean, scale = np.zeros(width), np.ones(width)
        if self.encoding is not None:
            places = places[~self.encoding.indicator]
        # NumPy makes two copies in float64 to compute a standard deviation.
        count = max(1, min(len(numbers) // 2, -(-24 * len(train) * len(numbers) // AT_ONCE)))
        for columns, at in zip(
            np.array_split(numbers, count), np.array_split(places, count), strict=True
        ):
            if not len(columns):
                continue
            part: Any = self.data.X[np.ix_(train, columns)]
            if self.encoding is not None:
                encoding = self.encoding.part(columns)
                part = encoding(part)[:, ~encoding.indicator]  # without marks of missing values
            if len(columns) == 1 < width:  # NumPy adds up a single column in another order
                part = np.repeat(part, 2, axis=1)
            found = fit(part)
            mean[at], scale[at] = (values[: len(at)] for values in found)
        return mean, scale

    def mapped_by(self, mapping: FeatureMap | None) -> Prepared:
        """The same rows, mapped for the model."""
        return replace(self, mapping=mapping)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the rows were read and encoded."""
        return self.data.notes + (() if self.encoding is None else self.encoding.notes)

    @cached_property
    def rows(self) -> Floats:
        """[rows, columns], finite: every category and gap a number, in the units of the data."""
        return self.encoded(self.data.X)

    @property
    def features(self) -> tuple[str, ...]:
        """A name for each column of `rows`."""
        return self.data.features if self.encoding is None else self.encoding.names

    @property
    def units(self) -> tuple[str | None, ...]:
        """A unit for each column of `rows`."""
        return self.data.units if self.encoding is None else self.encoding.units

    @cached_property
    def scaled(self) -> Floats:
        """`rows` on the scale of the training rows, if `split.standardize` says so.

        Raises:
            DataError: a standardized value that float32 cannot hold.
        """
        return self.standardized(self.rows)

    @cached_property
    def X(self) -> NDArray[np.float32]:  # noqa: N802 - the field's own name
        """[rows, inputs] float32: what a model is given.

        Raises:
            DataError: a value that float32 cannot hold.
        """
        return self.mapped(self.scaled)

    @property
    def inputs(self) -> int:
        """The number of features that a model is given."""
        return len(self.features) if self.mapping is None else int(self.X.shape[1])

    @property
    def large(self) -> bool:
        """Whether `X` takes so much memory that it is not kept beside the data."""
        return self.mapping is None and 4 * len(self.y) * len(self.features) > AT_ONCE

    def check(self) -> None:
        """
        Raises:
            DataError: `X` has a value that float32 cannot hold.
        """
        if not self.large:
            _ = self.X
            return
        try:
            for _ in parts_of(self.input_rows(np.arange(len(self.y)))):
                pass
        except DataError:
            _ = self.X  # for the numbers of the rows
            raise
        give_back()

    def input_rows(self, rows: NDArray[np.int64]) -> InputRows:
        """Some rows of `X`, made where they are needed if `large`."""
        return InputRows(self, rows)

    @property
    def y(self) -> NDArray[Any]:
        """[rows] labels, or targets in their own units."""
        return self.data.y

    def weights_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """How much these rows count in the loss; None: all rows count the same."""
        weights = self.data.weights
        return None if weights is None else weights[rows]

    @cached_property
    def targets(self) -> NDArray[Any]:
        """[rows] what a model learns: `y`, scaled if `split.standardize_target` says so."""
        return self.y if self.target_scale is None else self.target_scale.scaled(self.y)

    @property
    def unit(self) -> float:
        """How many units of `y` one unit of `targets` is."""
        return 1.0 if self.target_scale is None else self.target_scale.scale

    def restored(self, predicted: NDArray[Any]) -> NDArray[Any]:
        """What a model predicts, in the units of `y`."""
        return predicted if self.target_scale is None else self.target_scale.restored(predicted)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Training rows of each class; () where the target is a number."""
        if self.data.numeric:
            return ()
        labels = self.data.y[self.split.train]
        return tuple(np.bincount(labels, minlength=len(self.data.classes)).tolist())

    @cached_property
    def class_sizes(self) -> tuple[float, ...]:
        """The sum of the weights of each class' training rows, which is `counts` where all rows
        count the same; () where the target is a number."""
        if self.data.numeric or self.data.weights is None:
            return self.counts
        train = self.split.train
        sizes = np.bincount(
            self.data.y[train], self.data.weights[train], minlength=len(self.data.classes)
        )
        return tuple(sizes.tolist())

    @cached_property
    def positive(self) -> int | None:
        """Of two classes the label that counts as positive; None where there are not two."""
        if self.data.positive is not None:
            return self.data.positive
        return positive_class(self.data.classes, self.counts)

    @property
    def fingerprint(self) -> str:
        return self.data.fingerprint

    @property
    def split_digest(self) -> str:
        return self.split.digest

    def encoded(self, X: Floats) -> Floats:
        """Rows such as those of `data.X` as rows such as those of `rows`."""
        return X if self.encoding is None else self.encoding(X)

    def transform(self, rows: Floats) -> NDArray[np.float32]:
        """What a model is given for other `rows` [rows, columns], in the units they came in."""
        return self.mapped(self.standardized(rows))

    def standardized(self, rows: Floats) -> Floats:
        """Other `rows` [rows, columns] on the scale of the training rows, in float32; as they are
        if they are not standardized."""
        if self.mean is None or self.scale is None:
            return rows
        return standardized(rows, self.mean, self.scale, self.features)

    def mapped(self, scaled: Floats) -> NDArray[np.float32]:
        """What a model is given for other `scaled` rows [rows, columns]."""
        if self.mapping is not None:
            return self.mapping(scaled)
        return scaled.astype(np.float32, copy=False)


class Matrix(Protocol):
    """Rows [rows, features], of which parts can be read."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, part: slice, /) -> NDArray[np.float32]: ...


@dataclass(frozen=True, eq=False)
class InputRows:
    """Rows of a model's inputs, which are made when they are read.

    Attributes:
        prepared: the data.
        rows: which of its rows.
    """

    prepared: Prepared
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.prepared.inputs

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Some of the rows, [rows, inputs], as a copy."""
        prepared, rows = self.prepared, self.rows[part]
        if not prepared.large:
            return prepared.X[rows]
        return prepared.transform(prepared.encoded(prepared.data.X[rows]))


def parts_of(rows: Matrix) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The rows of a matrix, some at a time, each time with the place of the first one."""
    count, width = rows.shape
    some = max(1, AT_ONCE // 16 // max(width, 1))
    for start in range(0, count, some):
        yield start, rows[start : start + some]

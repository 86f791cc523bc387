"""Rows and labels, and how they are split: plain NumPy arrays, checked where they are made.

Whoever holds a `Data` or a `Prepared` need not look again: the numbers are finite, the labels run
from 0 to K-1 with a row each, and no row of the training part is met again in another part. The
target of a row is its class, or a number (regression): the data say which, by having classes or
none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exp.data.faults import (
    TooFewRowsError,
    not_finite,
    raise_any,
    real,
    wrong_codes,
    wrong_labels,
    wrong_names,
    wrong_shapes,
)
from exp.data.feature_map import FeatureMap
from exp.registry.types import Standardize
from exp.util.errors import DataError
from exp.util.metric_names import positive_class

if TYPE_CHECKING:
    from exp.data.encoding import Encoding
    from exp.data.table import Reading

Floats = NDArray[np.float32] | NDArray[np.float64]

RESOLUTION = 1e-4
"""Of a column's standard deviation: how much of it rounding to float32 may take."""


@dataclass(frozen=True, eq=False)
class Data:
    """Labelled rows.

    Attributes:
        X: [rows, features], C-contiguous, finite; not to be written to. float32, or float64
            where float32 would lose what makes rows differ, see `precise`.
        y: [rows] int64 labels in 0..K-1, each met at least once, K at least 2; or, where the
            target is a number, float32, finite.
        classes: K names; `classes[y[i]]` is the class of row i. (): the target is a number.
        features: a name for each column of X.
        units: a unit for each column of X, None where there is none or it is not known.
        categories: for each column of X None, or the texts that its numbers 0, 1, ... stand for;
            () where all columns are numbers.
        gaps: whether X may hold NaN, a missing value that `exp.data.encoding` fills.
        test: rows that are for the test, however the others are split, as they came from a file of
            their own; None where any row may be.
        notes: what a user should hear of how the rows came about.
        max_categories: how many columns are made of one column of categories at most, the rarest
            sharing the last; None: one for each category.
        reading: how fields of files like the rows' own are read; None: they came from no file.
        positive: of two classes the label (0 or 1) that counts as positive in scores such as
            precision; None: the names of the classes and the training rows decide.

    Raises:
        DataError: naming row and column (rows counted from 0).
    """

    X: Floats
    y: NDArray[Any]
    classes: tuple[str, ...]
    features: tuple[str, ...]
    units: tuple[str | None, ...]
    categories: tuple[tuple[str, ...] | None, ...] = ()
    gaps: bool = False
    test: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    max_categories: int | None = None
    reading: Reading | None = None
    positive: int | None = None

    def __post_init__(self) -> None:
        columns = (len(self.features), len(self.units))
        kind = np.float32 if self.numeric else np.int64
        raise_any([*wrong_shapes(self.X, self.y, *columns, kind=kind)])
        raise_any([*wrong_names("class", self.classes), *wrong_names("feature", self.features)])
        values = not_finite(self.X, self.X, self.features, gaps=self.gaps)
        if self.numeric:
            targets = self.y[:, None]
            raise_any([*values, *not_finite(targets, targets, ["target"])])
        else:
            raise_any([*values, *wrong_labels(self.y, self.classes)])
        if self.positive is not None and (len(self.classes) != 2 or self.positive not in (0, 1)):
            raise DataError(f"positive must be 0 or 1, of two classes; found {self.positive!r}")
        raise_any([*wrong_codes(self.X, self.categories, self.features)])

    @classmethod
    def checked(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        *,
        classes: Sequence[str],
        features: Sequence[str] | None = None,
        units: Sequence[str | None] | None = None,
        positive: int | None = None,
    ) -> Data:
        """`Data` from arrays of any real type, cast to float32 (see `precise`) and int64.

        Args:
            X: [rows, features], any real numbers that float32 can hold.
            y: [rows], any integers.
            classes: K names.
            features: names of the columns; x1, x2, ... unless given.
            units: of the columns; none unless given.
            positive: of two classes the label that counts as positive, as for `Data`.

        Raises:
            DataError: as for `Data`, and for numbers that float32 cannot hold.
        """
        if np.asarray(y).dtype.kind in "US":
            hint = "classes, y = np.unique(y, return_inverse=True)"
            raise DataError(f"y holds texts, expected integers 0..K-1: {hint}")
        labels = real(y, "y")
        rows, names, given = columns_of(X, labels, features, units)
        if labels.dtype.kind not in "iub":
            whole = bool((labels == np.floor(labels)).all())
            hint = ". Labels count classes: y.astype(int); a loss makes floats of them itself"
            raise DataError(
                f"y has dtype {labels.dtype}, expected integers 0..K-1{hint if whole else ''}"
            )
        if labels.size and labels.min() == 1 and labels.max() == len(classes):
            raise DataError(f"y holds labels 1..{len(classes)}, expected 0..K-1: y - 1")
        y64 = labels.astype(np.int64)
        return cls(rows, y64, tuple(classes), names, given, positive=positive)

    @classmethod
    def numbers(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        *,
        features: Sequence[str] | None = None,
        units: Sequence[str | None] | None = None,
    ) -> Data:
        """`Data` whose target is a number (regression), cast to float32; X see `precise`.

        Args:
            X: [rows, features], any real numbers that float32 can hold.
            y: [rows], the same.
            features, units: as for `checked`.

        Raises:
            DataError: as for `Data`, and for numbers that float32 cannot hold.
        """
        targets = real(y, "y")
        rows, names, given = columns_of(X, targets, features, units)
        with np.errstate(over="ignore"):
            cast = targets.astype(np.float32)
        raise_any([*not_finite(cast[:, None], targets[:, None], ["target"])])
        if coarse(targets):
            raise DataError(
                "the targets differ by less than float32, in which models compute, can tell apart: "
                "subtract their mean, or give them another unit"
            )
        return cls(rows, cast, (), names, given)

    @property
    def numeric(self) -> bool:
        """Whether the target of a row is a number, and not one of some classes."""
        return not self.classes

    @property
    def categorical(self) -> tuple[str, ...]:
        """The features that hold categories."""
        kinds = self.categories or (None,) * len(self.features)
        return tuple(n for n, texts in zip(self.features, kinds, strict=True) if texts is not None)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of all that a run can see of the data: numbers, labels and names."""
        names: list[Any] = [self.X.shape, self.classes, self.features, self.units]
        if not self.plain:
            names += [self.categories, self.gaps, self.test is not None]
        if self.max_categories is not None:
            names.append(self.max_categories)
        own = () if self.test is None else (self.test,)
        return digest(json.dumps(names).encode(), self.X, self.y, *own)

    @property
    def plain(self) -> bool:
        """Whether all of X is numbers that are there, and any row may be for the test."""
        return not (any(self.categories) or self.gaps or self.test is not None)


@dataclass(frozen=True, eq=False)
class Split:
    """Which rows of X do what, in the order in which they are used.

    Attributes:
        train: [training rows] int64 row indices.
        test: the same; may be empty.
        validation: the same; may be empty.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    validation: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):
            rows = getattr(self, name)
            if not isinstance(rows, np.ndarray) or rows.ndim != 1 or rows.dtype != np.int64:
                raise DataError(f"split: {name} must be a vector of int64 row indices")

    @property
    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Row indices by name of the part: train, validation, test. Empty parts stay out."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: rows for name, rows in parts.items() if len(rows)}

    @cached_property
    def digest(self) -> str:
        """sha256 of the row indices of all parts, in order."""
        sizes = [len(self.train), len(self.validation), len(self.test)]
        return digest(json.dumps(sizes).encode(), self.train, self.validation, self.test)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Rows that are ready for a run: checked, split, encoded, standardized, mapped.

        data.X --encoding--> rows --mean, scale--> scaled --mapping--> X

    Each step that is not asked for or not needed leaves the rows as they are.

    Attributes:
        data: the rows as they came.
        split: which of them do what.
        mean: [columns of `rows`] float64 of the training rows, or None: not standardized; their
            lowest value for minmax.
        scale: the same, their standard deviation or for minmax their range (1 for a constant
            feature), or None.
        encoding: turns categories and gaps into numbers, or None: there are none.
        mapping: the features that a model is given instead, or None: those that there are.

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

    def __post_init__(self) -> None:
        seen = np.zeros(len(self.data.y), bool)
        for name, rows in self.split.parts.items():
            if rows.min() < 0 or rows.max() >= len(seen):
                raise DataError(f"split: {name} names a row outside 0..{len(seen) - 1}")
            if seen[rows].any():
                row = rows[seen[rows]][0]
                raise DataError(f"split: row {row} stands in {name} and in another part")
            seen[rows] = True
        if self.data.numeric:
            if not len(self.split.train):
                raise DataError("split: no row is left to train on")
            return
        trained = np.bincount(self.data.y[self.split.train], minlength=len(self.data.classes))
        if lacking := np.flatnonzero(trained == 0).tolist():
            total = np.bincount(self.data.y)
            need = "the training part needs a row of each class, but got none of these"
            raise TooFewRowsError({n: int(total[n]) for n in lacking}, need, self.data.classes)

    @classmethod
    def of(cls, data: Data, split: Split, *, standardize: Standardize = False) -> Prepared:
        """Encoded by the training rows where that is needed, with `mean` and `scale` fitted on
        them if `standardize`: for minmax the lowest value and the range."""
        encoding = None
        if any(data.categories) or data.gaps:
            from exp.data.encoding import Encoding

            cls(data, split)  # a split that does not fit is told before the rows are looked at
            encoding = Encoding.fit(data, split.train).told(data, split.parts)
        prepared = cls(data, split, encoding=encoding)
        if not standardize:
            return prepared
        fit = ranged if standardize == "minmax" else fitted
        mean, scale = fit(prepared.rows[split.train])
        if encoding is not None:
            mean[encoding.indicator], scale[encoding.indicator] = 0.0, 1.0
        return replace(prepared, mean=mean, scale=scale)

    def mapped_by(self, mapping: FeatureMap | None) -> Prepared:
        """The same rows, mapped for the model."""
        return replace(self, mapping=mapping)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should hear of how the rows came about, and how they were encoded."""
        return self.data.notes + (() if self.encoding is None else self.encoding.notes)

    @cached_property
    def rows(self) -> Floats:
        """[rows, columns], finite: every category and every gap a number, in own units."""
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
        """`rows` on the scale of the training rows, if that was asked for.

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
    def y(self) -> NDArray[Any]:
        return self.data.y

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Training rows of each class; () where the target is a number."""
        if self.data.numeric:
            return ()
        labels = self.data.y[self.split.train]
        return tuple(np.bincount(labels, minlength=len(self.data.classes)).tolist())

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


def columns_of(
    X: ArrayLike,
    y: NDArray[np.generic],
    features: Sequence[str] | None,
    units: Sequence[str | None] | None,
) -> tuple[Floats, tuple[str, ...], tuple[str | None, ...]]:
    """Rows `[rows, features]` as `precise` has them, with the names and the units of their columns.

    Raises:
        DataError: shapes that cannot be, and numbers that float32 cannot hold.
    """
    given = real(X, "X")
    if given.ndim != 2 or y.ndim != 1:
        shapes = f"X has shape {list(given.shape)} and y {list(y.shape)}"
        column = y.ndim == 2 and y.shape[1:] == (1,)
        hint = ": y[:, 0]" if column else ""
        raise DataError(f"{shapes}, expected [rows, features] and [rows]{hint}")
    names = tuple(features or (f"x{column + 1}" for column in range(given.shape[1])))
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(given, dtype=np.float32)
    if len(names) == given.shape[1]:
        raise_any([*not_finite(cast, given, names)])
    return precise(given), names, tuple(units or (None,) * given.shape[1])


def precise(X: NDArray[Any]) -> Floats:
    """Rows `[rows, features]` as float32, C-contiguous; as float64 where float32 would round away
    what makes the rows of a column differ, as of 1,000,000.01 and 1,000,000.02.

    A model computes in float32, but on standardized rows. Rows that float32 holds well stay float32
    and keep their fingerprint.
    """
    if X.dtype.itemsize > 4 and any(coarse(column) for column in X.T):
        return np.ascontiguousarray(X, dtype=np.float64)
    return np.ascontiguousarray(X, dtype=np.float32)


def coarse(values: NDArray[Any]) -> bool:
    """Whether float32 is too coarse for these numbers [rows], of which NaN are left out."""
    there = values[~np.isnan(values)].astype(np.float64)
    if not len(there):
        return False
    deviation = there.std()
    if deviation <= noise(there):
        return False
    lost = np.abs(there.astype(np.float32) - there).max()
    return bool(lost > RESOLUTION * deviation)


def noise(values: NDArray[Any]) -> Any:
    """A standard deviation that rounding to float64 gives to rows that are all the same.

    Source: scikit-learn's `StandardScaler`.
    """
    return len(values) * np.abs(values.mean(axis=0)) * np.finfo(np.float64).eps


def fitted(rows: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation [features] of `rows` [rows, features], computed in float64."""
    mean = rows.mean(axis=0, dtype=np.float64)
    scale = rows.std(axis=0, dtype=np.float64)
    # By its range, as rounding leaves a constant feature a deviation that is not quite zero.
    constant = rows.max(axis=0) == rows.min(axis=0)
    if rows.dtype == np.float64:
        constant |= scale <= noise(rows)
    mean[constant] = rows[0, constant]
    scale[constant | (scale == 0)] = 1.0
    return mean, scale


def ranged(rows: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest value and range [features] of `rows` [rows, features]; the range of a constant is 1.

    Source: scikit-learn's `MinMaxScaler`.
    """
    low = rows.min(axis=0).astype(np.float64)
    scale = rows.max(axis=0) - low
    scale[scale == 0] = 1.0
    return low, scale


def standardized(
    X: Floats,
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    features: Sequence[str],
) -> NDArray[np.float32]:
    """(X - mean) / scale, computed in float64 a column at a time, which keeps the memory low."""
    out = np.empty(X.shape, np.float32)
    with np.errstate(over="ignore"):
        for column in range(X.shape[1]):
            out[:, column] = (X[:, column] - mean[column]) / scale[column]
    raise_any([*not_finite(out, X, features)], "standardizing")
    return out


def digest(*parts: bytes | NDArray[np.generic]) -> str:
    """sha256, in hex, of bytes and arrays one after the other."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data)
    return total.hexdigest()

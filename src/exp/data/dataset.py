"""Rows and labels, and how they are split: plain NumPy arrays, checked where they are made.

A `Data` and a `Prepared` are valid: the numbers are finite, each label from 0 to K-1 has a row, and
no row stands in two parts of a split. The target of a row is its class, or a number (regression)
where the data have no classes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exp.data.faults import (
    not_finite,
    raise_any,
    real,
    wrong_codes,
    wrong_labels,
    wrong_names,
    wrong_shapes,
    wrong_weights,
)
from exp.data.labels import MANY, integers
from exp.data.split_columns import columns_of_split
from exp.util.errors import DataError, SplitError

if TYPE_CHECKING:
    from exp.data.reading_settings import Reading

Floats = NDArray[np.float32] | NDArray[np.float64]

RESOLUTION = 1e-4
"""Of a column's standard deviation: how much of it rounding to float32 may take."""


@dataclass(frozen=True, eq=False)
class Data:
    """Labelled rows.

    Attributes:
        X: [rows, features], C-contiguous, finite, read-only. float32, or float64 if float32 cannot
            distinguish the rows (see `precise`).
        y: [rows] int64 labels in 0..K-1, each with at least one row, K at least 2; for
            regression, float32, finite.
        classes: K names; `classes[y[i]]` is the class of row i. For regression: ().
        features: a name for each column of X.
        units: a unit for each column of X, or None.
        categories: for each column of X None, or the texts of its categories 0, 1, ...; () if all
            columns are numbers.
        gaps: whether X may contain NaN, a missing value that `exp.data.encoding` fills.
        test: the indices of the test rows, if they come from a file of test rows; else None.
        notes: messages for the user about how the rows were read.
        max_categories: largest number of encoded columns per column of categories; the rarest
            categories share the last one. None: no limit.
        reading: how the file of the rows was read; None: the rows do not come from a file.
        positive: the positive class of two (0 or 1) for scores such as precision; None: the names
            of the classes and the training rows decide.
        columns: columns that are not features but may decide the split, by name: [rows] numbers or
            texts, such as the patient of each row.
        weights: [rows] float32, at least 0: how much each row counts in the loss; None: all rows
            count the same.

    Raises:
        DataError: invalid data; the message names row (from 0) and column.
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
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    weights: NDArray[np.float32] | None = None

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
            raise DataError(f"positive must be 0 or 1, one of two classes; found {self.positive!r}")
        raise_any([*wrong_codes(self.X, self.categories, self.features)])
        columns_of_split(self.columns, len(self.y))
        raise_any([*wrong_weights(self.weights, len(self.y))])

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
        columns: Mapping[str, ArrayLike] | None = None,
        weights: ArrayLike | None = None,
    ) -> Data:
        """`Data` from arrays of any real type, cast to float32 (see `precise`) and int64.

        Args:
            X: [rows, features], any real numbers that float32 can hold.
            y: [rows], any integers.
            classes: K names.
            features: names of the columns; by default x1, x2, ...
            units: units of the columns; by default there are none.
            positive: the positive class of two, as for `Data`.
            columns: columns [rows] that are not features, by name, for a split: the group or the
                part of each row.
            weights: [rows] numbers of at least 0: how much each row counts in the loss.

        Raises:
            DataError: as for `Data`, and for numbers that float32 cannot hold.
        """
        if np.asarray(y).dtype.kind in "US":
            hint = "classes, y = np.unique(y, return_inverse=True)"
            raise DataError(f"y contains texts, expected integers 0..K-1: {hint}")
        labels = real(y, "y")
        rows, names, given = columns_of(X, labels, features, units)
        if labels.dtype.kind not in "iub":
            whole = bool((labels == np.floor(labels)).all())
            hint = ". Labels are integers: use y.astype(int). The loss converts them itself"
            raise DataError(
                f"y has dtype {labels.dtype}, expected integers 0..K-1{hint if whole else ''}"
            )
        if labels.size and labels.min() == 1 and labels.max() == len(classes):
            raise DataError(f"y contains labels 1..{len(classes)}, expected 0..K-1: y - 1")
        y64 = labels.astype(np.int64)
        kept = columns_of_split(columns, len(y64))
        counted = weights_of(weights)
        return cls(
            rows, y64, tuple(classes), names, given,
            positive=positive, columns=kept, weights=counted,
        )  # fmt: skip

    @classmethod
    def numbers(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        *,
        features: Sequence[str] | None = None,
        units: Sequence[str | None] | None = None,
        columns: Mapping[str, ArrayLike] | None = None,
        weights: ArrayLike | None = None,
    ) -> Data:
        """`Data` for regression, with y as float32 and X as in `precise`.

        Args:
            X: [rows, features], any real numbers that float32 can hold.
            y: [rows], the same.
            features, units, columns, weights: as for `checked`.

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
                "the targets differ too little for float32, in which models compute: "
                "subtract their mean, or use another unit"
            )
        kept = columns_of_split(columns, len(cast))
        return cls(rows, cast, (), names, given, columns=kept, weights=weights_of(weights))

    @property
    def numeric(self) -> bool:
        """Whether the target of a row is a number, and not one of some classes."""
        return not self.classes

    @property
    def maybe_number(self) -> str:
        """What to do if the classes of a file, which are many integers, were meant as a number; ""
        if they are not such classes."""
        if self.reading is None or len(self.classes) <= MANY or not integers(self.classes):
            return ""
        return "if the target is a number and not a class, set dataset.task=number"

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
        if self.weights is not None:
            names.append("weights")
        more = [each for each in (self.test, self.weights) if each is not None]
        return digest(json.dumps(names).encode(), self.X, self.y, *more)

    @property
    def plain(self) -> bool:
        """Whether all of X is numbers that are there, any row may be for the test, and all rows
        count the same."""
        special = self.gaps or self.test is not None or self.weights is not None
        return not (special or any(self.categories))


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of each part, in the order in which they are used.

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
                raise SplitError(f"{name} must be a vector of int64 row indices")

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

    @cached_property
    def record(self) -> dict[str, dict[str, Any]]:
        """Part -> its number of rows and the sha256 of their indices, as run.json has it."""
        return {n: {"rows": len(rows), "sha256": digest(rows)} for n, rows in self.parts.items()}


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


def weights_of(weights: ArrayLike | None) -> NDArray[np.float32] | None:
    """Weights of rows as float32.

    Raises:
        DataError: they are no numbers.
    """
    if weights is None:
        return None
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(real(weights, "weights"), np.float32)


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


def digest(*parts: bytes | NDArray[np.generic]) -> str:
    """sha256, in hex, of bytes and arrays one after the other."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data)
    return total.hexdigest()

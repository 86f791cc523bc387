"""Rows and labels, and how they are split: plain NumPy arrays, checked where they are made.

Whoever holds a `Data` or a `Prepared` need not look again: the numbers are finite, the labels run
from 0 to K-1 with a row each, and no row of the training part is met again in another part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exp.datafaults import (
    TooFewRowsError,
    not_finite,
    raise_any,
    real,
    wrong_labels,
    wrong_names,
    wrong_shapes,
)
from exp.errors import DataError


@dataclass(frozen=True, eq=False)
class Data:
    """Labelled rows.

    Attributes:
        X: [rows, features] float32, C-contiguous, finite; not to be written to.
        y: [rows] int64 labels in 0..K-1, each met at least once, K at least 2.
        classes: K names; `classes[y[i]]` is the class of row i.
        features: a name for each column of X.
        units: a unit for each column of X, None where there is none or it is not known.

    Raises:
        DataError: naming row and column (rows counted from 0).
    """

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    features: tuple[str, ...]
    units: tuple[str | None, ...]

    def __post_init__(self) -> None:
        columns = (len(self.features), len(self.units))
        raise_any([*wrong_shapes(self.X, self.y, *columns)])
        raise_any([*wrong_names("class", self.classes), *wrong_names("feature", self.features)])
        values = not_finite(self.X, self.X, self.features)
        raise_any([*values, *wrong_labels(self.y, self.classes)])

    @classmethod
    def checked(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        *,
        classes: Sequence[str],
        features: Sequence[str] | None = None,
        units: Sequence[str | None] | None = None,
    ) -> Data:
        """`Data` from arrays of any real type, cast to float32 and int64.

        Args:
            X: [rows, features], any real numbers that float32 can hold.
            y: [rows], any integers.
            classes: K names.
            features: names of the columns; x1, x2, ... unless given.
            units: of the columns; none unless given.

        Raises:
            DataError: as for `Data`, and for numbers that float32 cannot hold.
        """
        given, labels = real(X, "X"), real(y, "y")
        if given.ndim != 2 or labels.ndim != 1:
            shapes = f"X has shape {list(given.shape)} and y {list(labels.shape)}"
            raise DataError(f"{shapes}, expected [rows, features] and [rows]")
        if labels.dtype.kind not in "iub":
            raise DataError(f"y has dtype {labels.dtype}, expected integers 0..K-1")
        names = tuple(features or (f"x{column + 1}" for column in range(given.shape[1])))
        with np.errstate(over="ignore"):
            cast = np.ascontiguousarray(given, dtype=np.float32)
        if len(names) == given.shape[1]:
            raise_any([*not_finite(cast, given, names)])
        blank = (None,) * given.shape[1]
        return cls(cast, labels.astype(np.int64), tuple(classes), names, tuple(units or blank))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of all that a run can see of the data: numbers, labels and names."""
        names = [self.X.shape, self.classes, self.features, self.units]
        return digest(json.dumps(names).encode(), self.X, self.y)


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
    """Rows that are ready for a run: checked, split and, if asked for, standardized.

    Attributes:
        data: the rows as they came.
        split: which of them do what.
        mean: [features] float64 of the training rows, or None: not standardized.
        scale: [features] float64, their standard deviation (1 for a constant feature), or None.

    Raises:
        DataError: a split that does not fit the data: a training part that lacks a class, a row
            that does not exist, a row that stands in two parts.
    """

    data: Data
    split: Split
    mean: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        seen = np.zeros(len(self.data.y), bool)
        for name, rows in self.split.parts.items():
            if rows.min() < 0 or rows.max() >= len(seen):
                raise DataError(f"split: {name} names a row outside 0..{len(seen) - 1}")
            if seen[rows].any():
                row = rows[seen[rows]][0]
                raise DataError(f"split: row {row} stands in {name} and in another part")
            seen[rows] = True
        trained = np.bincount(self.data.y[self.split.train], minlength=len(self.data.classes))
        if lacking := np.flatnonzero(trained == 0).tolist():
            total = np.bincount(self.data.y)
            need = "the training part needs a row of each class, but got none of these"
            raise TooFewRowsError({n: int(total[n]) for n in lacking}, need, self.data.classes)

    @classmethod
    def of(cls, data: Data, split: Split, *, standardize: bool = False) -> Prepared:
        """With `mean` and `scale` fitted on the training rows if `standardize`."""
        prepared = cls(data, split)
        return cls(data, split, *fitted(data.X[split.train])) if standardize else prepared

    @cached_property
    def X(self) -> NDArray[np.float32]:  # noqa: N802 - the field's own name
        """[rows, features] float32: what a model is given. Standardized where that was asked for.

        Raises:
            DataError: a standardized value that float32 cannot hold.
        """
        return self.transform(self.data.X)

    @property
    def y(self) -> NDArray[np.int64]:
        return self.data.y

    @property
    def fingerprint(self) -> str:
        return self.data.fingerprint

    @property
    def split_digest(self) -> str:
        return self.split.digest

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Other rows [rows, features] on the scale of the training rows."""
        if self.mean is None or self.scale is None:
            return X
        return standardized(X, self.mean, self.scale, self.data.features)


def fitted(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation [features] of `rows` [rows, features], computed in float64."""
    mean = rows.mean(axis=0, dtype=np.float64)
    scale = rows.std(axis=0, dtype=np.float64)
    # By its range, as rounding leaves a constant feature a deviation that is not quite zero.
    constant = rows.max(axis=0) == rows.min(axis=0)
    mean[constant] = rows[0, constant]
    scale[constant | (scale == 0)] = 1.0
    return mean, scale


def standardized(
    X: NDArray[np.float32],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    features: Sequence[str],
) -> NDArray[np.float32]:
    """(X - mean) / scale, computed in float64 a column at a time, which keeps the memory low."""
    out = np.empty_like(X)
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

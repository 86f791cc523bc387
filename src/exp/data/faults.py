"""What can be wrong with labelled rows: sentences, and the errors made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exp.util.errors import DataError, SplitError, lines, shown

MOST = 10
"""How many faults one message lists."""


class TooFewRowsError(SplitError):
    """Classes with too few rows for a split.

    A split is given labels only; `named` is the same error with the names of the classes.

    Args:
        rows: label -> how many rows it has, for each class that has too few.
        need: how many are needed, and for what.
        classes: the names of all classes, if they are known.
        hint: what may be done about it.
    """

    def __init__(
        self,
        rows: Mapping[int, int],
        need: str,
        classes: Sequence[str] | None = None,
        hint: str = "",
    ) -> None:
        self.rows, self.need = rows, need
        names = [
            f"class {shown(classes[label])} (label {label})" if classes else f"label {label}"
            for label in rows
        ]
        found = [
            f"{who}: {rows_text(count)}" for who, count in zip(names, rows.values(), strict=True)
        ]
        text = listed(need, found)
        super().__init__(lines(text, hint) if hint else text)

    def named(self, classes: Sequence[str], hint: str = "") -> TooFewRowsError:
        return TooFewRowsError(self.rows, self.need, classes, hint)


def wrong_shapes(
    X: NDArray[np.floating],
    y: NDArray[np.generic],
    features: int,
    units: int,
    *,
    kind: type[np.generic] = np.int64,
) -> Iterator[str]:
    """What is wrong with the arrays, given how many names and units there are for the columns, and
    the kind of number that y is made of."""
    if not isinstance(X, np.ndarray) or X.dtype not in (np.float32, np.float64) or X.ndim != 2:
        yield "X must be a float32 or float64 array [rows, features]"
    elif not isinstance(y, np.ndarray) or y.dtype != kind or y.ndim != 1:
        yield f"y must be an {kind.__name__} array [rows]".replace("an float", "a float")
    elif len(X) != len(y):
        yield f"X has {rows_text(len(X))}, y has {rows_text(len(y))}"
    elif min(X.shape) == 0:
        yield f"X has shape {list(X.shape)}, expected at least one row and one feature"
    elif not X.flags.c_contiguous:
        yield "X must be C-contiguous"
    elif features != X.shape[1] or units != X.shape[1]:
        found = f"{features} feature names and {units} units"
        yield f"X has {X.shape[1]} columns, but there are {found}"


def wrong_names(what: str, names: Sequence[str]) -> Iterator[str]:
    for name, count in repeated(names).items():
        yield f"{what} name {shown(name)} is given {count} times"


def repeated(names: Sequence[str]) -> dict[str, int]:
    """How often each name stands there that stands there more than once."""
    return {name: count for name, count in Counter(names).items() if count > 1}


def not_finite(
    X: NDArray[np.floating],
    given: NDArray[np.generic],
    features: Sequence[str],
    *,
    gaps: bool = False,
) -> Iterator[str]:
    """What is wrong in `X`, shown with the values it was made from; NaN is allowed with `gaps`."""
    wrong = np.isinf(X) if gaps else ~np.isfinite(X)
    if not wrong.any():
        return
    for row, column in np.argwhere(wrong)[: MOST + 1]:
        value = given[row, column].item()
        why = "does not fit float32" if np.isfinite(value) else "is not a finite number"
        yield f"row {row}, column {shown(features[column])}: {value} {why}"


def wrong_codes(
    X: NDArray[np.floating], categories: Sequence[Sequence[str] | None], features: Sequence[str]
) -> Iterator[str]:
    """What is wrong with columns whose numbers stand for categories."""
    if categories and len(categories) != len(features):
        yield f"X has {len(features)} columns, but categories are given for {len(categories)}"
        return
    for column, texts in enumerate(categories):
        if texts is None:
            continue
        yield from wrong_names(f"category of column {shown(features[column])}:", texts)
        codes = X[:, column][~np.isnan(X[:, column])]
        if ((codes < 0) | (codes >= len(texts)) | (codes != np.floor(codes))).any():
            yield f"column {shown(features[column])}: expected categories 0..{len(texts) - 1}"


def wrong_labels(y: NDArray[np.int64], classes: Sequence[str]) -> Iterator[str]:
    count = len(classes)
    outside = np.flatnonzero((y < 0) | (y >= count))
    for row in outside[: MOST + 1]:
        yield f"row {row}, label: {y[row]} is outside 0..{count - 1}"
    if len(outside):
        return
    rows = np.bincount(y, minlength=count)
    if np.count_nonzero(rows) == 1:
        only = shown(classes[int(y[0])])
        yield f"all {rows_text(len(y))} have class {only}; a classifier needs two classes"
    else:
        for label in np.flatnonzero(rows == 0).tolist():
            yield f"class {shown(classes[label])} (label {label}) has no rows"


def wrong_weights(weights: NDArray[np.float32] | None, rows: int) -> Iterator[str]:
    """What is wrong with the weights of so many rows."""
    if weights is None:
        return
    if weights.dtype != np.float32 or weights.shape != (rows,):
        found = f"found {weights.dtype} of shape {list(weights.shape)}"
        yield f"weights must be a float32 array [rows], one for each of {rows_text(rows)}; {found}"
        return
    for row in np.flatnonzero(~(weights >= 0) | np.isinf(weights))[: MOST + 1].tolist():
        yield f"row {row}, weight: {weights[row]} is not a finite number of at least 0"


def real(values: ArrayLike, name: str) -> NDArray[np.generic]:
    """An array of real numbers, whatever it was."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(f"{name} is not an array: {error}") from error
    if array.dtype.kind not in "iufb":
        raise DataError(f"{name} has dtype {array.dtype}, expected numbers")
    return array


def raise_any(faults: Sequence[str], heading: str = "the data cannot be used") -> None:
    """One DataError for all `faults`, if there are any."""
    if faults:
        raise DataError(listed(heading, faults))


def listed(heading: str, faults: Sequence[str]) -> str:
    """One fault on the line of the heading; more on a line each, up to `MOST`."""
    if len(faults) == 1:
        return f"{heading}: {faults[0]}"
    rest = ["and more"] if len(faults) > MOST else []
    return lines(heading, *(f"  {text}" for text in (*faults[:MOST], *rest)))


def rows_text(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows} rows"

"""Converts the result of a custom data set to `Data`: arrays, a scikit-learn Bunch, a DataFrame."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data.dataset import Data, weights_of
from exp.data.faults import real
from exp.data.split_columns import columns_of_split
from exp.util.errors import ComponentError, DataError, shown

TARGETS = ("target", "label", "labels", "class", "y")
"""Columns of a frame, and keys of a mapping, that hold what is to be learned."""
FEATURES = ("data", "X", "x", "features")
CLASSES = 20
"""So many different whole numbers are classes; more of them, as floats, are numbers."""
WAYS = (
    "Return an exp.data.Data, a pair (X, y), a scikit-learn Bunch, or a pandas "
    f"DataFrame with a column {', '.join(TARGETS[:-1])} or {TARGETS[-1]}"
)


def rows_of(found: object, name: str, aside: Sequence[str] = ()) -> Data:
    """The result of a custom data set as `Data`.

    Args:
        found: `Data`; (X, y); a mapping or Bunch with data and target, and maybe weights of the
            rows; a DataFrame with a column of labels. X is `[rows, features]` numbers, or a frame
            whose text columns are categories. y is `[rows]`: texts, truth values or integers are
            classes; other numbers are regression targets.
        name: name of the data set, for messages.
        aside: columns of a frame, or keys of a mapping, that the split needs and that are not
            features.

    Raises:
        ComponentError: it is none of these.
        DataError: the rows cannot be used.
    """
    if isinstance(found, Data):
        return found
    classes: Sequence[str] | None = None
    features: Sequence[str] | None = None
    columns: dict[str, Any] = {}
    weights = None
    if isinstance(found, Mapping):
        weights = found.get("weights")
        columns = {each: found[each] for each in aside if each in found}
        X, y = (_entry(found, keys, name) for keys in (FEATURES, TARGETS))
        classes, features = found.get("target_names"), found.get("feature_names")
    elif isinstance(found, (tuple, list)) and len(found) == 2:
        X, y = found
    elif hasattr(found, "columns"):
        X, y = _parted(found, name)
    else:
        kind = f"a {type(found).__name__}"
        if isinstance(found, (tuple, list)):
            kind += f" of {len(found)}"
        raise ComponentError(f"dataset {name} returned {kind}. {WAYS}")
    if hasattr(X, "columns"):
        within = [each for each in X.columns if str(each) in aside and str(each) not in columns]
        columns |= {str(each): X[each] for each in within}
        X = X.drop(columns=within)
    data = _data(X, y, name, classes=classes, features=features)
    kept = columns_of_split(columns, len(data.y))
    return dataclasses.replace(data, columns=kept, weights=weights_of(weights))


def _entry(found: Mapping[str, Any], keys: Sequence[str], name: str) -> Any:
    for key in keys:
        if key in found:
            return found[key]
    there = ", ".join(shown(key, 40) for key in list(found)[:10]) or "nothing"
    raise ComponentError(
        f"dataset {name} returned a mapping of {there}, without {keys[0]!r}. {WAYS}"
    )


def _parted(frame: Any, name: str) -> tuple[Any, Any]:
    """The columns of features of a DataFrame, and its column of labels."""
    there = [column for column in frame.columns if str(column) in TARGETS]
    if len(there) != 1:
        what = "no column" if not there else f"the columns {', '.join(map(str, there))}"
        raise ComponentError(
            f"dataset {name} returned a DataFrame with {what} to predict. Return (X, y): "
            "frame.drop(columns=COLUMN), frame[COLUMN]"
        )
    return frame.drop(columns=there), frame[there[0]]


def _data(
    X: Any, y: Any, name: str, *, classes: Sequence[str] | None, features: Sequence[str] | None
) -> Data:
    categories: tuple[tuple[str, ...] | None, ...] = ()
    if hasattr(X, "columns"):
        X, features, categories = _frame(X)
    elif hasattr(X, "toarray"):
        X = X.toarray()
    X = _array(X, "X")
    if features is not None and len(features) != (X.shape[1] if X.ndim == 2 else 0):
        features = None
    names = None if features is None else [str(each) for each in features]
    codes, labels = _target(_array(y, "y"), name)
    if labels is None:
        data = Data.numbers(X, codes, features=names)
    else:
        if classes is not None and labels == [str(n) for n in range(len(classes))]:
            labels = [str(each) for each in classes]
        data = Data.checked(X, codes, classes=labels, features=names)
    return dataclasses.replace(data, categories=categories) if any(categories) else data


def _array(values: Any, what: str) -> NDArray[Any]:
    if hasattr(values, "detach"):  # a tensor of torch
        values = values.detach().cpu().numpy()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(f"{what} is not an array: {error}") from error


def _frame(X: Any) -> tuple[NDArray[Any], list[str], tuple[tuple[str, ...] | None, ...]]:
    """Numbers of a frame's columns, their names, and the categories of those that hold texts."""
    columns, categories = [], []
    for name in X.columns:
        values = np.asarray(X[name])
        texts: tuple[str, ...] | None = None
        if values.dtype.kind not in "iufb":
            if any(value is None or value != value for value in values):
                raise DataError(f"column {shown(str(name))}: a value is missing")
            found, values = np.unique(values.astype(str), return_inverse=True)
            texts = tuple(found.tolist())
        columns.append(values.astype(np.float64))
        categories.append(texts)
    return np.column_stack(columns), [str(name) for name in X.columns], tuple(categories)


def _target(y: NDArray[Any], name: str) -> tuple[NDArray[Any], list[str] | None]:
    """Labels 0..K-1 with the names of the classes; or numbers, and None."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        shape = list(y.shape)
        raise DataError(f"dataset {name}: y has shape {shape}, expected [rows]")
    if y.dtype.kind == "O":
        if any(value is None or value != value for value in y.tolist()):
            raise DataError(f"dataset {name}: a label is missing in y")
        kinds = {type(value) for value in y.tolist()}
        y = y.astype(str) if str in kinds or len(kinds) > 1 else np.array(y.tolist())
    if y.dtype.kind in "fc":
        real(y, "y")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = bool(np.isfinite(y).all() and (y == np.floor(y)).all())
        if not whole or len(np.unique(y)) > CLASSES:
            return y, None
        y = y.astype(np.int64)
    names, codes = np.unique(y, return_inverse=True)
    if y.dtype.kind in "iu" and len(names) > CLASSES and 2 * len(names) > len(y):
        raise DataError(
            f"dataset {name}: y has {len(names)} different integers in {len(y)} rows. If "
            "they are the target values of a regression, return floats: y.astype(float)"
        )
    return codes, [str(each) for each in names.tolist()]

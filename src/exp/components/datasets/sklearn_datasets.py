"""Any classification data that scikit-learn makes or brings along, by the name of the function."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from exp.components.datasets.bundled import bundled
from exp.components.datasets.lazy_sklearn import from_sklearn
from exp.components.datasets.planar import LARGEST
from exp.data.cache import repeatable
from exp.data.dataset import Data
from exp.registry.registry import register
from exp.util.errors import DataError, shown, unknown

Generator = Literal[
    "load_breast_cancer",
    "load_digits",
    "load_iris",
    "load_wine",
    "make_blobs",
    "make_circles",
    "make_classification",
    "make_gaussian_quantiles",
    "make_hastie_10_2",
    "make_moons",
]
OURS = frozenset({"random_state", "return_X_y", "as_frame", "return_centers"})
"""Parameters that exp sets: the seed, and what is returned."""
TUPLES = frozenset({"n_samples", "center_box"})
"""Parameters that scikit-learn takes as tuples, where a config has lists."""
WIDTH = {"make_hastie_10_2": 10, "make_circles": 2, "make_moons": 2}

MOST = 1_000_000
"""Of an integer such as the number of clusters, each of which takes memory."""

Params = dict[str, Any]


@lru_cache
def takes(generator: str) -> dict[str, Any]:
    """The parameters of a generator that a config may set, with their defaults."""
    signature = inspect.signature(from_sklearn(generator))
    return {n: p.default for n, p in signature.parameters.items() if n not in OURS}


def in_signature(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    generator, params = values["generator"], values["params"] or {}
    known = takes(generator)
    for name, value in params.items():
        if name in OURS:
            why = (
                "the seed is seeds.data" if name == "random_state" else "exp sets what is returned"
            )
            yield f"params.{name}", f"exp sets it: {why}"
        elif name not in known:
            yield f"params.{name}", unknown("parameter", name, sorted(known), allowed="It takes")
        elif not plain(value, LARGEST if name in ("n_samples", "n_features") else MOST):
            wanted = f"expected numbers (integers up to {MOST}), text or lists of them"
            yield f"params.{name}", f"{wanted}, found {shown(value)}"
    rows, columns = size(generator, {**known, **params})
    if rows * columns > LARGEST:
        wanted = f"expected rows * features of at most {LARGEST}"
        yield "params", f"{wanted}, found {rows} * {columns}"


def plain(value: Any, most: int) -> bool:
    """Whether a generator accepts a value; integers may be at most `most`."""
    if isinstance(value, list):
        return len(value) <= 10_000 and all(plain(each, most) for each in value)
    if isinstance(value, int):
        return abs(value) <= most
    return value is None or isinstance(value, float | str)


def size(generator: str, params: Mapping[str, Any]) -> tuple[int, int]:
    """The number of rows and features for these parameters; 0 if that is not a number."""
    rows = params.get("n_samples", 0)
    counts = rows if isinstance(rows, list) else [rows]
    total = sum(count for count in counts if isinstance(count, int))
    width = WIDTH.get(generator, params.get("n_features", 0))
    return total, width if isinstance(width, int) else 0


@register.dataset("sklearn", check=in_signature)
@repeatable
def sklearn(
    seed: int, *, generator: Generator = "make_moons", params: Params | None = None
) -> Data:
    """Any classification data set of sklearn.datasets, by the name of its function.

    Args:
        seed: the `random_state` of a make_ function.
        generator: the name of the function.
        params: the parameters of the function, as in its documentation; null: its defaults.

    Raises:
        DataError: scikit-learn refuses the parameters.
    """
    make = from_sklearn(generator)
    given = {
        n: tuple(v) if n in TUPLES and isinstance(v, list) else v for n, v in (params or {}).items()
    }
    if generator.startswith("make_"):
        given["random_state"] = seed
    try:
        with np.errstate(all="ignore"):
            made = make(**given)
    except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"dataset.params: {generator}: {reason}") from error
    if generator.startswith("load_"):
        return named(made)
    values, y = np.unique(made[1], return_inverse=True)
    return Data.checked(made[0], y, classes=[f"{value:g}" for value in values.tolist()])


def named(bunch: Any) -> Data:
    """Bundled rows without the classes that `n_class` excludes."""
    present = np.unique(bunch.target)
    bunch.target = np.searchsorted(present, bunch.target)
    bunch.target_names = np.asarray(bunch.target_names)[present]
    return bundled(bunch)

"""Feature maps: transformations of the features before the model.

A map comes after `split.standardize`, learns nothing, and is computed by NumPy before training.
Sums are taken feature by feature, not by a matrix product, so that a row is mapped to the same bits
whatever the other rows are.

Each map is a formula of `FORMULAS` and the values that it computes with: a model file stores the
values, and `exp.components.feature_modules` has the same formulas in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, combinations_with_replacement
from math import comb
from typing import Annotated, Any, Literal

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from pydantic import Field

from exp.data.faults import repeated
from exp.data.feature_map import FeatureMap
from exp.registry.registry import register
from exp.registry.types import Positive, Width
from exp.util.errors import ImpossibleError

Floats = NDArray[np.float64]
Term = Literal["x", "y", "x2", "y2", "xy", "sin_x", "sin_y"]
Terms = Annotated[list[Term], Field(min_length=1)]
Degree = Annotated[int, Field(ge=1, le=20)]

MOST = 65_536
"""The most mapped features: the largest width of a layer."""


@register.features("none")
def none(names: Sequence[str], seed: int) -> None:
    """The features as they are."""


PLAYGROUND: dict[str, tuple[str, Any]] = {
    "x": ("{x}", lambda x, y: x),
    "y": ("{y}", lambda x, y: y),
    "x2": ("{x}^2", lambda x, y: x * x),
    "y2": ("{y}^2", lambda x, y: y * y),
    "xy": ("{x} {y}", lambda x, y: x * y),
    "sin_x": ("sin {x}", lambda x, y: np.sin(x)),
    "sin_y": ("sin {y}", lambda x, y: np.sin(y)),
}


def each_once(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, count in repeated(values["use"]).items():
        yield "use", f"names {name!r} {count} times"


@register.features("playground", check=each_once)
def playground(
    names: Sequence[str],
    seed: int,
    *,
    use: Terms = ["x", "y", "x2", "y2", "xy", "sin_x", "sin_y"],  # noqa: B006 - never changed
) -> FeatureMap:
    """The features of the TensorFlow Playground from x and y: x, y, x^2, y^2, xy, sin x, sin y.

    Source: `INPUTS` of its playground.ts. The Playground shows points from -6 to 6; the sines take
    the features in radians.

    Args:
        names: names of the two features.
        seed: not used.
        use: the new features to compute, in this order.

    Raises:
        ImpossibleError: the number of features is not two.
    """
    if len(names) != 2:
        found = "1 feature" if len(names) == 1 else f"{len(names)} features"
        raise ImpossibleError(
            f"features playground needs two features, and these data have {found}. "
            "Use features=polynomial or features=fourier"
        )
    labels = [PLAYGROUND[term][0].format(x=names[0], y=names[1]) for term in use]
    return from_values("playground", labels, {"use": use})


def playground_terms(X: Floats, use: Sequence[str]) -> Floats:
    """The terms of `playground`."""
    return np.column_stack([PLAYGROUND[term][1](X[:, 0], X[:, 1]) for term in use])


@register.features("polynomial")
def polynomial(
    names: Sequence[str], seed: int, *, degree: Degree = 2, interaction_only: bool = False
) -> FeatureMap:
    """All products of features up to a degree, as scikit-learn's `PolynomialFeatures`.

    The order is that of scikit-learn, without the constant, because layers have a bias. Standardize
    features that are far from 1, since powers enlarge differences of scale.

    Args:
        names: names of the features.
        seed: not used.
        degree: largest number of factors of a product.
        interaction_only: no powers; each feature occurs at most once in a product.

    Raises:
        ImpossibleError: there would be more than 65,536.
    """
    width = len(names)
    orders = range(1, degree + 1)
    count = sum(comb(width if interaction_only else width + n - 1, n) for n in orders)
    if count > MOST:
        raise ImpossibleError(
            f"features polynomial: {width} features have {count} products up to degree "
            f"{degree}, but the limit is {MOST}. Lower features.degree"
        )
    pick = combinations if interaction_only else combinations_with_replacement
    products = [chosen for n in orders for chosen in pick(range(width), n)]
    labels = [product_name(names, each) for each in products]
    return from_values("polynomial", labels, {"products": products})


def polynomial_terms(X: Floats, products: Sequence[Sequence[int]]) -> Floats:
    """The products of `polynomial`: the places of the factors of each."""
    made: dict[tuple[int, ...], Floats] = {(): np.ones(len(X))}
    for chosen in map(tuple, products):
        # One factor more than an earlier product.
        made[chosen] = made[chosen[:-1]] * X[:, chosen[-1]]
    return np.column_stack([made[tuple(chosen)] for chosen in products])


def product_name(names: Sequence[str], chosen: Sequence[int]) -> str:
    """`x1^2 x2` for the product of features 0, 0 and 1."""
    powers = {at: chosen.count(at) for at in chosen}
    return " ".join(names[at] if n == 1 else f"{names[at]}^{n}" for at, n in powers.items())


@register.features("fourier")
def fourier(
    names: Sequence[str], seed: int, *, n_components: Width = 100, gamma: Positive = 1.0
) -> FeatureMap:
    """Random Fourier features, whose products approximate a Gaussian kernel.

    sqrt(2 / D) * cos(w x + b) for D random w and b. w is normal with variance 2 * gamma, b is
    uniform in 0..2 pi (Rahimi and Recht 2007, "Random features for large-scale kernel machines").
    The scalar product of the new features of two rows approximates exp(-gamma * |x - y|^2). A
    linear model on them approximates a kernel machine. The draws equal those of scikit-learn's
    `RBFSampler` with the same seed. Standardize the features first.

    Args:
        names: names of the features.
        seed: seed of w and b: `seeds.init`.
        n_components: D.
        gamma: parameter of the kernel; larger values make it narrower.
    """
    random = RandomState(seed)
    weights = np.sqrt(2 * gamma) * random.normal(size=(len(names), n_components))
    offsets = random.uniform(0, 2 * np.pi, size=n_components)
    labels = [f"fourier {n + 1}" for n in range(n_components)]
    return from_values("fourier", labels, {"weights": weights, "offsets": offsets})


def fourier_terms(X: Floats, weights: Floats, offsets: Floats) -> Floats:
    """The cosines of `fourier`.

    Args:
        weights: w `[features, cosines]`.
        offsets: b `[cosines]`.
    """
    total = np.tile(offsets, (len(X), 1))
    for column, weight in zip(X.T, weights, strict=True):
        total += column[:, None] * weight
    mapped: Floats = np.sqrt(2 / len(offsets)) * np.cos(total)
    return mapped


ARRAYS = {"fourier": ("weights", "offsets")}
"""The values of a map that are float64 arrays."""
FORMULAS: dict[str, Callable[..., Floats]] = {
    "playground": playground_terms,
    "polynomial": polynomial_terms,
    "fourier": fourier_terms,
}
"""Name of a map -> its formula, which takes rows [rows, features] and the map's values."""


def from_values(name: str, names: Sequence[str], values: Mapping[str, Any]) -> FeatureMap:
    """The packaged map `name` with these values.

    Args:
        names: a name for each mapped feature.
        values: by the parameters of its formula; lists of numbers may stand for arrays.
    """
    known = {
        key: np.asarray(value) if key in ARRAYS.get(name, ()) else value
        for key, value in values.items()
    }
    return FeatureMap(name, tuple(names), partial(FORMULAS[name], **known), known)

"""Feature maps: transformations of the features before the model.

A map comes after `split.standardize` and is computed by NumPy before training. Most learn nothing;
`quantile` and `piecewise` are fitted on the training rows.
Sums are taken feature by feature, not by a matrix product, so that a row is mapped to the same bits
whatever the other rows are.

Each map is a formula of `FORMULAS` and the values that it computes with: a model file stores the
values, and `exp.components.feature_modules` has the same formulas in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, combinations_with_replacement, pairwise
from math import comb
from statistics import NormalDist
from typing import Annotated, Any, Literal

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from pydantic import Field

from exp.data.faults import repeated
from exp.data.feature_map import FeatureMap
from exp.registry.registry import register
from exp.registry.types import LARGEST, Positive, Width
from exp.util.errors import ImpossibleError

Floats = NDArray[np.float64]
Term = Literal["x", "y", "x2", "y2", "xy", "sin_x", "sin_y"]
Terms = Annotated[list[Term], Field(min_length=1)]
Degree = Annotated[int, Field(ge=1, le=20)]
Bins = Annotated[int, Field(ge=1, le=1000)]
Quantiles = Annotated[int, Field(ge=2, le=1000)]

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


@register.features("quantile")
def quantile(
    names: Sequence[str], seed: int, *, n_quantiles: Quantiles = 64, training_rows: Floats
) -> FeatureMap:
    """Each column by its quantiles, so that it is normally distributed over the training rows.

    As scikit-learn's `QuantileTransformer(output_distribution="normal")`, with two differences:
    the outermost values become the quantiles 1 / (2 n) and 1 - 1 / (2 n), not -5.2 and 5.2, and
    columns with at most two different values stay as they are.

    Args:
        names: names of the features.
        seed: not used.
        n_quantiles: number n of quantiles of the training rows; values between them are
            interpolated.
        training_rows: [training rows, features].
    """
    levels = np.linspace(0, 1, n_quantiles)
    clipped = np.clip(levels, 0.5 / n_quantiles, 1 - 0.5 / n_quantiles)
    scores = np.array([NormalDist().inv_cdf(level) for level in clipped.tolist()])
    shape = (len(names), n_quantiles - 1)
    start, low, step = np.zeros((3, *shape))
    size, high = np.ones((2, *shape))
    base = np.zeros(len(names))
    for at, column in enumerate(training_rows.astype(np.float64).T):
        if few_values(column):
            low[at, 0], high[at, 0], step[at, 0] = -LARGEST, LARGEST, 1.0
            continue
        knots, place = np.unique(rounded(np.quantile(column, levels)), return_inverse=True)
        # Equal quantiles are one knot, with the mean of their scores.
        heights = np.bincount(place, scores) / np.bincount(place)
        count = len(knots) - 1
        start[at, :count], size[at, :count] = knots[:-1], rounded(np.diff(knots))
        step[at, :count], base[at] = rounded(np.diff(heights)), rounded(heights[0])
    values = {"start": start, "size": size, "low": low, "high": high, "step": step, "base": base}
    return from_values("quantile", names, values)


def quantile_terms(
    X: Floats, start: Floats, size: Floats, low: Floats, high: Floats, step: Floats, base: Floats
) -> Floats:
    """The sum of the clipped lines of each column.

    Args:
        start, size, low, high: of the lines `[features, lines]`: clip((x - start) / size, low,
            high).
        step: the factor of each line.
        base: what is added `[features]`.
    """
    total = np.tile(base, (len(X), 1))
    for n in range(start.shape[1]):
        total += np.clip((X - start[:, n]) / size[:, n], low[:, n], high[:, n]) * step[:, n]
    return total


@register.features("piecewise")
def piecewise(
    names: Sequence[str], seed: int, *, bins: Bins = 8, training_rows: Floats
) -> FeatureMap:
    """Each column as one feature per bin: 1 above the bin, 0 below it, a line inside it.

    Source: Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning",
    with bins between quantiles. The line of the first bin goes on below it, that of the last bin
    above it. A column with at most two different values stays as it is.

    Args:
        names: names of the features.
        seed: not used.
        bins: largest number of bins of a column; equal quantiles make fewer.
        training_rows: [training rows, features].
    """
    lines: list[tuple[float, ...]] = []
    labels: list[str] = []
    for at, column in enumerate(training_rows.astype(np.float64).T):
        if few_values(column):
            lines.append((at, 0.0, 1.0, -LARGEST, LARGEST))
            labels.append(names[at])
            continue
        knots = np.unique(rounded(np.quantile(column, np.linspace(0, 1, bins + 1))))
        last = len(knots) - 2
        for n, (begin, end) in enumerate(pairwise(knots)):
            below, above = 0.0 if n else -LARGEST, 1.0 if n < last else LARGEST
            lines.append((at, begin, rounded(end - begin), below, above))
            labels.append(f"{names[at]} bin {n + 1}")
    column, start, size, low, high = np.array(lines).T
    taken = column.astype(np.int64)
    values = {"column": taken, "start": start, "size": size, "low": low, "high": high}
    return from_values("piecewise", labels, values)


def piecewise_terms(
    X: Floats, column: Any, start: Floats, size: Floats, low: Floats, high: Floats
) -> Floats:
    """A clipped line of a column for each new feature.

    Args:
        column: the column of each line `[lines]`.
        start, size, low, high: of the lines `[lines]`, as for `quantile_terms`.
    """
    clipped: Floats = np.clip((X[:, np.asarray(column)] - start) / size, low, high)
    return clipped


def rounded(values: Any) -> Any:
    """Numbers that float32 holds, since a model stores them so."""
    return np.float64(np.float32(values))


def few_values(column: Floats) -> bool:
    """Whether a column [rows] has at most two different values."""
    least = column.min()
    return len(np.unique(column[column > least])) <= 1


ARRAYS = {
    "fourier": ("weights", "offsets"),
    "quantile": ("start", "size", "low", "high", "step", "base"),
    "piecewise": ("start", "size", "low", "high"),
}
"""The values of a map that are float64 arrays."""
FORMULAS: dict[str, Callable[..., Floats]] = {
    "playground": playground_terms,
    "polynomial": polynomial_terms,
    "fourier": fourier_terms,
    "quantile": quantile_terms,
    "piecewise": piecewise_terms,
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

"""Two-dimensional toy problems, generated.

All chance comes from NumPy's legacy generator `RandomState`: its streams are frozen, so a seed
gives the same points under every version of NumPy, and those of the published course notebooks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from pydantic import Field

from exp.components.datasets.lazy_sklearn import from_sklearn
from exp.data.cache import repeatable
from exp.data.dataset import Data
from exp.registry.registry import register
from exp.registry.types import NonNegative, Probability, Rows, Width

Classes = Annotated[int, Field(ge=2, le=1000)]
Floats = NDArray[np.float64]
Curve = tuple[Floats, Floats]

LARGEST = 1_000_000_000
"""Numbers in X: 4 GB. A larger matrix is taken for a mistake."""


def planar(X: Floats, y: NDArray[np.int64], classes: int = 2) -> Data:
    return Data.checked(X, y, classes=[str(label) for label in range(classes)])


def curves(first: Curve, second: Curve, noise: float, seed: int) -> Data:
    """Noisy points of two curves with the same bits as in scikit-learn, without importing it: the
    import takes longer than a small run."""
    X = np.hstack([first, second]).T
    y = np.repeat([0, 1], [len(first[0]), len(second[0])])
    chance = RandomState(seed)
    order = np.arange(len(y))
    chance.shuffle(order)
    return planar(X[order] + chance.normal(scale=noise, size=X.shape), y[order])


@register.dataset("moons")
@repeatable
def moons(seed: int, *, n_samples: Rows = 1000, noise: NonNegative = 0.03) -> Data:
    """Two interleaving half circles of radius 1.

    Source: scikit-learn's `make_moons`.

    Args:
        seed: seed of the noise and the order of the rows.
        n_samples: rows of both classes together.
        noise: standard deviation of the Gaussian noise on each coordinate.

    Returns:
        X [n_samples, 2], 2 classes.
    """
    outer = np.linspace(0, np.pi, n_samples // 2)
    inner = np.linspace(0, np.pi, n_samples - n_samples // 2)
    lower = 1 - np.cos(inner), 1 - np.sin(inner) - 0.5
    return curves((np.cos(outer), np.sin(outer)), lower, noise, seed)


@register.dataset("circles")
@repeatable
def circles(
    seed: int, *, n_samples: Rows = 1000, noise: NonNegative = 0.03, factor: Probability = 0.8
) -> Data:
    """A circle of radius 1 (class 0) around a smaller one (class 1).

    Source: scikit-learn's `make_circles`.

    Args:
        seed: seed of the noise and the order of the rows.
        n_samples: rows of both classes together.
        noise: standard deviation of the Gaussian noise on each coordinate.
        factor: radius of the inner circle.

    Returns:
        X [n_samples, 2], 2 classes.
    """
    outer = np.linspace(0, 2 * np.pi, n_samples // 2, endpoint=False)
    inner = np.linspace(0, 2 * np.pi, n_samples - n_samples // 2, endpoint=False)
    smaller = np.cos(inner) * factor, np.sin(inner) * factor
    return curves((np.cos(outer), np.sin(outer)), smaller, noise, seed)


def blobs_fit(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rows, columns, centers = values["n_samples"], values["n_features"], values["centers"]
    if rows * columns > LARGEST:
        wanted = f"expected n_samples * n_features of at most {LARGEST}"
        yield "n_features", f"{wanted}, found {rows} * {columns}"
    if centers > rows:
        yield "centers", f"expected at most n_samples={rows}, found {centers}"


@register.dataset("blobs", check=blobs_fit)
@repeatable
def blobs(
    seed: int,
    *,
    n_samples: Rows = 1000,
    n_features: Width = 2,
    centers: Classes = 4,
    cluster_std: NonNegative = 1.5,
) -> Data:
    """Gaussian clusters, one for each class, with centres drawn uniformly from -10 to 10.

    Source: scikit-learn's `make_blobs`.

    Args:
        seed: seed of the centres, the points and the order of the rows.
        n_samples: rows of all classes together.
        n_features: dimensions.
        centers: number of classes.
        cluster_std: standard deviation of a cluster in each dimension.

    Returns:
        X [n_samples, n_features], `centers` classes.
    """
    X, y = from_sklearn("make_blobs")(
        n_samples=n_samples,
        n_features=n_features,
        centers=centers,
        cluster_std=cluster_std,
        random_state=seed,
    )
    return planar(X, y, centers)


def enough_rows(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rows, classes = values["n_samples"], values["classes"]
    if classes > rows:
        yield "classes", f"expected at most n_samples={rows}, found {classes}"


@register.dataset("spirals", check=enough_rows)
@repeatable
def spirals(
    seed: int, *, n_samples: Rows = 300, classes: Classes = 3, noise: NonNegative = 0.2
) -> Data:
    """Spiral arms that start at the origin, one for each class.

    Source: Stanford CS231n, "Putting it together: minimal neural network case study". Equal arms
    (n_samples a multiple of classes) and noise 0.2 give that page's points for `np.random.seed`
    with the same seed, before they are rounded to float32.

    Args:
        seed: seed of the noise.
        n_samples: rows of all classes together; if the arms cannot be equal, the first ones
            have one row more.
        classes: number of arms.
        noise: standard deviation in radians of the Gaussian noise on the angle.

    Returns:
        X [n_samples, 2] within the unit circle, class after class from the centre outwards.
    """
    random = RandomState(seed)
    X, y = [], []
    for label in range(classes):
        rows = n_samples // classes + (label < n_samples % classes)
        radius = np.linspace(0.0, 1, rows)
        angle = np.linspace(label * 4, (label + 1) * 4, rows) + random.randn(rows) * noise
        X.append(np.c_[radius * np.sin(angle), radius * np.cos(angle)])
        y.append(np.full(rows, label))
    return planar(np.concatenate(X), np.concatenate(y), classes)


@register.dataset("xor")
@repeatable
def xor(seed: int, *, n_samples: Rows = 1000, noise: NonNegative = 0.0) -> Data:
    """Four squares; class 1 where both coordinates have the same sign.

    Source: `classifyXORData` of TensorFlow Playground. Points are drawn uniformly from -5 to 5
    and moved away from the axes by 0.3.

    Args:
        seed: seed of the points and the noise.
        n_samples: rows of both classes together.
        noise: each label belongs to a point that is moved by up to 5 * noise per coordinate, so
            some labels near an axis are wrong; the Playground allows 0 to 0.5.

    Returns:
        X [n_samples, 2], 2 classes.
    """
    random = RandomState(seed)
    X = random.uniform(-5, 5, (n_samples, 2))
    X += np.where(X > 0, 0.3, -0.3)
    judged = X + random.uniform(-5, 5, X.shape) * noise
    # By signs: the Playground's product would overflow for a huge noise.
    return planar(X, ((judged[:, 0] >= 0) == (judged[:, 1] >= 0)).astype(np.int64))


@register.dataset("gaussians")
@repeatable
def gaussians(seed: int, *, n_samples: Rows = 1000, noise: NonNegative = 0.0) -> Data:
    """Two round Gaussian clouds, around (-2, -2) (class 0) and (2, 2) (class 1).

    Source: `classifyTwoGaussData` of TensorFlow Playground.

    Args:
        seed: seed of the points.
        n_samples: rows of both classes together; if odd, class 0 has one row more.
        noise: the variance of each coordinate is 0.5 + 7 * noise; the Playground allows 0 to
            0.5.

    Returns:
        X [n_samples, 2], 2 classes, one after the other.
    """
    random = RandomState(seed)
    y = np.repeat([0, 1], halves(n_samples))
    centres = np.where(y == 1, 2.0, -2.0)
    X = centres[:, None] + np.sqrt(0.5 + 7 * noise) * random.randn(n_samples, 2)
    return planar(X, y)


@register.dataset("playground_circle")
@repeatable
def playground_circle(seed: int, *, n_samples: Rows = 500, noise: NonNegative = 0.0) -> Data:
    """A disc (class 1) inside a ring (class 0).

    Source: `classifyCircleData` of TensorFlow Playground. The radius is drawn uniformly from 0 to
    2.5 in the disc and from 3.5 to 5 in the ring.

    Args:
        seed: seed of the points and the noise.
        n_samples: rows of disc and ring together; if odd, the disc has one row more.
        noise: each label belongs to a point that is moved by up to 5 * noise per coordinate; the
            Playground allows 0 to 0.5.

    Returns:
        X [n_samples, 2], 2 classes, the rows of the disc first.
    """
    random = RandomState(seed)
    disc, ring = halves(n_samples)
    low, high = np.repeat([0.0, 3.5], (disc, ring)), np.repeat([2.5, 5.0], (disc, ring))
    radius, angle = random.uniform(low, high), random.uniform(0, 2 * np.pi, n_samples)
    X = np.c_[radius * np.sin(angle), radius * np.cos(angle)]
    judged = X + random.uniform(-5, 5, X.shape) * noise
    return planar(X, (np.hypot(judged[:, 0], judged[:, 1]) < 2.5).astype(np.int64))


@register.dataset("playground_spiral")
@repeatable
def playground_spiral(seed: int, *, n_samples: Rows = 500, noise: NonNegative = 0.0) -> Data:
    """Two spiral arms of one and three quarter turns.

    Source: `classifySpiralData` of TensorFlow Playground. An arm is r = 5 * i / n at the angle
    1.75 * 2 pi * i / n, for i from 0 to n - 1, the other one half a turn away.

    Args:
        seed: seed of the noise; without noise, every seed produces the same points.
        n_samples: rows of both arms together; if odd, class 1 has one row more.
        noise: half the width of the uniform noise on each coordinate; the Playground allows 0 to
            0.5.

    Returns:
        X [n_samples, 2], the arm of class 1 first.
    """
    random = RandomState(seed)
    arms = []
    for turn, rows in zip((0.0, np.pi), halves(n_samples), strict=True):
        along = np.arange(rows) / rows
        radius, angle = 5 * along, 1.75 * 2 * np.pi * along + turn
        arms.append(np.c_[radius * np.sin(angle), radius * np.cos(angle)])
    X = np.concatenate(arms) + random.uniform(-1, 1, (n_samples, 2)) * noise
    return planar(X, np.repeat([1, 0], halves(n_samples)))


@register.dataset("checkerboard")
@repeatable
def checkerboard(
    seed: int, *, n_samples: Rows = 1000, cells: Classes = 4, noise: NonNegative = 0.0
) -> Data:
    """The squares of a chessboard from -1 to 1; the two colours are the classes.

    Args:
        seed: seed of the points and the noise.
        n_samples: rows of both classes together.
        cells: number of squares along each side.
        noise: standard deviation of the Gaussian noise on each coordinate, added after the
            label is determined; a square is 2 / cells wide.

    Returns:
        X [n_samples, 2], 2 classes; the square at (-1, -1) has class 0.
    """
    random = RandomState(seed)
    X = random.uniform(-1, 1, (n_samples, 2))
    y = np.floor((X + 1) / 2 * cells).astype(np.int64).sum(axis=1) % 2
    return planar(X + noise * random.randn(n_samples, 2), y)


@register.dataset("two_spirals")
@repeatable
def two_spirals(seed: int, *, n_samples: Rows = 194, noise: NonNegative = 0.0) -> Data:
    """Two intertwined spirals of three turns each: a classic difficult problem.

    Source: Lang and Witbrock, "Learning to tell two spirals apart", 1988. With 194 rows and no
    noise these are its points: for i from 0 to 96 the angle is i * pi / 16, the radius
    6.5 * (104 - i) / 104.

    Args:
        seed: seed of the noise; without noise, every seed produces the same points.
        n_samples: rows of both spirals together; if odd, class 0 has one row more.
        noise: standard deviation of the Gaussian noise on each coordinate.

    Returns:
        X [n_samples, 2], one class after the other; class 1 is class 0 mirrored at the origin.
    """
    arms = []
    for sign, rows in zip((1, -1), halves(n_samples), strict=True):
        i = np.linspace(0, 96, rows)
        angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
        arms.append(sign * np.c_[radius * np.sin(angle), radius * np.cos(angle)])
    X = np.concatenate(arms) + noise * RandomState(seed).randn(n_samples, 2)
    return planar(X, np.repeat([0, 1], halves(n_samples)))


def halves(rows: int) -> tuple[int, int]:
    return rows - rows // 2, rows // 2

"""Small problems whose target is a number: a line, and the two surfaces of the Playground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from exp.data.cache import repeatable
from exp.data.dataset import Data
from exp.registry.registry import register
from exp.registry.types import Finite, NonNegative, Rows

RADIUS = 6.0
"""Points of both surfaces are drawn from the square from -6 to 6."""
BUMPS = ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1))
"""Where the peaks of `bumps` are: x1, x2, and the sign of each."""


def rises(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    start, stop = values["start"], values["stop"]
    if not start < stop:
        yield "stop", f"expected a number greater than start={start}, found {stop}"


@register.dataset("line", check=rises)
@repeatable
def line(
    seed: int,
    *,
    n_samples: Rows = 100,
    weight: Finite = 0.7,
    bias: Finite = 0.3,
    noise: NonNegative = 0.0,
    start: Finite = 0.0,
    stop: Finite = 1.0,
) -> Data:
    """A straight line: the target is weight * x + bias.

    Source: learnpytorch.io, chapters 01 and 02 (section 5.1): its numbers are the defaults.

    Args:
        seed: seed of the noise; without noise, every seed produces the same rows.
        n_samples: number of rows, at equal steps of x, the first at start and none at stop.
        weight: slope of the line.
        bias: value of the line at 0.
        noise: standard deviation of the Gaussian noise on the target.
        start: the smallest x.
        stop: the largest x.

    Returns:
        X [n_samples, 1] in increasing order, and a number for each row.
    """
    x = start + (stop - start) / n_samples * np.arange(n_samples)
    y = weight * x + bias + noise * RandomState(seed).randn(n_samples)
    return Data.numbers(x[:, None], y, features=["x"])


@register.dataset("plane")
@repeatable
def plane(seed: int, *, n_samples: Rows = 1200, noise: NonNegative = 0.0) -> Data:
    """A tilted plane: the target is (x1 + x2) / 10.

    Source: `regressPlane` of TensorFlow Playground, which draws 1,200 points.

    Args:
        seed: seed of the points and the noise.
        n_samples: rows.
        noise: each target belongs to a point that is moved by up to 6 * noise per coordinate; the
            Playground allows 0 to 0.5.

    Returns:
        X [n_samples, 2] from -6 to 6, and a number for each row, without noise in -1.2..1.2.
    """
    X, judged = points(seed, n_samples, noise)
    return Data.numbers(X, judged.sum(axis=1) / 10)


@register.dataset("bumps")
@repeatable
def bumps(seed: int, *, n_samples: Rows = 1200, noise: NonNegative = 0.0) -> Data:
    """Six cones on a plane, alternately up and down: the target is the height.

    Source: `regressGaussian` of TensorFlow Playground ("multi gaussian"), which draws 1,200 points.
    A cone has height 1 or -1 at its centre and ends at a distance of 2. Where two cones overlap,
    the value further from 0 counts.

    Args:
        seed: seed of the points and the noise.
        n_samples: rows.
        noise: each target belongs to a point that is moved by up to 6 * noise per coordinate; the
            Playground allows 0 to 0.5.

    Returns:
        X [n_samples, 2] from -6 to 6, and a number in -1..1 for each row.
    """
    X, judged = points(seed, n_samples, noise)
    heights = np.stack(
        [sign * np.clip(1 - np.hypot(*(judged - [x, y]).T) / 2, 0, 1) for x, y, sign in BUMPS]
    )
    y = heights[np.abs(heights).argmax(axis=0), np.arange(n_samples)]
    return Data.numbers(X, y)


def points(seed: int, rows: int, noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points `[rows, 2]`, and the moved points that determine their targets."""
    random = RandomState(seed)
    X = random.uniform(-RADIUS, RADIUS, (rows, 2))
    return X, X + random.uniform(-RADIUS, RADIUS, X.shape) * noise

"""Rows before their noise, so that the page can give a data set any noise.

The draws repeat those of the data sets in `exp.components.datasets.planar`, in the same order: with
any noise the page computes the rows that the data set gives for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from exp.components.datasets.planar import halves

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Noisy:
    """Rows without noise, and what scales with it.

    Attributes:
        form: the formula of the page: `NOISES` in engine-data.js.
        clean: [rows, 2]; radius and angle for the form `angle`.
        draw: [rows, 2], or [rows] for the form `angle`.
    """

    form: str
    clean: Floats
    draw: Floats


@dataclass(frozen=True)
class Source:
    """How a data set is noisy.

    Attributes:
        rows: of the seed and the parameters of the data set.
        high: the largest noise that is of use.
        key: the parameter that is the noise.
        relabels: whether noise changes labels and not positions.
    """

    rows: Callable[[int, Mapping[str, Any]], Noisy]
    high: float
    key: str = "noise"
    relabels: bool = False


def shuffled_curves(first: list[Floats], second: list[Floats], seed: int) -> Noisy:
    chance = RandomState(seed)
    order = np.arange(len(first[0]) + len(second[0]))
    chance.shuffle(order)
    clean = np.hstack([first, second]).T[order]
    return Noisy("added", clean, chance.standard_normal(clean.shape))


def moons(seed: int, values: Mapping[str, Any]) -> Noisy:
    outer, inner = (np.linspace(0, np.pi, n) for n in halves(values["n_samples"])[::-1])
    lower = [1 - np.cos(inner), 1 - np.sin(inner) - 0.5]
    return shuffled_curves([np.cos(outer), np.sin(outer)], lower, seed)


def circles(seed: int, values: Mapping[str, Any]) -> Noisy:
    sizes = halves(values["n_samples"])[::-1]
    outer, inner = (np.linspace(0, 2 * np.pi, n, endpoint=False) for n in sizes)
    smaller = [np.cos(inner) * values["factor"], np.sin(inner) * values["factor"]]
    return shuffled_curves([np.cos(outer), np.sin(outer)], smaller, seed)


def blobs(seed: int, values: Mapping[str, Any]) -> Noisy:
    rows, centers = values["n_samples"], values["centers"]
    random = RandomState(seed)
    middles = random.uniform(-10, 10, (centers, 2))
    sizes = [rows // centers + (label < rows % centers) for label in range(centers)]
    draw = np.concatenate([random.standard_normal((size, 2)) for size in sizes])
    order = np.arange(rows)
    random.shuffle(order)
    return Noisy("added", np.repeat(middles, sizes, axis=0)[order], draw[order])


def spirals(seed: int, values: Mapping[str, Any]) -> Noisy:
    rows, classes = values["n_samples"], values["classes"]
    random, clean, draw = RandomState(seed), [], []
    for label in range(classes):
        size = rows // classes + (label < rows % classes)
        radius, angle = np.linspace(0.0, 1, size), np.linspace(label * 4, (label + 1) * 4, size)
        clean.append(np.c_[radius, angle])
        draw.append(random.randn(size))
    return Noisy("angle", np.concatenate(clean), np.concatenate(draw))


def xor(seed: int, values: Mapping[str, Any]) -> Noisy:
    random = RandomState(seed)
    X = random.uniform(-5, 5, (values["n_samples"], 2))
    X += np.where(X > 0, 0.3, -0.3)
    return Noisy("signs", X, random.uniform(-5, 5, X.shape))


def gaussians(seed: int, values: Mapping[str, Any]) -> Noisy:
    rows = values["n_samples"]
    centres = np.repeat([-2.0, 2.0], halves(rows))[:, None].repeat(2, axis=1)
    return Noisy("variance", centres, RandomState(seed).randn(rows, 2))


def playground_circle(seed: int, values: Mapping[str, Any]) -> Noisy:
    rows, random = values["n_samples"], RandomState(seed)
    sizes = halves(rows)
    low, high = np.repeat([0.0, 3.5], sizes), np.repeat([2.5, 5.0], sizes)
    radius, angle = random.uniform(low, high), random.uniform(0, 2 * np.pi, rows)
    X = np.c_[radius * np.sin(angle), radius * np.cos(angle)]
    return Noisy("radius", X, random.uniform(-5, 5, X.shape))


def playground_spiral(seed: int, values: Mapping[str, Any]) -> Noisy:
    arms = []
    for turn, rows in zip((0.0, np.pi), halves(values["n_samples"]), strict=True):
        along = np.arange(rows) / rows
        radius, angle = 5 * along, 1.75 * 2 * np.pi * along + turn
        arms.append(np.c_[radius * np.sin(angle), radius * np.cos(angle)])
    draw = RandomState(seed).uniform(-1, 1, (values["n_samples"], 2))
    return Noisy("added", np.concatenate(arms), draw)


def checkerboard(seed: int, values: Mapping[str, Any]) -> Noisy:
    random = RandomState(seed)
    X = random.uniform(-1, 1, (values["n_samples"], 2))
    return Noisy("added", X, random.randn(*X.shape))


def two_spirals(seed: int, values: Mapping[str, Any]) -> Noisy:
    arms = []
    for sign, rows in zip((1, -1), halves(values["n_samples"]), strict=True):
        i = np.linspace(0, 96, rows)
        angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
        arms.append(sign * np.c_[radius * np.sin(angle), radius * np.cos(angle)])
    return Noisy("added", np.concatenate(arms), RandomState(seed).randn(values["n_samples"], 2))


SOURCES = {
    "moons": Source(moons, 0.5),
    "circles": Source(circles, 0.3),
    "blobs": Source(blobs, 5.0, key="cluster_std"),
    "spirals": Source(spirals, 0.8),
    "xor": Source(xor, 0.5, relabels=True),
    "gaussians": Source(gaussians, 0.5),
    "playground_circle": Source(playground_circle, 0.5, relabels=True),
    "playground_spiral": Source(playground_spiral, 0.5),
    "checkerboard": Source(checkerboard, 0.2),
    "two_spirals": Source(two_spirals, 1.0),
}
"""The packaged data sets of classes with two features."""

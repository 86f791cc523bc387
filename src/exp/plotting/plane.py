"""The plane in which a decision boundary is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Limits = tuple[float, float, float, float]

_MARGIN = 0.08  # of the data's range, on every side
_GOLDEN = 0.6180339887498949  # its multiples fill an interval evenly, however many are taken


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """A plane through input space: rows are projected onto it, its points are lifted back.

    Two features are the plane themselves. More are shown in the plane of the first two principal
    components of the training rows, through their mean, or by two of them, the others at their
    median. One feature lies on the first axis; the second then only spreads the rows out so that
    they can be distinguished.

    Attributes:
        origin: `[features]` float64, the point of input space at (0, 0).
        directions: `[2, features]` float64, what one step along each axis is in input space.
        axes: the labels of the two axes, with units where known.
        note: what the reader must know about the plane; empty where it is the input space itself.
        map_note: likewise of a map of it.
    """

    origin: NDArray[np.float64]
    directions: NDArray[np.float64]
    axes: tuple[str, str]
    note: str
    map_note: str = ""

    @classmethod
    def fit(
        cls,
        X_train: NDArray[np.floating],
        features: Sequence[str],
        units: Sequence[str | None] | None = None,
    ) -> Plane:
        """The plane for these training rows.

        Args:
            X_train: `[rows, features]`, finite, at least one row.
            features: the features' names.
            units: their units; None, or None at a place, where unknown.

        Raises:
            ValueError: the shapes do not fit together.
        """
        rows = np.asarray(X_train)
        labels = _labels(rows, features, units)
        width = len(features)
        if width == 1:
            return cls(
                origin=np.zeros(1),
                directions=np.array([[1.0], [0.0]]),
                axes=(labels[0], "no second feature"),
                note="one feature: the vertical position of a row has no meaning",
            )
        if width == 2:
            return cls(
                origin=np.zeros(2), directions=np.eye(2), axes=(labels[0], labels[1]), note=""
            )
        mean = rows.mean(axis=0, dtype=np.float64)
        directions, shares = _principal_components(rows - mean)
        return cls(
            origin=mean,
            directions=directions,
            axes=(f"PC 1 ({_percent(shares[0])})", f"PC 2 ({_percent(shares[1])})"),
            note=(
                "plane of the training rows' first two principal components "
                f"({_percent(sum(shares))} of the variance)"
            ),
            map_note="the map is a slice through their mean, onto which rows are projected",
        )

    @classmethod
    def of_features(
        cls,
        X_train: NDArray[np.floating],
        features: Sequence[str],
        units: Sequence[str | None] | None,
        chosen: Sequence[str],
    ) -> Plane:
        """The plane of two features, all others at their median over the training rows.

        Args:
            X_train, features, units: as for `fit`.
            chosen: the names of the features of the two axes.

        Raises:
            ValueError: the shapes do not fit together, or a feature does not exist.
        """
        rows = np.asarray(X_train)
        labels = _labels(rows, features, units)
        across, up = (list(features).index(name) for name in chosen)
        origin = np.median(rows.astype(np.float64), axis=0)
        origin[[across, up]] = 0.0
        others = len(features) - 2
        rest = "the other feature" if others == 1 else f"the other {others} features"
        return cls(
            origin=origin,
            directions=np.eye(len(features))[[across, up]],
            axes=(labels[across], labels[up]),
            note=f"two of {len(features)} features" if others else "",
            map_note=(
                f"the map is a slice with {rest} at the median of the training rows"
                if others
                else ""
            ),
        )

    def project(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Where rows `[rows, features]` are seen in the plane: `[rows, 2]` float64."""
        rows = np.asarray(X, dtype=np.float64)
        if len(self.origin) == 1:
            spread = (np.arange(len(rows)) * _GOLDEN) % 1.0 * 2.0 - 1.0
            return np.column_stack([rows[:, 0], spread])
        return (rows - self.origin) @ self.directions.T

    def limits(self, X: NDArray[np.floating], *, fine: bool = False) -> Limits:
        """`(x0, x1, y0, y1)`: a window that holds the rows `[rows, features]`, with a margin.

        Args:
            fine: whether the model is given float64, which resolves more than float32.
        """
        points = self.project(X)
        if not len(points):
            return (-1.0, 1.0, -1.0, 1.0)
        low, high = points.min(axis=0), points.max(axis=0)
        span = high - low
        # A window needs some width where all rows agree, and one that the numbers can resolve.
        smallest = np.maximum(np.abs(low), np.abs(high)) * 1e-3
        flat = span <= np.maximum(smallest * (1e-9 if fine else 1e-2), 1e-30)
        margin = np.where(flat, np.maximum(smallest, 1.0), span * _MARGIN)
        low, high = low - margin, high + margin
        return (float(low[0]), float(high[0]), float(low[1]), float(high[1]))

    @staticmethod
    def lines(limits: Limits, resolution: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`xs [G]` and `ys [G]`: where the lines of a grid over the window lie."""
        if resolution < 2:
            raise ValueError(f"resolution: expected at least 2, found {resolution}")
        xs = np.linspace(limits[0], limits[1], resolution)
        return xs, np.linspace(limits[2], limits[3], resolution)

    def grid(
        self, limits: Limits, resolution: int, *, fine: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.floating]]:
        """A square grid over the window, lifted back into input space for the model to score.

        Args:
            limits: `(x0, x1, y0, y1)`.
            resolution: G, the number of grid lines along each axis, at least 2.
            fine: whether the points are float64.

        Returns:
            `xs [G]` and `ys [G]` float64, and `points [G*G, features]` float32, where point
            `row * G + column` lies at `(xs[column], ys[row])`.
        """
        xs, ys = self.lines(limits, resolution)
        across = xs[:, None] * self.directions[0] + self.origin
        up = ys[:, None] * self.directions[1]
        points = up[:, None, :] + across[None, :, :]
        largest = float(np.finfo(np.float32).max)
        if max(abs(points.min()), points.max()) > largest:  # the margin of enormous rows
            points = points.clip(-largest, largest)
        kind = np.float64 if fine else np.float32
        return xs, ys, points.reshape(resolution * resolution, -1).astype(kind)


def _labels(
    rows: NDArray[np.floating], features: Sequence[str], units: Sequence[str | None] | None
) -> list[str]:
    """A label for each feature, with its unit.

    Raises:
        ValueError: the shapes do not fit together.
    """
    if rows.ndim != 2 or rows.shape[0] == 0 or rows.shape[1] != len(features):
        raise ValueError(
            f"X_train: expected [rows, {len(features)}] with at least one row, "
            f"found {list(rows.shape)}"
        )
    if not len(features) or (units is not None and len(units) != len(features)):
        raise ValueError("features: expected at least one, and one unit (or None) for each")
    return [
        f"{name} [{unit}]" if unit else name
        for name, unit in zip(features, units or [None] * len(features), strict=True)
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _principal_components(
    centred: NDArray[np.float64],
) -> tuple[NDArray[np.float64], list[float]]:
    """The first two components `[2, features]`, orthonormal, and their shares of the variance."""
    rows, features = centred.shape
    # The smaller of the two product matrices holds the same components at a fraction of an SVD.
    if features <= rows:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        found = vectors[:, :-3:-1].T
    else:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        found = (centred.T @ vectors[:, :-3:-1]).T
    total = max(float(values.sum()), 0.0)
    largest = [max(float(value), 0.0) for value in values[:-3:-1]] + [0.0, 0.0]
    shares = [value / total if total > 0 else 0.0 for value in largest[:2]]

    directions = np.zeros((2, features))
    for axis in range(2):
        # Rows without a second direction (or without any) get one from the coordinate axes.
        candidates = [*found[axis : axis + 1], *np.eye(features)[:3]]
        for place, candidate in enumerate(candidates):
            if place == 0 and shares[axis] < 1e-12:
                continue
            rest = candidate - directions.T @ (directions @ candidate)
            length = float(np.linalg.norm(rest))
            if length > 1e-6 * float(np.linalg.norm(candidate)):
                # Twice, as one Gram-Schmidt step may leave a trace of the first direction.
                rest = rest / length
                rest = rest - directions.T @ (directions @ rest)
                directions[axis] = rest / np.linalg.norm(rest)
                break
        # Eigenvectors come with either sign: the largest entry decides, as in scikit-learn.
        directions[axis] *= 1.0 if directions[axis][np.abs(directions[axis]).argmax()] > 0 else -1.0
    return directions, shares

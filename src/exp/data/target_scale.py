"""The scale of a target that is a number: a model may learn it with mean 0 and deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TargetScale:
    """The mean and the standard deviation of the targets of the training rows.

    Attributes:
        mean: in the target's own units.
        scale: the standard deviation (divided by the number of rows), in the same units; 1 if all
            targets are equal.
    """

    mean: float
    scale: float

    @classmethod
    def fit(cls, targets: NDArray[Any], weights: NDArray[np.float32] | None = None) -> TargetScale:
        """The scale of targets [rows], computed in float64, as scikit-learn's `StandardScaler`.

        Args:
            weights: [rows] how much each row counts; None: all the same.
        """
        y = targets.astype(np.float64)
        if y.max() == y.min():
            return cls(float(y[0]), 1.0)
        counted = None if weights is None else weights.astype(np.float64)
        mean = float(np.average(y, weights=counted))
        scale = float(np.sqrt(np.average(np.square(y - mean), weights=counted)))
        return cls(mean, scale or 1.0)

    def scaled(self, targets: NDArray[Any]) -> NDArray[np.float32]:
        """Targets in their own units -> what the model learns: (targets - mean) / scale."""
        scaled: NDArray[np.float32] = ((targets - self.mean) / self.scale).astype(np.float32)
        return scaled

    def restored(self, predicted: NDArray[Any]) -> NDArray[Any]:
        """What a model predicts, of any shape -> the same in the target's own units and in the
        same type: predicted * scale + mean, computed in float64."""
        with np.errstate(over="ignore", invalid="ignore"):  # of a run that has diverged
            whole = predicted.astype(np.float64) * self.scale + self.mean
            return whole.astype(predicted.dtype)

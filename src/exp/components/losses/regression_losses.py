"""Losses that are a distance, each in two forms: between probabilities and one-hot labels, and
between one output and a target that is a number (regression)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from exp.components.losses.loss import ClassWeights, Loss
from exp.registry.registry import register
from exp.util.metric_names import OF_NUMBERS


class RegressionLoss(Loss):
    """A regression loss of R runs: there is one output, the prediction.

    Padding is marked by NaN, because any number may be a target. The scores are torchmetrics'
    `mean_squared_error(squared=False)`, `mean_absolute_error` and `r2_score`. R² is NaN if all
    targets of a split are equal.

    Args:
        classes: 0.
        class_weights: None.
    """

    measures: ClassVar[tuple[str, ...]] = OF_NUMBERS
    answers: ClassVar[str] = "predictions"

    def __init__(self, classes: int = 0, *, class_weights: ClassWeights | None = None) -> None:
        self.classes, self.outputs, self.class_weights = 0, 1, None

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        return None

    def targets(self, labels: Tensor, dtype: torch.dtype) -> Tensor:
        return labels.to(dtype)

    def marked(self, targets: Tensor, padding: Tensor) -> Tensor:
        return targets.masked_fill(padding, torch.nan)

    def unmarked(self, marked: Tensor) -> Tensor:
        return marked.nan_to_num()

    def spread(self, labels: Sequence[NDArray[Any]]) -> Tensor:
        """The sum of squares of the targets around their mean, `[runs]` float64."""
        each = [targets.astype(np.float64) for targets in labels]
        sums = [float(np.square(y - y.mean()).sum()) for y in each]
        return torch.tensor(sums, dtype=torch.float64)

    def probabilities(self, logits: Tensor) -> Tensor:
        """The predictions, `[runs, 1, rows]`."""
        return logits

    def labels(self, logits: Tensor) -> Tensor:
        """The prediction of every row, `[runs, rows]`."""
        return logits.squeeze(1)

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The difference between each prediction and its target, `[runs, rows]`; 0 for padding."""
        error = logits.squeeze(1) - targets
        return torch.where(targets.isnan(), torch.zeros_like(error), error)

    def summed(self, correct: Tensor) -> Tensor:
        """Sums of squares and of absolute values, `[2, runs]`."""
        return torch.stack([correct.square().sum(dim=-1), correct.abs().sum(dim=-1)])

    def measured(self, sums: Tensor, count: int, spread: Tensor | None) -> list[Tensor]:
        assert spread is not None
        squares, distances = sums.unbind()
        whole = spread.to(squares)
        explained = torch.where(whole > 0, 1 - squares / whole, torch.nan)
        return [(squares / count).sqrt(), distances / count, explained]


NumberLoss = RegressionLoss  # its old name, which losses of users import


class SquaredError(RegressionLoss):
    """(prediction - target)^2, as `MSELoss`."""

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        return (logits.squeeze(1) - targets).square()


class AbsoluteError(RegressionLoss):
    """|prediction - target|, as `L1Loss`."""

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        return (logits.squeeze(1) - targets).abs()


@register.loss("mse")
class MeanSquaredError(Loss):
    """Mean squared error; for classes, between probabilities and one-hot labels (Brier 1950).

    Regression: (prediction - target)^2. Two classes: (p - y)^2; K classes: the mean over classes.
    """

    regression = SquaredError

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        if self.outputs == 1:
            rows = (torch.sigmoid(logits.squeeze(1)) - targets).square()
            return self.weighted(rows, targets)
        wanted = torch.zeros_like(logits).scatter(1, targets[:, None], 1.0)
        rows = (torch.softmax(logits, dim=1) - wanted).square().mean(dim=1)
        return self.weighted(rows, targets)


@register.loss("l1")
class MeanAbsoluteError(Loss):
    """Mean absolute error; for classes, between probabilities and one-hot labels.

    Regression: |prediction - target|. Two classes: |p - y|; K classes: the mean over classes. For
    classes, this loss is less sensitive to wrong labels than cross entropy, but learns more slowly
    (Ghosh, Kumar and Sastry 2017).
    """

    regression = AbsoluteError

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        if self.outputs == 1:
            rows = (torch.sigmoid(logits.squeeze(1)) - targets).abs()
            return self.weighted(rows, targets)
        wanted = torch.zeros_like(logits).scatter(1, targets[:, None], 1.0)
        rows = (torch.softmax(logits, dim=1) - wanted).abs().mean(dim=1)
        return self.weighted(rows, targets)

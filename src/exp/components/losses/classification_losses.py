"""Losses of a target that is a class."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from exp.components.losses.loss import ClassWeights, Loss
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Share


@register.loss("bce")
class BinaryCrossEntropy(Loss):
    """Binary cross entropy on one logit, as `BCEWithLogitsLoss`. For two classes.

    Args:
        pos_weight: weight of a row of the positive class (`dataset.positive`); other rows have
            weight 1. The mean divides by the number of rows.
    """

    def __init__(
        self,
        classes: int,
        *,
        pos_weight: Positive | None = None,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.pos_weight: Any = pos_weight

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        if classes > 2:
            return (
                f"loss bce needs two classes, and these data have {classes}. Use "
                "loss=cross_entropy or loss=auto"
            )
        return super().impossible(classes, params)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        weight = None if self.pos_weight is None else self.pos_weight.to(logits.dtype)
        z, wanted = logits.squeeze(1), targets
        if weight is not None and self.positive == 0:
            z, wanted = -z, 1 - targets  # torch weighs the rows whose target is 1
        rows = F.binary_cross_entropy_with_logits(z, wanted, pos_weight=weight, reduction="none")
        return self.weighted(rows, targets)


@register.loss("cross_entropy")
class CrossEntropy(Loss):
    """Cross entropy on one logit for each class, as `CrossEntropyLoss`, also for two classes.

    Args:
        label_smoothing: share of each target spread evenly over all classes.
    """

    def __init__(
        self,
        classes: int,
        *,
        label_smoothing: Share = 0.0,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.outputs = classes
        self.smoothing: Any = label_smoothing

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        surprise = -F.log_softmax(logits, dim=1)
        if self.class_weights is not None:
            surprise = surprise * self.class_weights.to(logits.dtype)[:, :, None]
        rows: Tensor = surprise.gather(1, targets[:, None])[:, 0]
        if isinstance(self.smoothing, float):
            return rows
        smoothing = self.smoothing.to(logits.dtype)
        smoothed: Tensor = (1 - smoothing) * rows + smoothing * surprise.mean(dim=1)
        return smoothed


@register.loss("focal")
class Focal(Loss):
    """Cross entropy times (1 - p)^gamma, so that easy rows count less (Lin et al. 2017).

    Args:
        gamma: how much less easy rows count; 0 is cross entropy.
        alpha: weight of the positive class (`dataset.positive`), only for two classes; the other
            class has 1 - alpha. null: no weights.
    """

    def __init__(
        self,
        classes: int,
        *,
        gamma: NonNegative = 2.0,
        alpha: Share | None = None,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.gamma: Any = gamma
        self.alpha: Any = alpha

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        if params["alpha"] is not None and classes > 2:
            return (
                f"loss.alpha of focal needs two classes, and these data have {classes}. "
                "Leave it null"
            )
        return super().impossible(classes, params)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        if self.outputs == 1:
            entropy = F.binary_cross_entropy_with_logits(
                logits.squeeze(1), targets, reduction="none"
            )
        else:
            entropy = -F.log_softmax(logits, dim=1).gather(1, targets[:, None])[:, 0]
        if isinstance(self.gamma, float):
            rows = entropy
        else:
            # The floor keeps the gradient of the power finite where p is 1.
            miss = (-torch.expm1(-entropy)).clamp_min(torch.finfo(logits.dtype).tiny)
            rows = miss.pow(self.gamma.to(logits.dtype)) * entropy
        rows = self.weighted(rows, targets)
        if self.alpha is None:
            return rows
        alpha = torch.as_tensor(self.alpha, dtype=logits.dtype, device=logits.device)
        if self.positive == 0:
            alpha = 1 - alpha
        return rows * (alpha * targets + (1 - alpha) * (1 - targets))


@register.loss("hinge")
class Hinge(Loss):
    """The loss of support vector machines: rows beyond the margin have loss 0.

    Two classes: max(0, margin - s z) with s = -1 or 1; K classes: Crammer and Singer (2001), the
    largest max(0, margin - z_true + z_other). The probabilities are sigmoid or softmax of the
    scores: useful for figures, but not calibrated.

    Args:
        margin: the required difference of scores.
    """

    def __init__(
        self,
        classes: int,
        *,
        margin: Positive = 1.0,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.margin: Any = margin

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        margin = self.margin.to(logits.dtype)
        if self.outputs == 1:
            rows = torch.relu(margin - (2 * targets - 1) * logits.squeeze(1))
            return self.weighted(rows, targets)
        labels = targets[:, None]
        others = logits.scatter(1, labels, -torch.inf).amax(dim=1)
        rows = torch.relu(margin - logits.gather(1, labels)[:, 0] + others)
        return self.weighted(rows, targets)


@register.loss("tanh_mse")
class TanhMeanSquaredError(Loss):
    """Half the squared difference between tanh of the logit and -1 or 1. For two classes.

    Source: `Errors.SQUARE` on a tanh output, as in TensorFlow Playground. The probability of class
    1 is (1 + tanh z) / 2.
    """

    slope = 2.0

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        if classes > 2:
            return (
                f"loss tanh_mse needs two classes, and these data have {classes}. Use "
                "loss=mse or loss=auto"
            )
        return super().impossible(classes, params)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        rows = (torch.tanh(logits.squeeze(1)) - (2 * targets - 1)).square() / 2
        return self.weighted(rows, targets)


@register.loss("auto")
def auto(*, class_weights: ClassWeights | None = None) -> None:
    """bce for two classes, cross_entropy for more classes, mse for regression.

    Args:
        class_weights: one number for each class, in class order or by name, or balanced. The mean
            divides by the sum of the rows' weights.
    """

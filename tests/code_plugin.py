"""Custom components of `test_code_training`: what a user's module may look like."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from exp import register
from exp.components.losses import Loss
from exp.components.models.mlp import linear as make
from exp.registry.types import Width

SCALE = 1.5


def scaled(x: Tensor) -> Tensor:
    return SCALE * x


class Gate(nn.Module):
    """A layer with a gate."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.value, self.gate = nn.Linear(inputs, outputs), nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.value(x) * torch.sigmoid(self.gate(x))


@register.model("gated")
class Gated(nn.Module):
    """Layers that exp knows, with dropout."""

    def __init__(self, in_features: int, out_features: int, *, width: Width = 16):
        super().__init__()
        self.first = Gate(in_features, width)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(width, out_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.drop(scaled(self.first(x))))


@register.model("sorted")
class Sorted(nn.Module):
    """A step that exp does not know, with dropout."""

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.first, self.last = nn.Linear(in_features, 8), nn.Linear(8, out_features)
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.sort(self.drop(torch.tanh(self.first(x))), dim=1).values)


@register.model("helped")
def helped(in_features: int, out_features: int) -> nn.Module:
    """A model that needs exp."""
    return make(in_features, out_features)


@register.loss("stacked")
class Stacked(Loss):
    """A loss that needs exp."""

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.softplus((1 - 2 * targets) * logits.squeeze(1))


@register.loss("logistic")
def logistic(logits: Tensor, target: Tensor) -> Tensor:
    """The loss of each row, on one logit."""
    return nn.functional.softplus((1 - 2 * target) * logits)


@register.optimizer("built")
def built(params: Any, *, lr: float = 0.05, decay: float = 0.01) -> torch.optim.Optimizer:
    """AdamW."""
    return torch.optim.AdamW(params, lr=lr, weight_decay=decay)


@register.activation("powered")
def powered(x: Tensor, *, power: float = 1.5) -> Tensor:
    """A power that keeps the sign."""
    return torch.sign(x) * x.abs() ** power


@register.metric("toll", higher_is_better=False)
def toll(y_true: Any, y_pred: Any) -> float:
    """The share of wrong rows."""
    return float((y_true != y_pred).mean())


register.loss("smoothed")(partial(nn.CrossEntropyLoss, label_smoothing=0.1))
register.loss("huber")(nn.HuberLoss)
register.scheduler("steps")(lr_scheduler.StepLR)
register.activation("sine")(torch.sin)

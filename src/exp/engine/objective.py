"""What the runs of a stack minimize: the mean loss over rows, and a penalty on weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from exp.components.losses.loss import Loss
from exp.components.stacking import stacked
from exp.engine.job import Job
from exp.engine.model import Model
from exp.engine.rows import Batch
from exp.registry.component import Chosen


def on_device(params: Sequence[Mapping[str, Any]], device: torch.device) -> dict[str, Any]:
    """Hyperparameters of R runs: numbers as `[runs, 1]`, a 0 that all share as 0.0."""
    found = stacked(params)
    return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in found.items()}


def hyperparameters(
    chosen: Chosen, params: Sequence[Mapping[str, Any]], device: torch.device
) -> dict[str, Any]:
    """Hyperparameters of R runs for a loss or an optimizer: stacked, or plain for one run of a
    component that was not written for stacks."""
    if getattr(chosen.component.builder, "plain_values", False):
        return dict(params[0])
    return on_device(params, device)


class Objective:
    """The loss of R runs with their penalties.

    Args:
        jobs: R of them, with the same loss; its hyperparameters may differ.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        first = jobs[0]
        device = first.device.torch_device
        classes = len(first.data.data.classes)
        values = hyperparameters(first.loss, [job.loss.declared for job in jobs], device)
        self.loss: Loss = first.loss.component.make(classes, **values)
        if first.data.positive is not None:
            self.loss.positive = first.data.positive
        self.loss.rows_weighted = first.data.data.weights is not None
        penalties = on_device([job.loss.common for job in jobs], device)
        self.l1, self.l2 = penalties["l1"], penalties["l2"]
        self.penalized = isinstance(self.l1, Tensor) or isinstance(self.l2, Tensor)

    def __call__(self, logits: Tensor, batch: Batch, model: Model) -> Tensor:
        """The loss of each run on a batch, `[runs]`, penalty included."""
        losses = self.loss.mean(logits, batch.targets, batch.share, batch.count)
        return losses + self.penalty(model) if self.penalized else losses

    def penalty(self, model: Model) -> Tensor:
        """l1 * sum |w| + l2 / 2 * sum w^2 of each run, `[runs]`."""
        total = torch.zeros_like(model.parameters.values[:, 0])
        for weight in model.weights:
            flat = weight.reshape(model.runs, -1)
            if isinstance(self.l1, Tensor):
                total = total + self.l1[:, 0].to(flat.dtype) * flat.abs().sum(dim=-1)
            if isinstance(self.l2, Tensor):
                total = total + self.l2[:, 0].to(flat.dtype) / 2 * flat.square().sum(dim=-1)
        return total

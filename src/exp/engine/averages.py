"""The weights that are evaluated, where they are not those that are trained."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.engine.stack import Stack

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Buffers of the layers that normalize."""


def averages_of(stack: Stack) -> Averages | None:
    """None: the weights that are trained are evaluated."""
    averaged = stack.trainer.average is not None or stack.optimizer.averaged is not None
    return Averages(stack) if averaged else None


class Averages:
    """Averages of the weights of each run: of its optimizer, or by `trainer.average`.

    Between epochs the model holds the averages, so that they are what is evaluated, watched, saved
    and shown. In an epoch it holds the weights that are trained.

    Args:
        stack: the runs.

    Attributes:
        trained: between epochs, the parameters and buffers from which the training goes on.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        trainer = stack.trainer
        self.kind = trainer.average  # None: the optimizer averages
        first = 0 if self.kind == "ema" else trainer.epochs * 3 // 4
        self.start = first if trainer.average_start is None else trainer.average_start
        self._adopt()
        self.trained = [tensor.clone() for tensor in self.live]
        self.average = self.live[0].clone()

    def _adopt(self) -> None:
        model = self.stack.model
        self.live = [model.parameters.values, *model.buffers.values()]
        decays = [job.plan.trainer.average_decay for job in self.stack.jobs]
        self.share = self.live[0].new_tensor([1 - decay for decay in decays])[:, None]

    def before_epoch(self) -> None:
        """Puts the trained weights into the model."""
        self.average.copy_(self.live[0])
        for live, kept in zip(self.live, self.trained, strict=True):
            live.copy_(kept)

    def after_step(self, epoch: int, step: int) -> None:
        """Takes the weights after a step into their running mean, which begins with the first."""
        if self.kind == "ema" and (epoch, step) == (self.start, 0):
            self.average.copy_(self.live[0])
        elif self.kind == "ema" and epoch >= self.start:
            self.average.lerp_(self.live[0], self.share)

    def after_epoch(self, epoch: int) -> None:
        """Puts the averages into the model, with running statistics that fit them."""
        for live, kept in zip(self.live, self.trained, strict=True):
            kept.copy_(live)
        values: Tensor | None = self.average
        if self.kind is None:
            values = self.stack.optimizer.averaged
        elif epoch < self.start:
            return
        elif self.kind == "swa":
            self.average.lerp_(self.live[0], 1 / (epoch - self.start + 1))
        assert values is not None
        self.live[0].copy_(values)
        fit_statistics(self.stack)

    def select(self, keep: list[int]) -> None:
        """Keeps the runs at these positions, after the stack did."""
        self.trained = [tensor[keep] for tensor in self.trained]
        self.average = self.average[keep]
        self._adopt()


def fit_statistics(stack: Stack) -> None:
    """Computes the running statistics of batch norm anew, with the weights as they are and from the
    training rows, as `torch.optim.swa_utils.update_bn` does."""
    model = stack.model
    norms = [
        part
        for part in model.modules[0].modules()
        if getattr(part, "running_mean", None) is not None
    ]
    if not norms:
        return
    for name, buffer in model.buffers.items():
        if name.endswith(STATISTICS):
            buffer.fill_(1 if name.endswith("running_var") else 0)
    kept = [norm.momentum for norm in norms]
    for norm in norms:  # of a module that is not stacked
        norm.momentum = None  # type: ignore[assignment]
    with torch.no_grad():
        for batch in stack.chunks("train"):
            model(batch.x, batch.mask, True, counting=True)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum

"""A training step on a GPU as one CUDA graph: recorded once, then replayed.

A step of a small model is some fifty kernels of a few microseconds each, and starting a kernel from
Python takes longer than that. A recorded step starts them all at once, with the same results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from exp.engine.rows import Batch
from exp.engine.stack import Stack

Step = Callable[[Batch, Tensor], tuple[Tensor, Tensor]]
"""Trains on a batch with these rates `[runs, 1]`: the losses `[runs]`, and which rows are right."""

WORTH = 32
"""Steps that must be left for a recording to pay."""
WARM_UP = 3
"""Steps on a side stream before the recording, as torch's documentation requires."""


def recordable(stack: Stack) -> bool:
    """Whether each step of this stack starts the same kernels on a GPU, and reads nothing back."""
    place = stack.device.torch_device.type
    dropout = any(name.endswith("rates") for name in stack.model.buffers)
    stacked = stack.model.layers is not None and stack.optimizer.stackable
    repeats = stack.optimizer.recordable and stack.trainer.accumulate == 1
    return place == "cuda" and stacked and repeats and not dropout


class Recorded:
    """A step that is replayed.

    Args:
        step: does everything in place, on tensors that stay where they are.
        stack: whose state the warm-up must not change.
        batch: of the shape that all batches will have.
        rates: likewise.
    """

    def __init__(self, step: Step, stack: Stack, batch: Batch, rates: Tensor) -> None:
        self.batch, self.rates = copied(batch), rates.clone()
        kept = [*stack.optimizer.state.values(), *stack.model.buffers.values()]
        kept.append(stack.model.parameters.values)
        before = [tensor.clone() for tensor in kept]
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                step(self.batch, self.rates)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.losses, self.right = step(self.batch, self.rates)
        for tensor, value in zip(kept, before, strict=True):
            tensor.copy_(value)

    def fits(self, batch: Batch) -> bool:
        return batch.x.shape == self.batch.x.shape and batch.count == self.batch.count

    def __call__(self, batch: Batch, rates: Tensor) -> tuple[Tensor, Tensor]:
        """The step, on another batch of the same shape."""
        for one, other in zip(tensors(self.batch), tensors(batch), strict=True):
            if one.data_ptr() != other.data_ptr():
                one.copy_(other)
        self.rates.copy_(rates)
        self.graph.replay()
        return self.losses.clone(), self.right.clone()


def tensors(batch: Batch) -> list[Tensor]:
    values = (getattr(batch, field.name) for field in fields(batch))
    return [value for value in values if isinstance(value, Tensor)]


def copied(batch: Batch) -> Batch:
    """A batch of copied tensors."""
    found: dict[str, Any] = {}
    for field in fields(batch):
        value = getattr(batch, field.name)
        found[field.name] = value.clone() if isinstance(value, Tensor) else value
    return Batch(**found)

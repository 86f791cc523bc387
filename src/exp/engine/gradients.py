"""The gradients of a stack for one step: of a batch, or of several that count as one."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.engine.rows import Batch
from exp.engine.stack import Stack

Passes = list[tuple[Tensor, Tensor]]
"""Of each batch the losses `[runs]` and the logits `[runs, outputs, rows]`."""


def fill_gradients(stack: Stack, batches: list[Batch]) -> Passes:
    """Fills in the gradients of the mean loss over the rows of some batches, clipped."""
    passes = forward_and_backward(stack, batches)
    if stack.clip_norm is not None:
        clip(stack, stack.clip_norm)
    return passes


def fill_again(stack: Stack, batches: list[Batch]) -> Tensor:
    """Loss and gradient once more, for optimizers that evaluate them several times in a step
    (L-BFGS, SAM)."""
    second = stack.optimizer.second_gradient
    buffers = list(stack.model.buffers.values()) if second else []
    kept = [buffer.clone() for buffer in buffers]
    with torch.enable_grad():
        passes = (fill_gradients if second else forward_and_backward)(stack, batches)
    for buffer, before in zip(buffers, kept, strict=True):
        buffer.copy_(before)
    if len(batches) == 1:
        return passes[0][0].detach().sum()
    parts = zip(passes, shares(batches), strict=True)
    return torch.stack([losses.detach() * share[:, 0] for (losses, _), share in parts]).sum()


def forward_and_backward(stack: Stack, batches: list[Batch]) -> Passes:
    """Fills in the gradients of the mean loss over the rows of some batches."""
    model, gradients = stack.model, stack.model.parameters.gradients
    passes: Passes = []
    parts: list[Tensor] = []
    for batch in batches:
        logits = model(batch.x, batch.mask, True)
        losses = stack.objective(logits, batch, model)
        model.backward(losses)
        passes.append((losses, logits))
        if len(batches) > 1:
            parts.append(gradients.clone())
    if parts:
        gradients.zero_()
        for part, share in zip(parts, shares(batches), strict=True):
            gradients.addcmul_(part, share)
    return passes


def shares(batches: list[Batch]) -> list[Tensor]:
    """How much each batch counts in a mean over the rows of all, `[runs, 1]`."""
    total = torch.cat([batch.divisor for batch in batches], dim=1).sum(dim=1, keepdim=True)
    return [batch.divisor / total for batch in batches]


def clip(stack: Stack, limit: Tensor) -> None:
    """Scales each run's gradient down to its norm's limit, as `clip_grad_norm_` does."""
    gradients = stack.model.parameters.gradients
    norm = gradients.square().sum(dim=-1).sqrt()
    gradients.mul_((limit.to(norm.dtype) / (norm + 1e-6)).clamp_max(1)[:, None])

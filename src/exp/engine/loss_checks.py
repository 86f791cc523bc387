"""Mistakes in a custom loss that PyTorch does not report, found before the first epoch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from exp.components.losses.loss import Loss
from exp.components.losses.regression_losses import RegressionLoss
from exp.engine.model_checks import CLOSE
from exp.engine.objective import Objective
from exp.engine.stack import Stack
from exp.registry.user_code import calling, seeded
from exp.util.errors import ComponentError

ROWS = 8


def check_loss(stack: Stack) -> None:
    """Checks a custom loss on a few rows with logits around 0.

    Raises:
        ComponentError: it does not return a number for each row, has no gradient or one that leads
            away from the target, is not finite, changes its inputs, or mixes rows or runs.
    """
    name = stack.jobs[0].loss.name
    with (
        calling(f"loss {name}"),
        torch.random.fork_rng(devices=[]),
        seeded(0),
        torch.enable_grad(),
    ):
        loss = Objective(stack.jobs).loss
        batch = next(iter(stack.chunks("train")))
        count = min(ROWS, batch.count)
        targets = batch.targets[:, :count].clone()
        source = torch.Generator().manual_seed(0)
        z = torch.randn(len(targets), loss.outputs, count, generator=source).to(batch.x)
        if type(loss).mean is not Loss.mean:
            share = torch.full_like(batch.share[:, :count], 1 / count)
            value = value_of(name, lambda z, t: loss.mean(z, t, share, count), z, targets)
        else:
            value = value_of(name, loss.per_row, z, targets)
            check_shape(name, targets, value)
        wrong = value.flatten()[~value.flatten().isfinite()]
        if len(wrong):
            raise ComponentError(
                f"loss {name} is {wrong[0].item()} for finite logits of the untrained model"
            )
        if type(loss).mean is Loss.mean:
            check_rows(name, stack, loss, z, targets, value)
        check_direction(name, loss, z, targets)


def value_of(name: str, loss: Any, z: Tensor, targets: Tensor) -> Tensor:
    """What the loss returns.

    Raises:
        ComponentError: it changes the logits or the targets, or has no gradient.
    """
    z = z.clone().requires_grad_()
    logits, before = z * 1, targets.clone()
    value = loss(logits, targets)
    if not isinstance(value, Tensor):
        raise ComponentError(f"loss {name} must return a tensor, found a {type(value).__name__}")
    if not torch.equal(logits, z) or not torch.equal(targets, before):
        raise ComponentError(f"loss {name} changes the logits or targets in place: copy them first")
    gradient = None
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value.sum(), z, allow_unused=True)
    if gradient is None:
        raise ComponentError(
            f"loss {name} has no gradient with respect to the logits, so the model would not be "
            "trained: remove detach(), item(), argmax and comparisons"
        )
    return value.detach()


def check_shape(name: str, targets: Tensor, value: Tensor) -> None:
    """
    Raises:
        ComponentError: it is not one number for each row of each run.
    """
    wanted = list(targets.shape)
    if list(value.shape) != wanted:
        hint = ". Remove the mean: exp computes it" if value.numel() < targets.numel() else ""
        raise ComponentError(
            f"loss {name} must return a number for each row of each run, [runs, rows] = {wanted}, "
            f"found {list(value.shape)}{hint}"
        )


def check_rows(
    name: str, stack: Stack, loss: Loss, z: Tensor, targets: Tensor, value: Tensor
) -> None:
    """
    Raises:
        ComponentError: the loss of a row depends on other rows, or on other runs.
    """
    with torch.no_grad():
        other, labels = z.clone(), targets.clone()
        other[:, :, 1:], labels[:, 1:] = z[:, :, :1], targets[:, :1]
        if not torch.allclose(loss.per_row(other, labels)[:, 0], value[:, 0], **CLOSE):
            raise ComponentError(
                f"loss {name}: the loss of a row depends on other rows, including "
                "padding. Compute each row separately, or register a function on "
                "(logits, target), which receives a batch without padding"
            )
        if stack.runs > 1:
            single = Objective(stack.jobs[:1]).loss.per_row(z[:1], targets[:1])
            if not torch.allclose(single, value[:1], **CLOSE):
                raise ComponentError(
                    f"loss {name} mixes the runs of a stack: the loss of a run must depend on the "
                    "logits of that run only, [runs, outputs, rows]"
                )


def check_direction(name: str, loss: Loss, z: Tensor, targets: Tensor) -> None:
    """
    Raises:
        ComponentError: the loss is not smallest at the target, or does not decrease towards it.
    """
    if isinstance(loss, RegressionLoss):
        right = torch.ones_like(z) * 2
        marks = torch.full_like(targets, 2.0)
        at, above, below = (mean(loss, right + shift, marks) for shift in (0.0, 0.5, -0.5))
        if at > min(above, below):
            raise ComponentError(
                f"loss {name} is smaller for a wrong prediction ({min(above, below):.4g}) than for "
                f"the target ({at:.4g}): is the sign wrong, or is its input not a prediction?"
            )
        return
    if type(loss).probabilities is not Loss.probabilities or type(loss).labels is not Loss.labels:
        return  # the loss defines what the outputs of the model mean
    for label in sorted(set(targets.long().flatten().tolist())):
        marks = torch.full_like(targets, label)
        step = torch.full_like(z, -0.1 if label == 0 else 0.1)
        if loss.outputs > 1:
            step = torch.zeros_like(z)
            step[:, label] = 0.1
        nearer, farther = mean(loss, step, marks), mean(loss, -step, marks)
        if nearer > farther or (nearer == farther and nearer != 0):
            raise ComponentError(
                f"loss {name} does not decrease when the logit moves towards the true "
                f"class {label} ({farther:.4g}, then {nearer:.4g}): is the sign wrong, "
                "or does it take probabilities? A model returns logits"
            )


def mean(loss: Loss, z: Tensor, targets: Tensor) -> float:
    """The loss of the first run."""
    share = torch.full(targets.shape, 1 / targets.shape[1], dtype=z.dtype, device=z.device)
    with torch.no_grad():
        return float(loss.mean(z, targets, share, targets.shape[1])[0])

"""What the kernel has, and so which runs it trains."""

from __future__ import annotations

from typing import Any

import torch

from exp.components.losses.loss import Loss
from exp.components.optimizers.optimizer import Rule
from exp.engine.job import Job
from exp.engine.kernel.network import loss_of
from exp.engine.kernel.program import NotKnownError, program
from exp.engine.model import Model
from exp.engine.objective import Objective
from exp.util.compiled import form

VECTORS = {
    "sgd": ("momentum_buffer",),
    "adam": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "nadam": ("exp_avg", "exp_avg_sq"),
    "radam": ("exp_avg", "exp_avg_sq"),
    "rmsprop": ("square_avg", "grad_avg", "momentum_buffer"),
    "adagrad": ("sum",),
    "adadelta": ("square_avg", "acc_delta"),
    "rprop": ("prev", "step_size"),
    "lion": ("exp_avg",),
}
SCALARS = {
    "adam": ("correction1", "correction2"),
    "adamw": ("correction1", "correction2"),
    "nadam": ("correction1", "correction2", "mu_product", "mu_power"),
    "radam": ("correction1", "correction2", "steps"),
    "adagrad": ("steps",),
}
NUMBERS = {
    "sgd": ("momentum", "dampening"),
    "adam": ("beta1", "beta2", "eps"),
    "adamw": ("beta1", "beta2", "eps"),
    "nadam": ("beta1", "beta2", "eps"),
    "radam": ("beta1", "beta2", "eps"),
    "rmsprop": ("alpha", "eps", "momentum"),
    "adagrad": ("eps", "lr_decay"),
    "adadelta": ("rho", "eps"),
    "rprop": ("eta_minus", "eta_plus", "step_size_min", "step_size_max"),
    "lion": ("beta1", "beta2"),
}


def flags_of(rule: Any) -> int:
    """What kernel.h calls flags."""
    first = any(getattr(rule, name, False) for name in ("nesterov", "amsgrad", "centered"))
    classical = getattr(rule, "classical", False)
    return int(first) + 2 * bool(classical) + 8 * bool(getattr(rule, "decoupled", False))


def why_not(job: Job, model: Model, loss: Loss) -> str | None:
    """Why torch trains runs like this one; None: the kernel does.

    Args:
        job: of one of them.
        model, loss: of the runs.
    """
    if form() is None:
        return "the kernel was not compiled, or is switched off"
    if job.device.torch_device.type != "cpu":
        return f"it trains on {job.device.torch_device}"
    if job.device.dtype is not torch.float32:
        return f"it computes in {job.device.dtype}"
    trainer = job.plan.trainer
    if trainer.average is not None:
        return "the kernel does not average weights (trainer.average)"
    if trainer.accumulate > 1:
        return "the kernel does not accumulate gradients (trainer.accumulate)"
    for kind in ("optimizer", "scheduler"):
        if not job.plan[kind].packaged:
            return f"{kind} {job.plan[kind].name} is custom"
    optimizer = job.plan["optimizer"]
    builder: Any = optimizer.component.builder
    if optimizer.name not in NUMBERS or not issubclass(builder, Rule):
        return f"the kernel has no optimizer {optimizer.name}"
    if len(model.trainable) < len(model.shapes):
        return "some of its parameters are not trained"
    try:
        program(model, job.shapes.features, job.batch)
        loss_of(loss)
    except NotKnownError as error:
        return f"the kernel has no {error}"
    return None


def unfit(job: Job) -> str | None:
    """Why torch trains this run; None: the kernel does."""
    model = Model(
        [job.source()],
        outputs=job.outputs,
        dtype=job.device.dtype,
        device=torch.device("cpu"),
        generators=[torch.Generator()],
        known=job.unknown_step is None,
    )
    return why_not(job, model, Objective([job]).loss)


def alone(job: Job) -> str | None:
    """Why this run cannot train together with others; None: it can."""
    why = job.unstackable()
    if why is None and job.device.threads > 1 and unfit(job) is not None:
        return "device.threads > 1: sums are split among threads, so the last bits could differ"
    return why

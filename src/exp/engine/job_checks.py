"""What can only be known by trying, checked before a run has a directory."""

from __future__ import annotations

import os

import torch

from exp.components.models import ensemble
from exp.components.schedulers.scheduler import scheduler
from exp.engine.custom_errors import attributed
from exp.engine.job import Job
from exp.engine.model_checks import ROWS, check_layers, check_output, check_repeatable
from exp.engine.objective import hyperparameters
from exp.engine.result import Predictor
from exp.util.errors import ComponentError, ImpossibleError


def check_trainable(job: Job) -> None:
    """
    Raises:
        ImpossibleError: the model is not trained as a whole.
    """
    if job.plan["model"].component.module == ensemble.__name__:
        raise ImpossibleError(
            "model ensemble consists of networks that exp fit has trained one by one; it cannot be "
            "trained as a whole. Use exp fit"
        )


def check_job(job: Job) -> None:
    """Builds the model of a run and computes a few rows; builds an optimizer that may refuse it.

    Raises:
        ComponentError: a custom model broke the contract, or has nothing to train.
        CustomCodeError: an exception in a custom component.
        ImpossibleError: the model does not fit in memory, or the optimizer cannot train it, or
            takes no schedule.
    """
    chosen, rule = job.plan["model"], job.plan["optimizer"]
    check_trainable(job)
    memory = total_memory()
    if memory and (need := COPIES * size(job) * job.device.dtype.itemsize) > memory:
        found = (
            f"training needs {need / 1000000000.0:,.0f} GB of memory, and this machine has "
            f"{memory / 1000000000.0:,.0f} GB"
        )
        raise ImpossibleError(f"model {chosen.name} does not fit in memory: {found}")
    try:
        check_output(job)
        predictor = Predictor(job, None)
        custom = not chosen.packaged
        rows = job.first_rows(ROWS if custom else 2)
        stacked = predictor.logits(rows)
        if custom:
            x = torch.from_numpy(rows.copy()).to(job.device.torch_device, job.device.dtype)
            with attributed([job]):
                plain = check_repeatable(job, x)
            check_layers(job, plain, torch.from_numpy(stacked))
    except (MemoryError, RuntimeError) as error:
        if "memory" not in str(error) and not isinstance(error, MemoryError):
            raise
        raise ImpossibleError(f"model {chosen.name} does not fit in memory") from error
    if not predictor.model.trainable:
        raise ComponentError(f"model {chosen.name} has no parameters to train")
    if not rule.component.builder.stackable:  # type: ignore[attr-defined]
        options = hyperparameters(rule, [rule.declared], job.device.torch_device)
        made = rule.component.make(predictor.model.parameters, **options)
        # Without an lr to set, the run would train as if it had no schedule.
        if not getattr(made, "rated", True) and not scheduler(job.plan["scheduler"]).constant:
            raise ImpossibleError(
                f"optimizer {rule.name} cannot follow a schedule: none of its param groups has an "
                "'lr'. Use scheduler=none and scheduler.warmup=0, or give its groups an 'lr' that "
                "its steps use"
            )


COPIES = 6
"""How often the weights are stored, at least: module, values, gradients, best, before, now."""


def size(job: Job) -> int:
    """The parameters of a run's model, counted without memory for them."""
    try:
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in job.module().parameters())
    except Exception:  # it needs real values to be built; if it is broken, that will show
        return 0


def total_memory() -> int:
    """Bytes of memory of this machine, 0 where that is not known."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0

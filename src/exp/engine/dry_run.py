"""What can only be known by trying, tried before a run has a directory."""

from __future__ import annotations

import os

import torch

from exp.components.schedulers import scheduler
from exp.engine.custom_checks import layers_checked, model_checked
from exp.engine.custom_errors import attributed
from exp.engine.job import Job
from exp.engine.model_checks import ROWS, probed
from exp.engine.objective import numbers
from exp.engine.result import Predictor
from exp.util.errors import ComponentError, ImpossibleError


def tried(job: Job) -> None:
    """Builds a run's model and lets it answer two rows; builds an optimizer that may refuse it.

    Raises:
        ComponentError: a model of the user's own broke the contract, or has nothing to train.
        OwnCodeError: an exception in a component of the user's own.
        ImpossibleError: the model does not fit in memory, or the optimizer cannot train it, or
            takes no schedule.
    """
    chosen, rule = job.plan["model"], job.plan["optimizer"]
    room = memory()
    if room and (need := COPIES * size(job) * job.device.dtype.itemsize) > room:
        found = f"training takes {need / 1e9:,.0f} GB, and this machine has {room / 1e9:,.0f}"
        raise ImpossibleError(f"model {chosen.name} does not fit in memory: {found}")
    try:
        probed(job)
        predictor = Predictor(job, None)
        own = not chosen.packaged
        rows = job.data.X[: ROWS if own else 2]
        answers = predictor.logits(rows)
        if own:
            x = torch.from_numpy(rows.copy()).to(job.device.torch_device, job.device.dtype)
            with attributed([job]):
                logits = model_checked(job, x)
            layers_checked(job, logits, torch.from_numpy(answers))
    except (MemoryError, RuntimeError) as error:
        if "memory" not in str(error) and not isinstance(error, MemoryError):
            raise
        raise ImpossibleError(f"model {chosen.name} does not fit in memory") from error
    if not predictor.model.trainable:
        raise ComponentError(f"model {chosen.name} has no parameters to train")
    if not rule.component.builder.stackable:  # type: ignore[attr-defined]
        plain = numbers(rule, [rule.declared], job.device.torch_device)
        made = rule.component.make(predictor.model.parameters, **plain)
        # Nothing would take the rates of the schedule: the run would train as without one.
        if not getattr(made, "rated", True) and not scheduler(job.plan["scheduler"]).constant:
            raise ImpossibleError(
                f"optimizer {rule.name} takes no schedule: none of its param groups has an 'lr'. "
                "Use scheduler=none and scheduler.warmup=0, or give its groups an 'lr' that its "
                "steps use"
            )


COPIES = 6
"""Of the weights, at least: module, values, gradients, best, before, now."""


def size(job: Job) -> int:
    """The parameters of a run's model, counted without room for them."""
    try:
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in job.module().parameters())
    except Exception:  # a module that wants numbers: if it is broken, building it will tell
        return 0


def memory() -> int:
    """Bytes of this machine, 0 where that cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0

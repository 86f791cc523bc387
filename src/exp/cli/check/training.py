"""Short trainings with a component in them, alone and in a stack."""

from __future__ import annotations

from typing import Any

import torch

from exp.cli.check.subject import Subject
from exp.engine import Job, Result, train

SEEDS = (3, 1, 2)


def same_in_a_stack(subject: Subject, **parts: Any) -> str | None:
    """Whether runs have other bits in a stack of three than each alone; stacked if they can be.

    Returns:
        None, or where they differ.
    """
    jobs = [Job.of(subject.plan(seed, **parts), keep=False) for seed in SEEDS]
    together = train(jobs)
    for job, result in zip(jobs, together, strict=True):
        difference = apart(train([job])[0], result)
        if difference:
            return f"other {difference} in a stack of {len(jobs)} than alone"
    return None


def same_again(subject: Subject, **parts: Any) -> str | None:
    """Whether a run, done again after others, comes out otherwise."""
    first, _, again = (
        train([Job.of(subject.plan(seed, **parts), keep=False)])[0] for seed in (1, 2, 1)
    )
    difference = apart(first, again)
    return f"other {difference} when it was done again after another run" if difference else None


def finite(subject: Subject, **parts: Any) -> str | None:
    """Whether the losses of a short run are numbers."""
    (result,) = train([Job.of(subject.plan(1, **parts), keep=False)])
    return None if result.end_reason == "done" else f"a run that has {result.end_reason}"


def apart(one: Result, other: Result) -> str | None:
    """Where two results differ first."""
    for name, column in one.history.items():
        if not same(torch.as_tensor(column), torch.as_tensor(other.history[name])):
            return name
    names = [name for name, tensor in one.state.items() if not same(tensor, other.state[name])]
    return names[0] if names else None


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors have the same shape, type and numbers; two NaN are the same."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool(((one == other) | ((one != one) & (other != other))).all())

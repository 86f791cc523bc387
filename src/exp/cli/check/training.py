"""Short trainings with a component in them, alone and in a stack."""

from __future__ import annotations

from typing import Any

import torch

from exp.cli.check.subject import Subject
from exp.engine import Job, Result, train

SEEDS = (3, 1, 2)


def assert_same_in_a_stack(subject: Subject, **parts: Any) -> None:
    """Runs have the same bits in a stack of three as alone; stacked if they can be."""
    jobs = [Job.of(subject.plan(seed, **parts), keep=False) for seed in SEEDS]
    for job, result in zip(jobs, train(jobs), strict=True):
        difference = apart(train([job])[0], result)
        assert difference is None, f"different {difference} in a stack of {len(jobs)} than alone"


def assert_same_again(subject: Subject, **parts: Any) -> None:
    """A run has the same bits when it is trained once more after another."""
    first, _, second = (
        train([Job.of(subject.plan(seed, **parts), keep=False)])[0] for seed in (1, 2, 1)
    )
    difference = apart(first, second)
    assert difference is None, f"different {difference} when it was trained again after another run"


def assert_trains(subject: Subject, **parts: Any) -> None:
    """The losses of a short run are finite."""
    (result,) = train([Job.of(subject.plan(1, **parts), keep=False)])
    assert result.end_reason == "done", f"a run that has {result.end_reason}"


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

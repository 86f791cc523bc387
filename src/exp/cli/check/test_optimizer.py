"""What an optimizer promises: each run by itself, alone, in a stack, and after a resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from exp.cli.check.subject import Subject, global_states
from exp.cli.check.training import assert_same_in_a_stack, same
from exp.components.optimizers import Optimizer
from exp.components.optimizers.parameter_buffer import Parameters
from exp.engine.objective import hyperparameters

RUNS, WIDTH, STEPS = 3, 64, 6
"""Two parameters of 4 by 5 numbers, each in whole vector lanes."""
SHAPE, SIZE = (4, 5), 20


class Steps:
    """An optimizer on parameters of some runs, which are all different.

    Args:
        runs: which ones, out of `RUNS`.
    """

    def __init__(self, subject: Subject, runs: Sequence[int]) -> None:
        self.runs = list(runs)
        self.parameters = parameters(draw(0)[self.runs])
        chosen = subject.chosen
        # What may differ between the runs of a stack: every rate here.
        rates = [
            {k: v * (1 + run) if k == "lr" else v for k, v in chosen.declared.items()}
            for run in self.runs
        ]
        values = hyperparameters(chosen, rates, torch.device("cpu"))
        self.optimizer: Any = chosen.component.make(self.parameters, **values)

    def steps(self, first: int, last: int) -> Tensor:
        """The values after steps `first` to `last`, without the last one; each run has gradients
        that depend on the run and the step only."""
        for number in range(first, last):
            self.parameters.gradients.copy_(draw(number + 1)[self.runs])
            self.optimizer.step(self.optimizer.lr, lambda: torch.zeros(()))
        return self.parameters.values.clone()


def draw(number: int) -> Tensor:
    """Numbers of every run `[RUNS, WIDTH]`, 0 in the lanes that hold no parameter."""
    values = torch.randn(RUNS, WIDTH, generator=torch.Generator().manual_seed(number))
    values[:, SIZE:32] = 0
    values[:, 32 + SIZE :] = 0
    return values


def parameters(values: Tensor) -> Parameters:
    values = values.clone()
    gradients = torch.zeros_like(values)
    leaves = []
    for start in (0, 32):
        leaf = values[:, start : start + SIZE].view(-1, *SHAPE).detach().requires_grad_()
        leaf.grad = gradients[:, start : start + SIZE].view(-1, *SHAPE)
        leaves.append(leaf)
    return Parameters(values, gradients, leaves)


def stackable(subject: Subject) -> bool:
    """Whether it is given several runs at once."""
    return bool(getattr(subject.component.builder, "stackable", False))


@pytest.mark.essential
def test_optimizer(subject: Subject) -> None:
    """an exp.components.optimizers.Optimizer"""
    builder: Any = subject.component.builder
    is_optimizer = isinstance(builder, type) and issubclass(builder, Optimizer)
    assert is_optimizer, "a builder that is not a subclass of it"
    lr = Steps(subject, [0]).optimizer.lr
    assert isinstance(lr, Tensor), f"one whose lr is {type(lr).__name__}, not [runs, 1] float64"
    fits = lr.shape == (1, 1) and lr.dtype == torch.float64
    assert fits, f"one whose lr is {list(lr.shape)} {lr.dtype}, not [runs, 1] float64"


def test_step(subject: Subject) -> None:
    """finite values, changed in place, with zeros between the parameters"""
    one = Steps(subject, [0])
    place, before = one.parameters.values.data_ptr(), one.parameters.values.clone()
    with global_states() as changed:
        values = one.steps(0, STEPS)
    in_place = one.parameters.values.data_ptr() == place and not torch.equal(values, before)
    assert in_place, "parameters.values unchanged"
    assert values.isfinite().all(), "a value that is not finite"
    between = values[:, SIZE:32].any() or values[:, 32 + SIZE :].any()
    assert not between, "numbers between the parameters, which must stay 0"
    assert not changed, f"{' and '.join(changed)} changed"


def test_descends(subject: Subject) -> None:
    """a smaller value of a convex function after 50 steps"""
    one = Steps(subject, [0])
    values, gradients = one.parameters.values, one.parameters.gradients

    def bowl() -> Tensor:
        gradients.copy_(values)
        return values.square().sum() / 2

    before = bowl().item()
    for _ in range(50):
        bowl()
        one.optimizer.step(one.optimizer.lr, bowl)
    after = values.square().sum().item() / 2
    assert after < before, f"{before:.4g} before and {after:.4g} after"


def test_runs_apart(subject: Subject) -> None:
    """the same bits of each run alone and in a stack of three"""
    if not stackable(subject):
        return
    whole = Steps(subject, range(RUNS)).steps(0, STEPS)
    for run in range(RUNS):
        alone = Steps(subject, [run]).steps(0, STEPS)
        where = f"of run {run} in a stack of {RUNS} than alone"
        assert same(whole[run : run + 1], alone), f"different values {where}"


def test_runs_leave(subject: Subject) -> None:
    """the same bits of a run after others have left its stack"""
    if not stackable(subject):
        return
    whole = Steps(subject, range(RUNS))
    whole.steps(0, 3)
    keep = torch.tensor([2, 0])
    whole.parameters = parameters(whole.parameters.values[keep])
    whole.runs = keep.tolist()
    whole.optimizer.select(whole.parameters, keep)
    found = whole.steps(3, STEPS)
    for position, run in enumerate(whole.runs):
        alone = Steps(subject, [run]).steps(0, STEPS)
        kept = same(found[position : position + 1], alone)
        assert kept, f"different values of run {run} after select()"


def test_resume(subject: Subject) -> None:
    """the same bits when it continues from its saved state"""
    straight = Steps(subject, [0]).steps(0, STEPS)
    first = Steps(subject, [0])
    first.steps(0, 3)
    saved = {name: tensor.clone() for name, tensor in first.optimizer.state.items()}
    second = Steps(subject, [0])
    second.parameters.values.copy_(first.parameters.values)
    second.optimizer.state = saved
    found = second.steps(3, STEPS)
    assert same(straight, found), (
        "different values: `state` does not contain everything that it needs"
    )


def test_stack(subject: Subject) -> None:
    """the same bits of a run alone and in a stack"""
    assert_same_in_a_stack(subject)

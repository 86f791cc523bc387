"""What an optimizer promises: each run by itself, alone, in a stack, and after a resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from exp.cli.check.finding import Checks
from exp.cli.check.subject import Subject, global_states
from exp.cli.check.training import same, same_in_a_stack
from exp.components.optimizers import Optimizer
from exp.components.optimizers.parameters import Parameters
from exp.engine.objective import hyperparameters

CHECKS = Checks()
RUNS, WIDTH, STEPS = 3, 64, 6
"""Two parameters of 4 by 5 numbers, each in whole vector lanes."""
SHAPE = (4, 5)


class Trial:
    """An optimizer on parameters of some runs, which are all different.

    Args:
        runs: which ones, out of `RUNS`.
    """

    def __init__(self, subject: Subject, runs: Sequence[int]) -> None:
        self.runs = list(runs)
        self.parameters = parameters(draw(0)[self.runs])
        chosen = subject.chosen
        # What may differ between the runs of a stack: every rate here.
        numbers = [
            {k: v * (1 + run) if k == "lr" else v for k, v in chosen.declared.items()}
            for run in self.runs
        ]
        own = hyperparameters(chosen, numbers, torch.device("cpu"))
        self.optimizer: Any = chosen.component.make(self.parameters, **own)

    def step(self, number: int) -> None:
        """One step, with gradients that each run has for itself at this number."""
        self.parameters.gradients.copy_(draw(number + 1)[self.runs])
        self.optimizer.step(self.optimizer.lr, lambda: torch.zeros(()))

    def steps(self, first: int, last: int) -> Tensor:
        """The values after steps `first` to `last`, the last one left out."""
        for number in range(first, last):
            self.step(number)
        return self.parameters.values.clone()


def draw(number: int) -> Tensor:
    """Numbers of every run `[RUNS, WIDTH]`, 0 in the lanes that hold no parameter."""
    source = torch.Generator().manual_seed(number)
    values = torch.randn(RUNS, WIDTH, generator=source)
    size = SHAPE[0] * SHAPE[1]
    values[:, size:32] = 0
    values[:, 32 + size :] = 0
    return values


def parameters(values: Tensor) -> Parameters:
    values = values.clone()
    gradients = torch.zeros_like(values)
    leaves = []
    size = SHAPE[0] * SHAPE[1]
    for start in (0, 32):
        leaf = values[:, start : start + size].view(-1, *SHAPE).detach().requires_grad_()
        leaf.grad = gradients[:, start : start + size].view(-1, *SHAPE)
        leaves.append(leaf)
    return Parameters(values, gradients, leaves)


def stackable(subject: Subject) -> bool:
    return bool(getattr(subject.component.builder, "stackable", False))


@CHECKS.add("optimizer", "an exp.components.optimizers.Optimizer", essential=True)
def gives_an_optimizer(subject: Subject) -> str | None:
    builder: Any = subject.component.builder
    if not (isinstance(builder, type) and issubclass(builder, Optimizer)):
        return "a builder that is no subclass of it"
    lr = Trial(subject, [0]).optimizer.lr
    if not isinstance(lr, Tensor) or lr.shape != (1, 1) or lr.dtype != torch.float64:
        found = f"{list(lr.shape)} {lr.dtype}" if isinstance(lr, Tensor) else type(lr).__name__
        return f"one whose lr is {found}, not [runs, 1] float64"
    return None


@CHECKS.add("step", "finite values, changed in place, and nothing in the lanes between")
def step(subject: Subject) -> str | None:
    trial = Trial(subject, [0])
    place, before = trial.parameters.values.data_ptr(), trial.parameters.values.clone()
    with global_states() as changed:
        values = trial.steps(0, STEPS)
    size = SHAPE[0] * SHAPE[1]
    if trial.parameters.values.data_ptr() != place or torch.equal(values, before):
        return "parameters.values unchanged"
    if not values.isfinite().all():
        return "a value that is not finite"
    if values[:, size:32].any() or values[:, 32 + size :].any():
        return "numbers in the lanes between parameters, which must stay 0"
    return f"{' and '.join(changed)} changed" if changed else None


@CHECKS.add("descends", "a bowl that it goes down in")
def descends(subject: Subject) -> str | None:
    trial = Trial(subject, [0])
    values, gradients = trial.parameters.values, trial.parameters.gradients

    def bowl() -> Tensor:
        gradients.copy_(values)
        return values.square().sum() / 2

    before = bowl().item()
    for _ in range(50):
        bowl()
        trial.optimizer.step(trial.optimizer.lr, bowl)
    after = values.square().sum().item() / 2
    return None if after < before else f"{before:.4g} before and {after:.4g} after 50 steps"


@CHECKS.add("runs apart", "the same bits of each run alone and in a stack of three")
def runs_apart(subject: Subject) -> str | None:
    if not stackable(subject):
        return None  # it is given one run at a time
    whole = Trial(subject, range(RUNS)).steps(0, STEPS)
    for run in range(RUNS):
        if not same(whole[run : run + 1], Trial(subject, [run]).steps(0, STEPS)):
            return f"other values of run {run} in a stack of {RUNS} than alone"
    return None


@CHECKS.add("runs leave", "the same bits of a run when others have left its stack")
def runs_leave(subject: Subject) -> str | None:
    if not stackable(subject):
        return None
    whole = Trial(subject, range(RUNS))
    whole.steps(0, 3)
    keep = torch.tensor([2, 0])
    whole.parameters = parameters(whole.parameters.values[keep])
    whole.runs = keep.tolist()
    whole.optimizer.select(whole.parameters, keep)
    found = whole.steps(3, STEPS)
    for position, run in enumerate(whole.runs):
        if not same(found[position : position + 1], Trial(subject, [run]).steps(0, STEPS)):
            return f"other values of run {run} after select()"
    return None


@CHECKS.add("resume", "the same bits when it goes on from its saved state")
def resume(subject: Subject) -> str | None:
    straight = Trial(subject, [0]).steps(0, STEPS)
    first = Trial(subject, [0])
    first.steps(0, 3)
    saved = {name: tensor.clone() for name, tensor in first.optimizer.state.items()}
    second = Trial(subject, [0])
    second.parameters.values.copy_(first.parameters.values)
    second.optimizer.state = saved
    found = second.steps(3, STEPS)
    return None if same(straight, found) else "other values: `state` does not hold all it needs"


@CHECKS.add("stack", "the same bits of a run alone and in a stack")
def stack(subject: Subject) -> str | None:
    return same_in_a_stack(subject)

"""Mistakes in custom components that show in the first steps of training."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.components.optimizers.parameter_buffer import Parameters
from exp.engine.model_checks import CLOSE, GLOBAL, equal
from exp.engine.objective import hyperparameters
from exp.engine.rows import Batch
from exp.engine.stack import Stack
from exp.registry.user_code import changed, states
from exp.util.errors import ComponentError

STEPS = 10
"""Steps in which an optimizer must change a parameter."""


def custom_kinds(stack: Stack) -> list[str]:
    """The kinds of which the components of a stack are custom ones."""
    plan = stack.jobs[0].plan
    kinds = [kind for kind in ("model", "optimizer", "scheduler") if not plan[kind].packaged]
    return kinds if stack.jobs[0].loss.packaged else [*kinds, "loss"]


class FirstSteps:
    """Checks the first steps of a stack with custom components.

    Args:
        kinds: those of the custom components.
    """

    def __init__(self, stack: Stack, kinds: list[str]) -> None:
        self.stack, self.kinds = stack, kinds
        self.count = 0
        self.start = stack.model.parameters.values.clone()
        self.moved = torch.zeros(stack.runs, dtype=torch.bool, device=self.start.device)
        self.pulled = self.moved.clone()
        self.gradients: Tensor | None = None

    def before(self, batch: Batch) -> None:
        if self.count == 0:
            self.x, self.targets, self.states = batch.x.clone(), batch.targets.clone(), states()

    def stepping(self) -> None:
        """Called between the gradients and the step of the optimizer."""
        if self.count == 0:
            self.gradients = self.stack.model.parameters.gradients.clone()

    def after(self, batch: Batch, rates: Tensor) -> bool:
        """Checks what a step has done; returns whether all checks are done.

        Raises:
            ComponentError: it has done something that it must not do.
        """
        if self.count == 0:
            self.check_first(batch, rates)
        self.count += 1
        if "optimizer" not in self.kinds:
            return True
        parameters = self.stack.model.parameters
        if len(parameters.values) != len(self.start):
            return True  # some runs have ended
        rated = rates[:, 0].to(self.pulled.device) > 0
        self.pulled |= (parameters.gradients != 0).any(dim=1) & rated
        self.moved |= (parameters.values != self.start).any(dim=1)
        if self.count < STEPS:
            return False
        if (self.pulled & ~self.moved).any():
            raise ComponentError(
                f"optimizer {self.name('optimizer')} did not change any parameter in "
                f"{STEPS} steps, although there are gradients. It must change "
                "parameters.values in place; an optimizer of torch.optim must change "
                "the parameters that exp passes to it"
            )
        return True

    def check_first(self, batch: Batch, rates: Tensor) -> None:
        if not torch.equal(self.x, batch.x):
            raise ComponentError(
                f"model {self.name('model')} changes its input: later epochs would use other data. "
                "Do not change it in place"
            )
        if not equal(self.targets, batch.targets):
            loss = self.stack.jobs[0].loss.name
            raise ComponentError(f"loss {loss} changes the targets in place: copy them first")
        drawn = [each for each in changed(self.states, states()) if each in GLOBAL]
        if drawn:
            custom = " and ".join(f"{kind} {self.name(kind)}" for kind in self.kinds)
            raise ComponentError(
                f"{custom}: the first step used {' and '.join(drawn)}. exp does not seed "
                "it, so the run would not be repeatable. Draw random numbers from torch"
            )
        compared = self.gradients is not None and not self.stack.optimizer.second_gradient
        if "optimizer" in self.kinds and self.stack.runs > 1 and compared:
            self.compare_with_single_run(rates)

    def name(self, kind: str) -> str:
        job = self.stack.jobs[0]
        return job.loss.name if kind == "loss" else job.plan[kind].name

    def compare_with_single_run(self, rates: Tensor) -> None:
        """
        Raises:
            ComponentError: the optimizer gives a run other values when it trains by itself.
        """
        assert self.gradients is not None
        stack = self.stack
        values, gradients = self.start[:1].clone(), self.gradients[:1].clone()
        leaves = []
        pairs = zip(stack.model.slices(values), stack.model.slices(gradients), strict=True)
        for (name, value), (_, gradient) in pairs:
            leaf = value.detach()
            if name in stack.model.trainable:
                leaf.requires_grad_()
                leaf.grad = gradient
            leaves.append(leaf)
        rule = stack.jobs[0].plan["optimizer"]
        options = hyperparameters(rule, [rule.declared], stack.device.torch_device)
        single = rule.component.make(Parameters(values, gradients, leaves), **options)
        single.step(rates[:1], lambda: torch.zeros(()))
        if not torch.allclose(values, stack.model.parameters.values[:1], equal_nan=True, **CLOSE):
            raise ComponentError(
                f"optimizer {rule.name} mixes the runs of a stack: the first step of a "
                "run is different when it trains alone. Compute sums and norms of each "
                "run separately, or set stackable = False"
            )

"""Mistakes in a user's own components that PyTorch takes without a word, found once in each run.

They cost a few calls before the first step and a comparison after it; runs of packaged components
alone are not looked at.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from exp.components.losses import Loss
from exp.components.parameters import Parameters
from exp.components.regression_losses import NumberLoss
from exp.engine.job import Job
from exp.engine.objective import Objective, numbers
from exp.engine.rows import Batch
from exp.engine.stack import Stack
from exp.registry.user_code import calling, changed, seeded, states
from exp.util.errors import ComponentError

SEEDS = (1, 2)
STEPS = 10
"""So many steps an optimizer is given to change a parameter."""
CLOSE: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-4}
GLOBAL = ("numpy.random", "Python's random")
ROWS = 8
LARGE = 5_000_000
"""Parameters: a larger model is not built again and again for a check."""


def model_checked(job: Job, x: Tensor) -> Tensor:
    """Tries a model of a user's on a few rows, in training and in evaluation mode.

    Args:
        x: `[rows, features]` on the device of the run.

    Returns:
        Its logits `[rows, outputs]` in evaluation mode.

    Raises:
        ComponentError: it seeds a generator, changes the rows, draws from generators that exp does
            not seed, or its answer for a row changes with the other rows.
    """
    name = job.plan["model"].name
    if twice := seeded_again(job):
        raise ComponentError(
            f"model {name} seeds {twice} while it is built: what is drawn after that would be the "
            "same whatever the seed is. Leave that out: exp seeds all generators with seeds.init"
        )
    evaluated = x
    large = sum(p.numel() for p in job.source().parameters()) > LARGE
    seeds = SEEDS[:1] if large else (*SEEDS, SEEDS[-1])
    for training in (True, False):
        mode = "training" if training else "evaluation"
        found, after = [], []
        for number in seeds:
            module = job.module().to(x.device, x.dtype).train(training)
            rows = x.clone()
            with torch.random.fork_rng(devices=[]), seeded(number), torch.no_grad():
                before = states()
                found.append((module, module(rows)))
                after.append(states())
            if not torch.equal(rows, x):
                raise ComponentError(
                    f"model {name} changes the rows that it is given ({mode} mode): every later "
                    "epoch would see other data. Do not change them in place (x -= ..., "
                    "x.mul_(...), inplace=True in the first layer)"
                )
            if drawn := [each for each in changed(before, after[-1]) if each in GLOBAL]:
                raise ComponentError(
                    f"model {name} uses {' and '.join(drawn)} in its forward pass, which exp does "
                    "not seed: the run could not be repeated. Draw from torch (torch.rand, "
                    "nn.Dropout)"
                )
        if not large and "torch" not in changed(after[0], after[1]):
            raise ComponentError(
                f"model {name} seeds torch's generator in its forward pass: dropout would drop the "
                "same units in every step. Leave torch.manual_seed out"
            )
        (one, first), (other, second) = found[-2:] if not large else (found[0], found[0])
        unlike = different(one, other)
        if unlike is not None or not equal(first, second):
            what = "its answers differ each time, with the same weights and the same seed"
            if unlike is not None:
                what = f"{unlike} differs each time it is built, with the same seed"
            raise ComponentError(
                f"model {name}: {what}: the run could not be repeated. Draw from torch's "
                "generator, which exp seeds"
            )
        if not training:
            evaluated = first
            if not equal(found[0][1], first):
                raise ComponentError(
                    f"model {name} draws at random in evaluation mode too: its predictions could "
                    "not be repeated. Ask self.training before you draw, as nn.Dropout does"
                )
            with torch.no_grad():
                few = found[-1][0](x[:2].clone()) if len(x) > 2 else first[:2]
            if not torch.allclose(few, first[:2], equal_nan=True, **CLOSE):
                raise ComponentError(
                    f"model {name} answers a row by the other rows that it is given with it, in "
                    "evaluation mode too: its predictions would depend on which rows are asked "
                    "together. Use statistics of the training rows there, as nn.BatchNorm1d does, "
                    "or those of each row"
                )
    return evaluated


def seeded_again(job: Job) -> str | None:
    """The global generator that the model's constructor seeds, if it does."""
    after = []
    for number in SEEDS:
        with torch.random.fork_rng(devices=[]), seeded(number):
            job.plan["model"].build(job.data.X.shape[1], job.outputs)
            after.append(states())
    differ = changed(*after)
    return next((name for name in after[0] if name not in differ), None)


def different(one: torch.nn.Module, other: torch.nn.Module) -> str | None:
    """The first parameter or buffer that two modules do not have alike."""
    theirs = other.state_dict()
    return next((n for n, p in one.state_dict().items() if not equal(p, theirs[n])), None)


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers; NaN is NaN."""
    same = one.shape == other.shape
    return same and bool(((one == other) | ((one != one) & (other != other))).all())


def layers_checked(job: Job, plain: Tensor, stacked: Tensor) -> None:
    """
    Args:
        plain, stacked: logits `[rows, outputs]` by the module itself, and by the engine.

    Raises:
        ComponentError: they are not the same.
    """
    if not torch.allclose(plain.cpu().to(stacked.dtype), stacked, equal_nan=True, **CLOSE):
        raise ComponentError(
            f"model {job.plan['model'].name} gives other answers where many runs are computed at "
            "once. An activation that is marked `elementwise` must treat each number by itself; "
            "leave the mark out if it does not"
        )


def loss_checked(stack: Stack) -> None:
    """Tries a loss of a user's on a few rows with logits around 0.

    Raises:
        ComponentError: it does not give a number for each row, has no gradient or one that leads
            away from the target, is not finite, changes what it is given, or mixes rows or runs.
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
            value = kept(name, lambda z, t: loss.mean(z, t, share, count), z, targets)
        else:
            value = kept(name, loss.per_row, z, targets)
            shape_checked(name, targets, value)
        wrong = value.flatten()[~value.flatten().isfinite()]
        if len(wrong):
            raise ComponentError(
                f"loss {name} is {wrong[0].item()} for finite logits, before anything is trained"
            )
        if type(loss).mean is Loss.mean:
            rows_checked(name, stack, loss, z, targets, value)
        direction_checked(name, loss, z, targets)


def kept(name: str, loss: Any, z: Tensor, targets: Tensor) -> Tensor:
    """What the loss gives.

    Raises:
        ComponentError: it changes the logits or the targets, or has no gradient.
    """
    z = z.clone().requires_grad_()
    logits, before = z * 1, targets.clone()
    value = loss(logits, targets)
    if not isinstance(value, Tensor):
        raise ComponentError(f"loss {name} must give a tensor, found a {type(value).__name__}")
    if not torch.equal(logits, z) or not torch.equal(targets, before):
        raise ComponentError(
            f"loss {name} changes the logits or targets that it is given: copy them"
        )
    gradient = None
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value.sum(), z, allow_unused=True)
    if gradient is None:
        raise ComponentError(
            f"loss {name} has no gradient by the logits, so that nothing would be trained: leave "
            "out detach(), item(), argmax and comparisons"
        )
    return value.detach()


def shape_checked(name: str, targets: Tensor, value: Tensor) -> None:
    """
    Raises:
        ComponentError: there is not a number for each row of each run.
    """
    wanted = list(targets.shape)
    if list(value.shape) != wanted:
        hint = ". Leave the mean out: exp takes it" if value.numel() < targets.numel() else ""
        raise ComponentError(
            f"loss {name} must give the loss of each row of each run, [runs, rows] = {wanted}, "
            f"found {list(value.shape)}{hint}"
        )


def rows_checked(
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
                f"loss {name} gives a row another loss where the other rows are others; padding is "
                "among them. Each row must be computed by itself, or register a loss on "
                "(logits, target), which is given the rows of a batch alone"
            )
        if stack.runs > 1:
            single = Objective(stack.jobs[:1]).loss.per_row(z[:1], targets[:1])
            if not torch.allclose(single, value[:1], **CLOSE):
                raise ComponentError(
                    f"loss {name} mixes the runs of a stack: the losses of a run must depend on "
                    "its own logits alone, [runs, outputs, rows]"
                )


def direction_checked(name: str, loss: Loss, z: Tensor, targets: Tensor) -> None:
    """
    Raises:
        ComponentError: the loss is not least at the target, or does not fall towards it.
    """
    if isinstance(loss, NumberLoss):
        right = torch.ones_like(z) * 2
        marks = torch.full_like(targets, 2.0)
        at, above, below = (mean(loss, right + shift, marks) for shift in (0.0, 0.5, -0.5))
        if at > min(above, below):
            raise ComponentError(
                f"loss {name} is less for a wrong prediction ({min(above, below):.4g}) than for "
                f"the target itself ({at:.4g}): is its sign wrong, or is its input no prediction?"
            )
        return
    if type(loss).probabilities is not Loss.probabilities or type(loss).labels is not Loss.labels:
        return  # it takes the model's numbers for something else, and says so
    for label in sorted(set(targets.long().flatten().tolist())):
        marks = torch.full_like(targets, label)
        step = torch.full_like(z, -0.1 if label == 0 else 0.1)
        if loss.outputs > 1:
            step = torch.zeros_like(z)
            step[:, label] = 0.1
        nearer, farther = mean(loss, step, marks), mean(loss, -step, marks)
        if nearer > farther or (nearer == farther and nearer != 0):
            raise ComponentError(
                f"loss {name} does not fall where the logit of class {label} comes nearer to it "
                f"({farther:.4g} and then {nearer:.4g}): is its sign wrong, or does it take "
                "probabilities? A model gives logits"
            )


def mean(loss: Loss, z: Tensor, targets: Tensor) -> float:
    """The loss of the first run."""
    share = torch.full(targets.shape, 1 / targets.shape[1], dtype=z.dtype, device=z.device)
    with torch.no_grad():
        return float(loss.mean(z, targets, share, targets.shape[1])[0])


def own_of(stack: Stack) -> list[str]:
    """The kinds of component of which a stack has a user's."""
    plan = stack.jobs[0].plan
    kinds = [kind for kind in ("model", "optimizer", "scheduler") if not plan[kind].packaged]
    return kinds if stack.jobs[0].loss.packaged else [*kinds, "loss"]


class FirstSteps:
    """The first steps of a stack with components of a user's.

    Args:
        kinds: those of which it has a user's.
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
        """The gradients are there, and the optimizer is about to step."""
        if self.count == 0:
            self.gradients = self.stack.model.parameters.gradients.clone()

    def after(self, batch: Batch, rates: Tensor) -> bool:
        """Looks at what a step has done; whether that is all there is to look at.

        Raises:
            ComponentError: something that it must not have done.
        """
        if self.count == 0:
            self.first(batch, rates)
        self.count += 1
        if "optimizer" not in self.kinds:
            return True
        parameters = self.stack.model.parameters
        if len(parameters.values) != len(self.start):
            return True  # runs have ended already
        rated = rates[:, 0].to(self.pulled.device) > 0
        self.pulled |= (parameters.gradients != 0).any(dim=1) & rated
        self.moved |= (parameters.values != self.start).any(dim=1)
        if self.count < STEPS:
            return False
        if (self.pulled & ~self.moved).any():
            raise ComponentError(
                f"optimizer {self.title('optimizer')} has not changed one parameter in {STEPS} "
                "steps, though there are gradients: it must write to parameters.values in place, "
                "or as an optimizer of torch to the parameters that it is given"
            )
        return True

    def title(self, kind: str) -> str:
        return self.stack.jobs[0].plan[kind].name

    def first(self, batch: Batch, rates: Tensor) -> None:
        if not torch.equal(self.x, batch.x):
            raise ComponentError(
                f"model {self.title('model')} changes the rows that it is given: every later epoch "
                "would see other data. Do not change them in place"
            )
        if not equal(self.targets, batch.targets):
            loss = self.stack.jobs[0].loss.name
            raise ComponentError(f"loss {loss} changes the targets that it is given: copy them")
        drawn = [each for each in changed(self.states, states()) if each in GLOBAL]
        if drawn:
            own = " and ".join(f"{kind} {self.name(kind)}" for kind in self.kinds)
            raise ComponentError(
                f"{own}: {' and '.join(drawn)} was used in the first step, which exp does not "
                "seed: the run could not be repeated. Draw from torch"
            )
        if "optimizer" in self.kinds and self.stack.runs > 1 and self.gradients is not None:
            self.alone(rates)

    def name(self, kind: str) -> str:
        return self.stack.jobs[0].loss.name if kind == "loss" else self.title(kind)

    def alone(self, rates: Tensor) -> None:
        """
        Raises:
            ComponentError: the optimizer gives a run other values alone than in the stack.
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
        own = numbers(rule, [rule.declared], stack.device.torch_device)
        single = rule.component.make(Parameters(values, gradients, leaves), **own)
        single.step(rates[:1], lambda: torch.zeros(()))
        if not torch.allclose(values, stack.model.parameters.values[:1], equal_nan=True, **CLOSE):
            raise ComponentError(
                f"optimizer {rule.name} mixes the runs of a stack: a run's first step is another "
                "alone. Sums and norms must be taken for each run by itself, or set stackable = "
                "False"
            )

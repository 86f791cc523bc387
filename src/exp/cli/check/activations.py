"""What an activation promises: each number by itself, finite, with the same bits anywhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exp.cli.check.finding import Checks
from exp.cli.check.subject import Subject, global_states
from exp.cli.check.training import same, same_in_a_stack
from exp.engine.layers import lifted

CHECKS = Checks()


def inputs() -> Tensor:
    """`[runs, features, rows]` as the engine has them, from -100 to 100."""
    x = torch.randn(3, 4, 64, generator=torch.Generator().manual_seed(0))
    return x * torch.tensor([0.1, 3.0, 30.0])[:, None, None]


@CHECKS.add("module", "an nn.Module", essential=True)
def gives_a_module(subject: Subject) -> str | None:
    found = subject.build()
    return None if isinstance(found, nn.Module) else f"a {type(found).__name__}"


@CHECKS.add("shape and type", "those of what it is given, float32 and float64", essential=True)
def shape(subject: Subject) -> str | None:
    for kind in (torch.float32, torch.float64):
        x = inputs().to(kind)
        y = subject.build().to(kind)(x)
        if y.shape != x.shape or y.dtype != kind:
            return f"{list(y.shape)} {y.dtype} from {list(x.shape)} {kind}"
    return None


@CHECKS.add("finite", "finite values and slopes between -100 and 100")
def finite(subject: Subject) -> str | None:
    x = torch.linspace(-100, 100, 4001).requires_grad_()
    y = subject.build()(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    for what, tensor in (("value", y), ("slope", slope)):
        if not tensor.isfinite().all():
            at = int((~tensor.isfinite()).nonzero()[0])
            return f"{what} {tensor[at].item()} at x = {x[at].item():g}"
    return None


@CHECKS.add("input kept", "the numbers that it is given unchanged")
def input_kept(subject: Subject) -> str | None:
    x = inputs()
    with torch.no_grad():
        subject.build()(x)
    return None if torch.equal(x, inputs()) else "numbers that it has changed (inplace?)"


@CHECKS.add("same each time", "the same values each time, and no global random state touched")
def same_each_time(subject: Subject) -> str | None:
    module = subject.build()
    with torch.no_grad(), global_states() as changed:
        one, other = module(inputs()), module(inputs())
    if not same(one, other):
        return "other values the second time"
    return f"{' and '.join(changed)} changed" if changed else None


@CHECKS.add("one by one", "the same bits for a run alone and in a stack of runs")
def one_by_one(subject: Subject) -> str | None:
    module, x = subject.build(), inputs()
    if lifted("", [module]) is None:
        return None  # a model that holds it trains by itself
    with torch.no_grad():
        whole = module(x)
        for run in range(len(x)):
            if not same(whole[run : run + 1], module(x[run : run + 1])):
                return "other values in a stack: it is marked elementwise and is not"
        mixed = module(x.flip(2)).flip(2)
    return None if same(whole, mixed) else "values that depend on the other rows"


@CHECKS.add("stack", "the same bits of a run alone and in a stack, or by itself if not elementwise")
def stack(subject: Subject) -> str | None:
    return same_in_a_stack(subject)

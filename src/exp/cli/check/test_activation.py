"""What an activation promises: each number by itself, finite, with the same bits anywhere."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from exp.cli.check.subject import Subject, global_states
from exp.cli.check.training import assert_same_in_a_stack, same
from exp.engine.tracing import lifted


def inputs() -> Tensor:
    """`[runs, features, rows]` as the engine has them, from -100 to 100."""
    x = torch.randn(3, 4, 64, generator=torch.Generator().manual_seed(0))
    return x * torch.tensor([0.1, 3.0, 30.0])[:, None, None]


@pytest.mark.essential
def test_module(subject: Subject) -> None:
    """an nn.Module"""
    found = subject.build()
    assert isinstance(found, nn.Module), f"a {type(found).__name__}"


@pytest.mark.essential
def test_shape_and_type(subject: Subject) -> None:
    """the shape and type of its input, float32 and float64"""
    for kind in (torch.float32, torch.float64):
        x = inputs().to(kind)
        y = subject.build().to(kind)(x)
        fits = y.shape == x.shape and y.dtype == kind
        assert fits, f"{list(y.shape)} {y.dtype} from {list(x.shape)} {kind}"


def test_finite(subject: Subject) -> None:
    """finite values and derivatives between -100 and 100"""
    x = torch.linspace(-100, 100, 4001).requires_grad_()
    y = subject.build()(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    for what, tensor in (("value", y), ("slope", slope)):
        for at in (~tensor.isfinite()).nonzero().flatten().tolist():
            raise AssertionError(f"{what} {tensor[at].item()} at x = {x[at].item():g}")


def test_input_kept(subject: Subject) -> None:
    """its input unchanged"""
    x = inputs()
    with torch.no_grad():
        subject.build()(x)
    assert torch.equal(x, inputs()), "numbers that the activation has changed (inplace?)"


def test_same_each_time(subject: Subject) -> None:
    """the same values each time, and no change of a global random generator"""
    module = subject.build()
    with torch.no_grad(), global_states() as changed:
        one, other = module(inputs()), module(inputs())
    assert same(one, other), "different values the second time"
    assert not changed, f"{' and '.join(changed)} changed"


def test_one_by_one(subject: Subject) -> None:
    """the same bits for a run alone and in a stack"""
    module, x = subject.build(), inputs()
    if lifted([module]) is None:
        return  # a model that holds it trains by itself
    with torch.no_grad():
        whole = module(x)
        for run in range(len(x)):
            alone = same(whole[run : run + 1], module(x[run : run + 1]))
            assert alone, "different values in a stack: it is marked elementwise, but it is not"
        mixed = module(x.flip(2)).flip(2)
    assert same(whole, mixed), "values that depend on the other rows"


def test_stack(subject: Subject) -> None:
    """the same bits of a run alone and in a stack (one by one if not elementwise)"""
    assert_same_in_a_stack(subject)

"""Activations: against torch, and tanh from exponentials for every float."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.registry.registry import register

X = torch.linspace(-6, 6, 481)
COUNTERPARTS = {
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "selu": torch.selu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "softplus": torch.nn.functional.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "identity": lambda x: x,
    "tanh_from_exp": torch.tanh,
}


def build(name: str, **params: float) -> torch.nn.Module:
    module: torch.nn.Module = register.choose("activation", {"name": name, **params}).build()
    return module


def test_every_activation_has_its_twin_here() -> None:
    assert sorted(COUNTERPARTS) == register.kinds["activation"].names()


@pytest.mark.parametrize("name", sorted(COUNTERPARTS))
def test_equals_torch_and_so_does_its_gradient(name: str) -> None:
    mine, theirs = X.clone().requires_grad_(), X.clone().requires_grad_()
    ours, expected = build(name)(mine), COUNTERPARTS[name](theirs)
    torch.testing.assert_close(ours, expected, rtol=3e-7, atol=1e-7)
    ours.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-5, atol=1e-6)


def test_parameters_reach_the_function() -> None:
    assert build("leaky_relu", negative_slope=0.5)(torch.tensor([-2.0])).item() == -1.0
    assert build("elu", alpha=2.0)(torch.tensor([-100.0])).item() == pytest.approx(-2.0)
    assert build("softplus", beta=2.0)(torch.tensor([0.0])).item() == pytest.approx(math.log(2) / 2)


@given(st.floats(width=32, allow_nan=False))
def test_tanh_from_exp_is_accurate_for_every_float(value: float) -> None:
    got = build("tanh_from_exp")(torch.tensor([value] * 16, dtype=torch.float32))
    exact = math.tanh(value)
    # Two units in the last place of float32, subnormal numbers included.
    assert np.all(np.abs(got.numpy().astype(np.float64) - exact) <= 2.4e-7 * abs(exact) + 3e-45)


@given(st.floats(allow_nan=False))
def test_tanh_from_exp_in_float64(value: float) -> None:
    got = build("tanh_from_exp")(torch.tensor([value], dtype=torch.float64)).item()
    assert got == pytest.approx(math.tanh(value), rel=5e-16, abs=1e-323)


def test_the_textbook_formula_fails_where_ours_does_not() -> None:
    x = torch.tensor([100.0])
    assert torch.isnan((x.exp() - (-x).exp()) / (x.exp() + (-x).exp())).item()
    assert build("tanh_from_exp")(x).item() == 1.0
    assert math.isnan(build("tanh_from_exp")(torch.tensor([math.nan])).item())


def test_tanh_from_exp_has_slope_one_at_zero() -> None:
    x = torch.zeros(4, requires_grad=True)
    build("tanh_from_exp")(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0] * 4

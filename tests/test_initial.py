"""First weights other than torch's, and connections that pass layers by."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from conftest import make_plan
from exp.engine import Job, grouped, train

WIDE = {"hidden": [400, 300]}
BOUNDS = {
    "uniform": lambda n, m: 1 / math.sqrt(3),
    "normal": lambda n, m: 1.0,
    "glorot_normal": lambda n, m: math.sqrt(2 / (n + m)),
    "glorot_uniform": lambda n, m: math.sqrt(2 / (n + m)),
    "he_normal": lambda n, m: math.sqrt(2 / n),
    "he_uniform": lambda n, m: math.sqrt(2 / n),
}


def layers(**model: object) -> list[nn.Linear]:
    module = Job.of(make_plan(dataset="digits", model=model)).module()
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


@pytest.mark.parametrize("init", BOUNDS)
def test_the_spread_is_that_of_its_formula(init: str) -> None:
    plain = layers(**WIDE)
    for layer, torchs in zip(layers(**WIDE, init=init, init_scale=0.5), plain, strict=True):
        wanted = 0.5 * BOUNDS[init](layer.in_features, layer.out_features)
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.05)
        assert torch.equal(layer.bias, torchs.bias)


def test_torch_s_own_weights_can_be_scaled_and_biases_set() -> None:
    for layer, plain in zip(layers(init_scale=2.0, init_bias=0.1), layers(), strict=True):
        assert torch.equal(layer.weight, 2 * plain.weight)
        assert torch.equal(layer.bias, torch.full_like(layer.bias, 0.1))


def test_sklearn_draws_the_numbers_of_its_classifier() -> None:
    job = Job.of(make_plan(dataset="digits", model={"hidden": [9, 5], "init": "sklearn"}))
    X, y = job.data.X.astype(np.float64), job.data.y
    theirs = MLPClassifier(
        (9, 5), random_state=job.plan.seeds.init, solver="sgd", batch_size=len(X)
    )
    theirs.learning_rate_init = 1e-30  # so that its first step moves nothing
    theirs.partial_fit(X, y, classes=np.unique(y))
    ours = [layer for layer in job.module().modules() if isinstance(layer, nn.Linear)]
    for layer, weight, bias in zip(ours, theirs.coefs_, theirs.intercepts_, strict=True):
        assert np.array_equal(layer.weight.detach().numpy(), weight.T.astype(np.float32))
        assert np.array_equal(layer.bias.detach().numpy(), bias.astype(np.float32))


def test_runs_of_other_first_weights_share_a_stack() -> None:
    inits = ({}, {"init": "he_normal"}, {"init": "uniform", "init_scale": 0.1, "init_bias": 0.0})
    jobs = [Job.of(make_plan(model=model, trainer={"epochs": 3})) for model in inits]
    assert len(grouped(jobs)) == 1
    for job, together in zip(jobs, train(jobs), strict=True):
        (alone,) = train([job])
        assert alone.history["train/loss"].tobytes() == together.history["train/loss"].tobytes()


def test_shortcuts_lead_to_every_later_layer() -> None:
    """Lang and Witbrock's network has 138 weights (1988)."""
    model = {"hidden": [5, 5, 5], "shortcuts": True, "activation": "sigmoid"}
    job = Job.of(make_plan(dataset="two_spirals", model=model, trainer={"epochs": 1}))
    module = job.module()
    assert sum(each.numel() for each in module.parameters()) == 138
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    seen = rows = torch.from_numpy(job.data.X)
    for layer in linear[:-1]:
        seen = torch.cat([seen, torch.sigmoid(layer(seen))], dim=1)
    assert torch.equal(linear[-1](seen), module(rows))
    assert job.unstackable() is None

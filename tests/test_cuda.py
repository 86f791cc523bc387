"""On a GPU: the same loop, the step recorded as a CUDA graph, the same bits in any stack."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from conftest import make_plan
from exp.engine import Job, Stack, Training, train
from exp.engine import cuda_graph as graphs
from test_same_bits import assert_same

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA GPU")

CONFIGS: dict[str, dict[str, Any]] = {
    "sgd full batch": {},
    "adam mini-batch": {"optimizer": "adam", "trainer": {"batch_size": 37}},
    "momentum tanh clipped": {
        "optimizer": {"momentum": 0.9},
        "model": {"activation": "tanh"},
        "trainer": {"clip_norm": 0.5},
    },
    "batch norm": {"model": {"batch_norm": True}},
    "dropout": {"model": {"dropout": 0.3}},
}


def job(name: str, seed: int) -> Job:
    parts = dict(CONFIGS[name])
    parts["trainer"] = {"epochs": 60, **parts.get("trainer", {})}
    return Job.of(make_plan(seed=seed, device="cuda", **parts))


@pytest.mark.parametrize("name", CONFIGS)
def test_alone_and_in_a_stack(name: str) -> None:
    jobs = [job(name, seed) for seed in range(7)]
    assert_same(train([jobs[3]])[0], train(jobs)[3])


@pytest.mark.parametrize("name", CONFIGS)
def test_a_recorded_step_is_the_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (recorded,) = train([job(name, 1)])
    monkeypatch.setattr("exp.engine.train.recordable", lambda stack: False)
    (plain,) = train([job(name, 1)])
    assert_same(plain, recorded)


def test_it_is_recorded_where_it_can_be() -> None:
    for name, expected in (("sgd full batch", True), ("dropout", False)):
        stack = Stack([job(name, 1)])
        assert graphs.recordable(stack) is expected
        training = Training(stack)
        training.one_epoch()
        assert (training.recorded is not None) is expected

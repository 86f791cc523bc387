"""The promise: a run gives the same bits alone and inside any stack."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from conftest import make_plan
from exp.engine import Job, Result, grouped, train

CONFIGS: dict[str, dict[str, Any]] = {
    "sgd relu full batch": {},
    "momentum tanh": {
        "optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": True},
        "model": {"activation": "tanh", "hidden": [5]},
        "dataset": {"name": "moons", "n_samples": 251},
    },
    "adam sigmoid odd rows mini-batch": {
        "optimizer": {"name": "adam", "lr": 0.01},
        "model": {"activation": "sigmoid", "hidden": [7, 3]},
        "dataset": {"name": "moons", "n_samples": 333},
        "trainer": {"batch_size": 37},
    },
    "adamw silu three classes": {
        "optimizer": {"name": "adamw", "lr": 0.02, "weight_decay": 0.1},
        "model": {"activation": "silu", "hidden": [64]},
        "dataset": "spirals",
    },
    "rmsprop softplus focal width one": {
        "optimizer": {"name": "rmsprop", "lr": 0.01},
        "model": {"activation": "softplus", "hidden": [1, 2]},
        "loss": {"name": "focal"},
    },
    "nadam dropout": {
        "optimizer": {"name": "nadam", "lr": 0.01},
        "model": {"hidden": [16, 16], "dropout": 0.3},
        "trainer": {"batch_size": 64},
    },
    "adagrad batch norm": {
        "optimizer": {"name": "adagrad", "lr": 0.05},
        "model": {"hidden": [33], "batch_norm": True, "activation": "gelu"},
        "trainer": {"batch_size": 50},
    },
    "hinge clipped penalized": {
        "loss": {"name": "hinge", "l2": 0.01, "l1": 0.001},
        "trainer": {"clip_norm": 0.5},
        "dataset": "iris",
        "model": {"activation": "tanh_from_exp", "hidden": [9]},
    },
    "radam cosine smoothing": {
        "optimizer": {"name": "radam", "lr": 0.05},
        "scheduler": {"name": "cosine", "warmup": 5},
        "loss": {"name": "cross_entropy", "label_smoothing": 0.1},
        "dataset": {"name": "blobs", "n_samples": 111},
    },
    "adadelta elu mse linear": {
        "optimizer": {"name": "adadelta", "lr": 1.0},
        "model": {"activation": "elu", "hidden": [12, 8, 4]},
        "loss": "mse",
    },
    "random features, balanced": {
        "features": {"name": "fourier", "n_components": 21},
        "split": {"name": "holdout", "standardize": True},
        "loss": {"name": "auto", "class_weights": "balanced"},
        "trainer": {"batch_size": 48},
    },
    "playground, hinge with class weights": {
        "features": "playground",
        "loss": {"name": "hinge", "class_weights": [1.0, 3.0]},
    },
    "polynomial, focal with class weights": {
        "features": {"name": "polynomial", "degree": 3},
        "dataset": "spirals",
        "loss": {"name": "focal", "class_weights": "balanced"},
    },
    "shortcuts, classical nesterov, inverse": {
        "model": {"hidden": [5, 3], "shortcuts": True, "init": "glorot_normal", "dropout": 0.1},
        "optimizer": {"name": "sgd", "momentum": 0.8, "nesterov": True, "classical": True},
        "scheduler": {"name": "inverse", "decay": 0.1},
        "split": {"name": "holdout", "standardize": "minmax"},
    },
    "playground spiral": {
        "dataset": {"name": "playground_spiral", "n_samples": 90, "noise": 0.2},
        "model": {"hidden": [4, 2], "activation": "tanh", "init": "uniform", "init_bias": 0.1},
        "loss": "tanh_mse",
        "trainer": {"batch_size": 10},
    },
    "numbers in mini-batches": {
        "dataset": {"name": "bumps", "n_samples": 333},
        "loss": "l1",
        "optimizer": {"name": "adam", "lr": 0.01},
        "split": {"validation": 0.2},
        "trainer": {"batch_size": 37},
    },
    "lion decayed": {"optimizer": {"name": "lion", "lr": 0.003, "weight_decay": 0.1}},
    "muon mini-batch, narrow layers": {
        "optimizer": {"name": "muon", "lr": 0.02},
        "model": {"hidden": [7, 1, 3]},
        "trainer": {"batch_size": 64},
    },
    "soap three classes": {
        "optimizer": {"name": "soap", "lr": 0.01, "precondition_frequency": 3},
        "model": {"hidden": [9, 16]},
        "dataset": "spirals",
    },
    "schedule-free sgd, batch norm": {
        "optimizer": {"name": "schedule_free_sgd", "lr": 0.5},
        "model": {"hidden": [5, 9], "batch_norm": True},
        "trainer": {"batch_size": 50},
    },
    "schedule-free adamw, early stopping": {
        "optimizer": {"name": "schedule_free_adamw", "lr": 0.02, "weight_decay": 0.01},
        "trainer": {"early_stopping": 5},
        "split": {"validation": 0.2},
    },
    "sam momentum, dropout, clipped": {
        "optimizer": {"name": "sam", "base": {"name": "sgd", "momentum": 0.9}},
        "model": {"hidden": [8, 8], "dropout": 0.2, "batch_norm": True},
        "trainer": {"clip_norm": 0.5, "batch_size": 64},
    },
    "exponential average, accumulated": {
        "optimizer": {"name": "adam", "lr": 0.01},
        "model": {"hidden": [8], "batch_norm": True, "dropout": 0.1},
        "trainer": {"average": "ema", "average_decay": 0.9, "batch_size": 20, "accumulate": 3},
        "split": {"validation": 0.2},
    },
    "average of epochs": {"trainer": {"average": "swa", "average_start": 3, "monitor": "f1"}},
    "rprop float64": {"optimizer": {"name": "rprop", "lr": 0.01}, "device": {"dtype": "float64"}},
}
EPOCHS = 20


def job(name: str, seed: int, lr: float) -> Job:
    parts = dict(CONFIGS[name])
    optimizer = parts.get("optimizer", {"name": "sgd"})
    parts["optimizer"] = {"lr": lr, **optimizer, **({"lr": lr} if seed % 2 else {})}
    parts["trainer"] = {"epochs": EPOCHS, **parts.get("trainer", {})}
    return Job.of(make_plan(seed=seed, **parts))


def assert_same(one: Result, other: Result) -> None:
    assert one.end_reason == other.end_reason
    assert one.epochs == other.epochs
    assert one.history.keys() == other.history.keys()
    for name, column in one.history.items():
        assert column.tobytes() == other.history[name].tobytes(), name
    for name, tensor in one.state.items():
        assert tensor.numpy().tobytes() == other.state[name].numpy().tobytes(), name
    for name, tensor in one.best_state.items():
        assert tensor.numpy().tobytes() == other.best_state[name].numpy().tobytes(), name
    X = one.job.data.X
    assert one.predictor.logits(X).tobytes() == other.predictor.logits(X).tobytes()


@pytest.mark.parametrize("name", CONFIGS)
def test_alone_and_inside_stacks_of_2_7_and_64(name: str) -> None:
    chosen = job(name, seed=3, lr=0.03)
    (alone,) = train([chosen])
    for runs, position in ((2, 1), (7, 0), (64, 40)):
        jobs = [job(name, seed=100 + i, lr=0.01 * (1 + i % 5)) for i in range(runs - 1)]
        jobs.insert(position, chosen)
        assert len(grouped(jobs)) == 1, "they were meant to share a stack"
        assert_same(alone, train(jobs)[position])


def test_twice_the_same() -> None:
    chosen = job("nadam dropout", seed=1, lr=0.02)
    assert_same(train([chosen])[0], train([chosen])[0])


def test_neighbours_that_diverge_or_stop_do_not_matter() -> None:
    def made(seed: int, lr: float) -> Job:
        return Job.of(
            make_plan(
                seed=seed,
                optimizer={"lr": lr, "momentum": 0.9},
                trainer={"epochs": 60, "early_stopping": 4, "min_delta": 1e-3},
                split={"validation": 0.2},
            )
        )

    jobs = [made(0, 0.1), made(1, 1e30), made(2, 0.0001), made(3, 0.3), made(4, 1e25), made(5, 0.5)]
    assert len(grouped(jobs)) == 1
    together = train(jobs)
    statuses = [result.end_reason for result in together]
    assert statuses[1] == statuses[4] == "diverged"
    assert "stopped" in statuses
    for one, result in zip(jobs, together, strict=True):
        assert_same(train([one])[0], result)
    for result in together:
        assert all(bool(torch.isfinite(tensor).all()) for tensor in result.state.values())


def test_a_mixed_list_comes_back_in_its_order() -> None:
    names = list(CONFIGS)
    jobs = [job(names[i % 4], seed=i, lr=0.05) for i in range(12)]
    results = train(jobs)
    assert [result.job for result in results] == jobs
    assert_same(train([jobs[6]])[0], results[6])

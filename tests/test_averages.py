"""Averaged weights, accumulated gradients and SAM in the training loop: beside plain PyTorch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

import exp.engine.stack
from commands import inside, read_csv
from conftest import make_plan
from exp.engine import Job, Result, Stack, train
from exp.util.errors import ConfigError
from hooks import broken_off
from reference_optimizers import ScheduleFree

EXACT: dict[str, Any] = {"device": {"dtype": "float64"}, "dataset": {"n_samples": 60}}
NORMED = {"hidden": [6, 4], "batch_norm": True, "activation": "tanh"}


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def trained(**parts: Any) -> Result:
    (result,) = train([Job.of(make_plan(**{**EXACT, **parts}))])
    return result


class Plain:
    """The full batch of a job in plain PyTorch, in float64."""

    def __init__(self, job: Job) -> None:
        self.model = job.module().double()
        rows = job.data.split.train
        self.x = torch.from_numpy(job.data.X[rows]).double()
        self.y = torch.from_numpy(job.data.data.y[rows]).double()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def loss(self) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(self.model(self.x)[:, 0], self.y)

    def gradient(self) -> None:
        self.optimizer.zero_grad()
        self.loss().backward()

    def step(self) -> None:
        self.gradient()
        self.optimizer.step()


def assert_close(state: dict[str, Tensor], module: nn.Module) -> None:
    theirs = {name.removeprefix("module."): each for name, each in module.state_dict().items()}
    theirs.pop("n_averaged", None)
    assert set(state) == set(theirs)
    for name, tensor in state.items():
        torch.testing.assert_close(tensor, theirs[name].to(tensor), rtol=1e-9, atol=1e-9)


def test_ema_is_torchs_averaged_model() -> None:
    trainer = {"epochs": 30, "average": "ema", "average_decay": 0.8, "average_start": 4}
    result = trained(model=NORMED, trainer=trainer)
    plain = Plain(result.job)
    averaged = AveragedModel(plain.model, multi_avg_fn=get_ema_multi_avg_fn(0.8))
    for epoch in range(30):
        plain.step()
        if epoch >= 4:
            averaged.update_parameters(plain.model)
    update_bn([plain.x], averaged)
    assert_close(result.state, averaged)


@pytest.mark.parametrize("start", [None, 5])
def test_swa_is_torchs_averaged_model(start: int | None) -> None:
    trainer = {"epochs": 20, "average": "swa", "average_start": start}
    result = trained(model=NORMED, trainer=trainer)
    plain = Plain(result.job)
    averaged = AveragedModel(plain.model)
    for epoch in range(20):
        plain.step()
        if epoch >= (15 if start is None else start):
            averaged.update_parameters(plain.model)
    update_bn([plain.x], averaged)
    assert_close(result.state, averaged)


def test_before_its_start_an_average_is_the_weights_themselves() -> None:
    """Recorded scores are those of a run without averages, which are of the weights after an epoch
    where they are evaluated, so that one epoch later the training loss is the same."""
    trainer = {"epochs": 12, "average": "swa", "average_start": 8}
    averaged, usual = trained(trainer=trainer), trained(trainer={"epochs": 12})
    ours, theirs = averaged.history, usual.history
    np.testing.assert_allclose(ours["test/loss"][:8], theirs["test/loss"][:8], rtol=1e-12)
    np.testing.assert_allclose(ours["train/loss"][:8], theirs["train/loss"][1:9], rtol=1e-12)
    assert not np.allclose(ours["test/loss"][9:], theirs["test/loss"][9:], rtol=1e-6)


def test_schedule_free_keeps_its_averages() -> None:
    result = trained(
        optimizer={"name": "schedule_free_sgd", "lr": 0.5}, model=NORMED, trainer={"epochs": 25}
    )
    plain = Plain(result.job)
    weights = [weight.data for weight in plain.model.parameters()]
    reference = ScheduleFree(weights, momentum=0.9, weight_decay=0.0)
    for _ in range(25):
        plain.gradient()
        gradients = [p.grad for p in plain.model.parameters() if p.grad is not None]
        reference.step(gradients, 0.5)
    for weight, average in zip(weights, reference.x, strict=True):
        weight.copy_(average)
    update_bn([plain.x], plain.model)
    assert_close(result.state, plain.model)


AVERAGED: dict[str, dict[str, Any]] = {
    "schedule_free": {"optimizer": {"name": "schedule_free_adamw", "lr": 0.05}},
    "ema": {"trainer": {"average": "ema", "average_decay": 0.9}},
    "swa": {"trainer": {"average": "swa", "average_start": 3}},
}


@pytest.mark.parametrize("name", AVERAGED)
def test_what_is_recorded_is_of_the_weights_that_are_kept(name: str) -> None:
    parts = {**AVERAGED[name], "split": {"validation": 0.25}, "model": NORMED}
    parts["trainer"] = {"epochs": 40, **parts.get("trainer", {}), "batch_size": 8}
    parts["trainer"] |= {"restore_best": True, "monitor": "validation/loss"}
    result = trained(**parts)
    data = result.job.data
    best = int(np.argmin(result.history["validation/loss"]))
    assert result.best_epoch == best
    for split in ("train", "validation", "test"):
        rows = getattr(data.split, split)
        found = result.predictor.loss(data.X[rows], data.data.y[rows])
        assert found == pytest.approx(result.history[f"{split}/loss"][best], rel=1e-9)


WEIGHTED = {"loss": {"name": "auto", "l2": 0.1, "class_weights": [1.0, 3.0]}, "clip": 0.2}


@pytest.mark.parametrize("more", [{}, WEIGHTED])
def test_accumulated_batches_are_one_large_batch(more: dict[str, Any]) -> None:
    """Of 45 rows the last step of an epoch has fewer, in batches and in all."""
    clip = {"clip_norm": more["clip"]} if more else {}
    parts = {key: value for key, value in more.items() if key == "loss"}
    runs = []
    for size, count in ((21, 1), (7, 3)):
        trainer = {"epochs": 15, "batch_size": size, "accumulate": count, **clip}
        scheduler = {"name": "one_cycle"}
        runs.append(trained(trainer=trainer, scheduler=scheduler, **parts))
    whole, parted = runs
    for name, tensor in whole.state.items():
        torch.testing.assert_close(parted.state[name], tensor, rtol=1e-9, atol=1e-9)
    for name, column in whole.history.items():
        np.testing.assert_allclose(parted.history[name], column, rtol=1e-9, err_msg=name)


def test_sam_takes_its_second_gradient_clipped_and_without_running_statistics() -> None:
    result = trained(
        optimizer={"name": "sam", "rho": 0.2},
        model=NORMED,
        trainer={"epochs": 20, "clip_norm": 0.1},
    )
    plain = Plain(result.job)
    weights = list(plain.model.parameters())
    for _ in range(20):
        plain.gradient()
        size = torch.cat([w.grad.flatten() for w in weights if w.grad is not None]).norm()
        kept = [weight.data.clone() for weight in weights]
        for weight in weights:
            assert weight.grad is not None
            weight.data += 0.2 * weight.grad / size
        statistics = {key: value.clone() for key, value in plain.model.named_buffers()}
        plain.gradient()
        plain.model.load_state_dict(statistics, strict=False)
        for weight, value in zip(weights, kept, strict=True):
            weight.data.copy_(value)
        nn.utils.clip_grad_norm_(weights, 0.1)
        plain.optimizer.step()
    assert_close(result.state, plain.model)


def test_sam_of_accumulated_batches_is_that_of_one_large_batch() -> None:
    optimizer = {"name": "sam", "base": {"name": "adam", "lr": 0.02}, "rho": 0.1}
    whole, parted = (
        trained(optimizer=optimizer, trainer={"epochs": 10, "batch_size": b, "accumulate": n})
        for b, n in ((20, 1), (5, 4))
    )
    for name, tensor in whole.state.items():
        torch.testing.assert_close(parted.state[name], tensor, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", AVERAGED)
def test_a_module_that_is_not_stacked_is_averaged_alike(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {**AVERAGED[name], "model": NORMED}
    parts["trainer"] = {"epochs": 12, **parts.get("trainer", {})}
    usual = trained(**parts)
    monkeypatch.setattr(exp.engine.model, "lifted", lambda *_: None)
    monkeypatch.setattr(Job, "unknown_step", "a step of this test")
    alone = trained(**parts)
    # Biases in front of batch norm have gradients of rounding alone, which AdamW makes larger.
    for key, tensor in usual.state.items():
        torch.testing.assert_close(alone.state[key], tensor, rtol=1e-6, atol=1e-6)


WORDS = {
    "schedule_free": ("optimizer=schedule_free_adamw", "optimizer.lr=0.05"),
    "ema": ("trainer.average=ema", "trainer.average_decay=0.9"),
    "swa": ("trainer.average=swa", "trainer.average_start=3"),
}


@pytest.mark.parametrize("name", WORDS)
def test_resume_and_rerun_come_to_the_same(name: str, in_tmp: Path) -> None:
    words = ["figures=none", "dataset.n_samples=60", "trainer.epochs=20", *WORDS[name]]
    whole = inside(in_tmp, *words, "hydra.run.dir=whole")
    assert whole.code == 0, whole.err

    with broken_off(7):
        inside(in_tmp, *words, "trainer.checkpoint_every=5", "hydra.run.dir=half")
    assert not (in_tmp / "half/summary.json").exists()
    resumed = inside(in_tmp, "resume", "half")
    assert resumed.code == 0, resumed.err
    for file in ("summary.json", "metrics.csv", "predictions.csv"):
        assert (in_tmp / "half" / file).read_bytes() == (in_tmp / "whole" / file).read_bytes()
    again = inside(in_tmp, "rerun", "whole")
    assert again.code == 0, again.out + again.err
    # What is predicted is of the averaged weights, as the last row of metrics.csv is.
    table = read_csv(in_tmp / "whole" / "predictions.csv")
    rows = table["split"] == "test"
    first, second = (table[f"probability:{label}"][rows].astype(float) for label in "01")
    chance = np.where(table["label"][rows] == "1", second, first)
    summary = json.loads((in_tmp / "whole" / "summary.json").read_text())
    assert -np.log(chance).mean() == pytest.approx(summary["final"]["test/loss"], rel=1e-4)
    last = float(read_csv(in_tmp / "whole" / "metrics.csv")["test/loss"][-1])
    assert summary["final"]["test/loss"] == pytest.approx(last, rel=1e-5)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"trainer": {"accumulate": 4}}, "trainer.accumulate  expected 1 with the full batch, found 4"),
    ({"trainer": {"accumulate": 0, "batch_size": 8}}, "trainer.accumulate  expected"),
    ({"trainer": {"average": "mean"}}, "trainer.average  expected 'ema' or 'swa'"),
    (
        {"trainer": {"average": "ema"}, "optimizer": "schedule_free_sgd"},
        "trainer.average  expected null: optimizer schedule_free_sgd averages weights",
    ),
    (
        {
            "trainer": {"average": "swa"},
            "optimizer": {"name": "sam", "base": "schedule_free_adamw"},
        },
        "trainer.average  expected null: optimizer schedule_free_adamw averages weights",
    ),
    (
        {"trainer": {"average": "swa", "average_start": 10, "epochs": 10}},
        "trainer.average_start  expected less than trainer.epochs, which is 10, found 10",
    ),
    ({"trainer": {"average": "ema", "average_decay": 1.0}}, "trainer.average_decay  expected"),
]


@pytest.mark.parametrize(("parts", "fault"), FAULTS, ids=range(len(FAULTS)))
def test_faults(parts: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_plan(**parts)
    assert len(caught.value.faults) == 1
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"trainer": {"average": "ema"}}, "trainer.average"),
        ({"trainer": {"accumulate": 2, "batch_size": 8}}, "trainer.accumulate"),
        ({"optimizer": "muon"}, "optimizer muon"),
    ],
)
def test_torch_trains_what_the_kernel_has_not_got(parts: dict[str, Any], reason: str) -> None:
    compiled = Stack([Job.of(make_plan())]).unfit
    found = Stack([Job.of(make_plan(**parts))]).unfit
    assert found is not None
    assert reason in found or found == compiled


def test_lion_is_the_same_by_the_kernel_and_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_default_dtype(torch.float32)
    optimizer = {"name": "lion", "lr": 0.002, "weight_decay": 0.1}
    job = Job.of(make_plan(optimizer=optimizer, trainer={"epochs": 30, "batch_size": 32}))
    (first,) = train([job])
    unfit: Callable[..., str] = lambda *_: "as torch does it"  # noqa: E731
    monkeypatch.setattr(exp.engine.stack, "why_not", unfit)
    (second,) = train([job])
    for name, tensor in first.state.items():
        torch.testing.assert_close(tensor, second.state[name], rtol=0, atol=1e-3)
    np.testing.assert_allclose(first.history["train/loss"], second.history["train/loss"], atol=1e-3)

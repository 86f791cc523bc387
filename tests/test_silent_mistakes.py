"""Mistakes in components of a user's that PyTorch takes without a word are found in the run."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conftest import make_plan
from exp.components.losses.loss import Loss
from exp.components.losses.regression_losses import RegressionLoss
from exp.components.optimizers.optimizer import Optimizer, Rule
from exp.components.schedulers.scheduler import Scheduler
from exp.data.dataset import Split
from exp.data.feature_map import FeatureMap
from exp.engine import Job, check_job, train
from exp.registry.registry import register
from exp.util.errors import ComponentError


@pytest.fixture(autouse=True)
def unregistered() -> Iterator[None]:
    yield
    for kind in register.kinds.values():
        kind.components.pop("tried", None)


def run(kind: str, builder: Any, seeds: tuple[int, ...] = (1,), **parts: Any) -> Any:
    """Registers a component, and does what a run does with it."""
    getattr(register, kind)("tried")(builder)
    parts = {"dataset": {"name": "moons", "n_samples": 40}, **parts}
    parts["trainer"] = {"name": "standard", "epochs": 12}
    if kind == "activation":
        parts["model"] = {"name": "mlp", "hidden": [4], "activation": "tried"}
    else:
        parts[kind] = "tried"
    jobs = [Job.of(make_plan(seed=seed, **parts), keep=False) for seed in seeds]
    check_job(jobs[0])
    return train(jobs)


def refused(kind: str, builder: Any, text: str, **more: Any) -> None:
    with pytest.raises(ComponentError, match=text) as caught:
        run(kind, builder, **more)
    assert f"{kind} tried" in str(caught.value) or kind == "activation"
    assert len(str(caught.value).splitlines()) == 1


def rows_of(logits: Tensor, targets: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits.squeeze(1), targets, reduction="none")


class Right(Loss):
    """What a loss should be."""

    def __init__(self, classes: int) -> None:
        super().__init__(classes)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        return rows_of(logits, targets)


LOSSES: dict[str, tuple[Any, str]] = {
    "a mean": (lambda z, y: rows_of(z, y).mean(), "Remove the mean"),
    "a mean of each run": (
        lambda z, y: rows_of(z, y).mean(dim=1, keepdim=True), r"found \[1, 1\]. Remove the mean",
    ),
    "a detached one": (lambda z, y: rows_of(z.detach(), y), "has no gradient"),
    "the wrong sign": (lambda z, y: -rows_of(z, y), "is the sign wrong"),
    "one of probabilities": (lambda z, y: (z.squeeze(1) - y).square(), "take probabilities"),
    "nan": (lambda z, y: rows_of(z, y).log() * torch.nan, "is nan for finite logits"),
    "targets changed": (lambda z, y: rows_of(z, y.mul_(0.5)), "changes the logits or targets"),
    "logits changed": (lambda z, y: rows_of(z.mul_(0.5), y), "changes the logits or targets"),
    "by the batch": (lambda z, y: rows_of(z, y) / rows_of(z, y).max(), "depends on other rows"),
    "not a tensor": (lambda z, y: 0.5, "must return a tensor"),
}  # fmt: skip


@pytest.mark.parametrize("what", LOSSES)
def test_a_loss_that_is_none(what: str) -> None:
    function, text = LOSSES[what]
    wrong = type("Wrong", (Right,), {"per_row": lambda self, z, y: function(z, y)})
    refused("loss", wrong, text)


def test_a_loss_that_mixes_the_runs_of_a_stack() -> None:
    def mixed(self: Any, z: Tensor, y: Tensor) -> Tensor:
        return rows_of(z, y) * z.shape[0]

    refused("loss", type("Mixed", (Right,), {"per_row": mixed}), "mixes the runs", seeds=(1, 2))


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (lambda z, y: -F.cross_entropy(z, y), "is the sign wrong"),
        (lambda z, y: F.cross_entropy(z.detach(), y), "has no gradient"),
        (lambda z, y: F.cross_entropy(z, y) * torch.nan, "is nan"),
    ],
)
def test_a_loss_on_logits_and_target_that_is_none(loss: Any, text: str) -> None:
    refused("loss", loss, text)


def test_a_loss_of_numbers_that_is_least_elsewhere() -> None:
    numbers = {"dataset": {"name": "line", "n_samples": 40}, "model": {"name": "linear"}}
    refused("loss", nn.PoissonNLLLoss, "is smaller for a wrong prediction", **numbers)

    class Wrong(RegressionLoss):
        def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
            return -(logits.squeeze(1) - targets).square()

    refused("loss", type("W", (Right,), {"regression": Wrong}), "is smaller for a wrong", **numbers)


def net(forward: Any, prepare: Any = None) -> Any:
    """A model of two layers with something in between."""

    class Net(nn.Module):
        def __init__(self, in_features: int, out_features: int) -> None:
            super().__init__()
            if prepare is not None:
                prepare(self)
            self.first = nn.Linear(in_features, 6)
            self.last = nn.Linear(6, out_features)

        def forward(self, x: Tensor) -> Tensor:
            return forward(self, x)  # type: ignore[no-any-return]

    return Net


def plain(self: Any, x: Tensor) -> Tensor:
    return self.last(torch.tanh(self.first(x)))  # type: ignore[no-any-return]


def reseeded(self: Any, x: Tensor) -> Tensor:
    torch.manual_seed(0)
    return self.last(F.dropout(torch.tanh(self.first(x)), 0.3, self.training))  # type: ignore[no-any-return]


def noisy(self: Any, x: Tensor) -> Tensor:
    return plain(self, x + float(np.random.normal()))


def chancy(self: Any, x: Tensor) -> Tensor:
    return plain(self, x) * (1 + random.random())


def fresh(self: Any, x: Tensor) -> Tensor:
    return plain(self, x + float(np.random.default_rng().normal()))


def drawn(self: Any) -> None:
    self.scale = nn.Parameter(torch.tensor(np.random.default_rng().normal(size=2)).float())


MODELS: dict[str, tuple[Any, str]] = {
    "rows changed": (net(lambda self, x: plain(self, x.mul_(2))), "changes its input"),
    "rows changed by the first layer": (
        lambda in_features, out_features: nn.Sequential(
            nn.ReLU(inplace=True), nn.Linear(in_features, out_features)
        ),
        "inplace=True",
    ),
    "seeded in forward": (net(reseeded), "seeds torch's generator in its forward"),
    "seeded when built": (net(plain, lambda self: torch.manual_seed(7)), "seeds torch"),
    "NumPy seeded when built": (net(plain, lambda self: np.random.seed(7)), "seeds numpy.random"),
    "Python seeded when built": (net(plain, lambda self: random.seed(7)), "seeds Python's random"),
    "NumPy's global generator": (net(noisy), "uses numpy.random in its forward pass"),
    "Python's global generator": (net(chancy), "uses Python's random in its forward pass"),
    "a generator of its own": (net(fresh), "its outputs differ each time"),
    "weights of its own chance": (net(plain, drawn), "scale differs each time it is built"),
    "chance in evaluation": (
        net(lambda self, x: plain(self, F.dropout(x, 0.5))), "draws at random in evaluation mode",
    ),
    "rows together": (
        net(lambda self, x: plain(self, (x - x.mean(0)) / x.std(0))), "depends on the other rows",
    ),
    "batch norm without memory": (
        lambda in_features, out_features: nn.Sequential(
            nn.BatchNorm1d(in_features, track_running_stats=False),
            nn.Linear(in_features, out_features),
        ),
        "depends on the other rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MODELS)
def test_a_model_that_is_wrong(what: str) -> None:
    refused("model", *MODELS[what])


def test_a_model_may_use_numpys_global_generator_for_its_first_weights() -> None:
    def prepare(self: Any) -> None:
        self.scale = nn.Parameter(torch.tensor(np.random.normal(size=2)).float())

    first, again, other = (
        run("model", net(plain, prepare), seeds=(seed,))[0].state["scale"] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "forward",
    [
        lambda self, x: self.last(F.dropout(torch.tanh(self.first(x)), 0.3, self.training)),
        lambda self, x: plain(self, x * (1 + 0.1 * torch.randn(1) * self.training)),
        lambda self, x: plain(self, F.normalize(x)),
    ],
)
def test_what_is_no_mistake_in_a_model(forward: Any) -> None:
    (result,) = run("model", net(forward))
    assert result.end_reason == "done"


def test_an_activation_that_is_not_what_it_is_marked_as() -> None:
    class Softmax(nn.Module):
        elementwise = True

        def forward(self, x: Tensor) -> Tensor:
            return x.softmax(dim=-1)

    refused("activation", Softmax, "with `elementwise = True`")


class Lazy(Rule):
    """An optimizer that changes nothing."""

    def __init__(self, parameters: Any, *, lr: float = 0.1) -> None:
        super().__init__(parameters, lr=lr)

    def start(self) -> dict[str, Tensor]:
        return {}

    def update(self, lr: Tensor) -> None:
        self.parameters.values - lr * self.parameters.gradients


class Mixing(Lazy):
    def update(self, lr: Tensor) -> None:
        norm = self.parameters.gradients.norm()
        self.parameters.values.sub_(lr.to(norm) * self.parameters.gradients / norm)


class LazyOfTorch(torch.optim.Optimizer):
    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, {"lr": lr})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p = p - group["lr"] * p.grad


@pytest.mark.parametrize("kind", [Lazy, LazyOfTorch])
def test_an_optimizer_that_changes_nothing(kind: type[Optimizer]) -> None:
    refused("optimizer", kind, "did not change any parameter in 10 steps")


def test_an_optimizer_that_mixes_the_runs_of_a_stack() -> None:
    refused("optimizer", Mixing, "mixes the runs of a stack", seeds=(1, 2))


@pytest.mark.parametrize("rate", [None, float("nan"), float("inf"), -0.1, "0.1", [0.1, 0.2], True])
def test_a_schedule_that_gives_no_rate(rate: Any) -> None:
    class Wrong(Scheduler):
        def rate(self, base: float, progress: Any) -> float:
            return base if progress.epoch < 3 else rate

    refused("scheduler", Wrong, "rate.. must return the learning rate")


def test_a_schedule_may_give_numbers_of_numpy_and_have_a_warmup_of_its_own() -> None:
    class Own(Scheduler):
        def __init__(self, *, warmup: int = 3) -> None:
            self.warmup = warmup

        def rate(self, base: float, progress: Any) -> Any:
            return np.float64(base * min(1, (progress.epoch + 1) / self.warmup))

    (result,) = run("scheduler", Own)
    assert result.history["lr"][:4] == pytest.approx([0.1 / 3, 0.2 / 3, 0.1, 0.1])


def cloud(rng: Any) -> Any:
    X = rng.normal(size=(40, 2))
    return X, (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "builder",
    [
        lambda seed: cloud(np.random.default_rng()),
        lambda: cloud(np.random.default_rng(time.time_ns())),
    ],
)
def test_a_data_set_that_gives_other_rows_each_time(builder: Any) -> None:
    refused("dataset", builder, "returns different rows for the same seed")


def test_a_data_set_may_draw_from_the_global_generator() -> None:
    rows = [run("dataset", lambda: cloud(np.random), seeds=(seed,))[0].job for seed in (1, 1, 2)]
    first, again, other = (job.data.data.fingerprint for job in rows)
    assert first == again != other


def test_a_split_that_differs_or_writes_to_the_labels() -> None:
    def chance(labels: Any) -> Split:
        order = np.random.default_rng().permutation(len(labels))
        return Split(order[:30], order[30:])

    refused("split", chance, "returns different parts for the same seed")

    def writing(labels: Any, seed: int) -> Split:
        labels[:] = 0
        return Split(np.arange(30), np.arange(30, 40))

    (result,) = run("split", writing)
    assert set(result.job.data.y.tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda X: X - X.mean(axis=0), "maps a row differently when other rows change"),
        (lambda X: X[: len(X) - 1], "must return"),
    ],
)
def test_a_feature_map_that_looks_at_other_rows(function: Any, text: str) -> None:
    refused("features", lambda names: FeatureMap("tried", names, function), text)


def test_the_checks_change_no_bit_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packaged loss and optimizer, registered again under other names, train the same."""
    from exp.components.losses.classification_losses import BinaryCrossEntropy
    from exp.components.optimizers.sgd import SGD

    monkeypatch.setenv("EXP_KERNEL", "off")  # it trains no custom component
    (plain_one,) = train([Job.of(make_plan(optimizer="sgd", loss="bce"), keep=False)])
    loss = type("Again", (BinaryCrossEntropy,), {})
    (own,) = run("loss", loss, seeds=(42,), dataset={"name": "moons"}, optimizer="sgd")
    assert own.job.plan.trainer.epochs == 12
    count = 12
    assert (
        own.history["train/loss"][:count].tolist()
        == plain_one.history["train/loss"][:count].tolist()
    )
    rule = type("Again", (SGD,), {"__init__": SGD.__init__})
    (other,) = run("optimizer", rule, seeds=(42,), dataset={"name": "moons"})
    assert other.history["train/loss"].tolist() == own.history["train/loss"].tolist()

"""Classes and functions of PyTorch and scikit-learn, registered as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import datasets
from torch import Tensor, nn
from torch.optim import lr_scheduler

from conftest import make_plan
from exp.engine import Job, train
from exp.registry.registry import register
from exp.util.errors import ComponentError, ExpError, ImpossibleError
from hooks import BetweenEpochs

EPOCHS = 50


@pytest.fixture(autouse=True)
def unregistered() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    yield
    for kind in register.kinds.values():
        for name in [name for name in kind.components if name.startswith("tried")]:
            del kind.components[name]


class Net(nn.Module):
    """Not made of layers that are known to stack."""

    def __init__(self, width: int = 6, in_features: int = 2, out_features: int = 1):
        super().__init__()
        self.first = nn.Linear(in_features, width)
        self.last = nn.Linear(width, out_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.tanh(self.first(x)))  # type: ignore[no-any-return]


class Signs(torch.optim.Optimizer):
    """An optimizer as people write them."""

    def __init__(self, params: Any, lr: float = 0.01, decay: float = 0.9, weight_decay: float = 0):
        super().__init__(params, {"lr": lr, "decay": decay, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["mean"] = torch.zeros_like(p)
                    state["step"] = 0
                state["step"] += 1
                state["mean"].mul_(group["decay"]).add_(p.grad, alpha=1 - group["decay"])
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(state["mean"].sign(), alpha=-group["lr"])


class Focal(nn.Module):
    """A loss as people write them, for a logit of each class."""

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        entropy = F.cross_entropy(logits, target, reduction="none")
        return ((1 - torch.exp(-entropy)) ** self.gamma * entropy).mean()


class OneLogit(nn.Module):
    """The same for one logit."""

    def forward(self, logit: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logit, target, reduction="none")


def smooth(logits: Tensor, target: Tensor, smoothing: float = 0.1) -> Tensor:
    return F.cross_entropy(logits, target, label_smoothing=smoothing)


def job_of(**parts: Any) -> Job:
    base = {
        "dataset": {"name": "moons", "n_samples": 60},
        "trainer": {"name": "standard", "epochs": EPOCHS},
    }
    return Job.of(make_plan(**{**base, **parts}), keep=False)


def plain_losses(
    job: Job,
    loss: Callable[[Tensor, Tensor], Tensor],
    optimizer: Callable[[Any], torch.optim.Optimizer],
    schedule: Callable[[torch.optim.Optimizer], Any] | None = None,
) -> list[float]:
    """The training loss of each epoch, by a loop as anybody writes it."""
    module = job.module().train()
    rows = job.data.split.train
    x, y = torch.from_numpy(job.data.X[rows]), torch.from_numpy(job.data.y[rows])
    rule = optimizer(module.parameters())
    follower = None if schedule is None else schedule(rule)
    found = []
    for _ in range(EPOCHS):
        value = loss(module(x), y)
        rule.zero_grad()
        value.backward()
        rule.step()
        found.append(value.item())
        if isinstance(follower, lr_scheduler.ReduceLROnPlateau):
            follower.step(value.item())
        elif follower is not None:
            follower.step()
    return found


def column(y: Tensor) -> Tensor:
    return y[:, None].float()


def bce(z: Tensor, y: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(z, column(y))


def losses(job: Job) -> list[float]:
    (result,) = train([job])
    assert result.end_reason == "done"
    return list(result.history["train/loss"])


OPTIMIZERS: list[tuple[Any, dict[str, Any]]] = [
    (Signs, {"lr": 0.02, "weight_decay": 0.1}),
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (torch.optim.AdamW, {"lr": 0.01, "betas": (0.8, 0.99)}),
    (partial(torch.optim.RMSprop, alpha=0.9), {"lr": 0.01}),
]


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_an_optimizer_of_torch(kind: Any, options: dict[str, Any]) -> None:
    register.optimizer("tried")(kind)
    given = {key: list(v) if isinstance(v, tuple) else v for key, v in options.items()}
    job = job_of(optimizer={"name": "tried", **given})
    wanted = plain_losses(job, bce, lambda params: kind(params, **options))
    assert losses(job) == pytest.approx(wanted, abs=1e-5)


LOSSES: list[tuple[Any, dict[str, Any], Any, int]] = [
    (nn.CrossEntropyLoss, {"label_smoothing": 0.1}, nn.CrossEntropyLoss(label_smoothing=0.1), 2),
    (nn.CrossEntropyLoss, {"weight": [1, 3]}, nn.CrossEntropyLoss(torch.tensor([1.0, 3])), 2),
    (nn.CrossEntropyLoss(reduction="sum"), {}, nn.CrossEntropyLoss(reduction="sum"), 2),
    (nn.BCEWithLogitsLoss, {}, bce, 1),
    (nn.MultiMarginLoss, {"margin": 0.5}, nn.MultiMarginLoss(margin=0.5), 2),
    (Focal, {"gamma": 1.5}, Focal(1.5), 2),
    (OneLogit, {}, bce, 1),
    (smooth, {"smoothing": 0.2}, partial(smooth, smoothing=0.2), 2),
    (lambda gamma=1.0: Focal(gamma), {"gamma": 3.0}, Focal(3.0), 2),
]


@pytest.mark.parametrize(("kind", "options", "plain", "outputs"), LOSSES)
def test_a_loss_on_logits_and_target(
    kind: Any, options: dict[str, Any], plain: Any, outputs: int
) -> None:
    register.loss("tried")(kind)
    rate = 0.001 if getattr(plain, "reduction", "") == "sum" else 0.1
    job = job_of(loss={"name": "tried", **options}, optimizer={"name": "sgd", "lr": rate})
    assert job.outputs == outputs
    wanted = plain_losses(job, plain, lambda params: torch.optim.SGD(params, lr=rate))
    assert losses(job) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("kind", [nn.MSELoss, nn.SmoothL1Loss, lambda z, y: (z - y).abs().mean()])
def test_a_loss_on_numbers(kind: Any) -> None:
    register.loss("tried")(kind)
    job = job_of(dataset={"name": "line", "n_samples": 60}, loss="tried", model={"name": "linear"})
    plain = kind() if isinstance(kind, type) else kind
    wanted = plain_losses(
        job, lambda z, y: plain(z, y[:, None]), lambda params: torch.optim.SGD(params, lr=0.1)
    )
    job_lr = job_of(
        dataset={"name": "line", "n_samples": 60}, loss="tried", model={"name": "linear"},
        optimizer={"name": "sgd", "lr": 0.1},
    )  # fmt: skip
    assert losses(job_lr) == pytest.approx(wanted, abs=1e-5)


SCHEDULES: list[tuple[Any, dict[str, Any]]] = [
    (lr_scheduler.StepLR, {"step_size": 7, "gamma": 0.5}),
    (lr_scheduler.CosineAnnealingLR, {"T_max": 30}),
    (lr_scheduler.ExponentialLR, {"gamma": 0.9}),
    (lr_scheduler.MultiStepLR, {"milestones": [5, 20], "gamma": 0.3}),
    (lr_scheduler.CosineAnnealingWarmRestarts, {"T_0": 8}),
    (lr_scheduler.ReduceLROnPlateau, {"patience": 1, "threshold": 0.05}),
    (partial(lr_scheduler.LambdaLR, lr_lambda=lambda epoch: 0.95**epoch), {}),
    (lambda optimizer, gamma=0.8: lr_scheduler.ExponentialLR(optimizer, gamma), {"gamma": 0.7}),
]


@pytest.mark.parametrize(("kind", "options"), SCHEDULES)
def test_a_schedule_of_torch(kind: Any, options: dict[str, Any]) -> None:
    register.scheduler("tried")(kind)
    job = job_of(scheduler={"name": "tried", **options}, optimizer={"name": "sgd", "lr": 0.5})
    wanted = plain_losses(
        job,
        bce,
        lambda params: torch.optim.SGD(params, lr=0.5),
        lambda rule: kind(rule, **options),
    )
    assert losses(job) == pytest.approx(wanted, abs=1e-5)


def test_a_schedule_that_is_stepped_after_each_batch_knows_how_long_the_run_is() -> None:
    register.scheduler("tried")(lr_scheduler.OneCycleLR)
    job = job_of(
        scheduler={"name": "tried", "max_lr": 0.4},
        optimizer={"name": "sgd", "lr": 0.1},
        trainer={"name": "standard", "epochs": 6, "batch_size": 16},
    )
    (result,) = train([job])
    rule = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    steps = 3  # 48 training rows
    schedule = lr_scheduler.OneCycleLR(rule, 0.4, total_steps=6 * steps, cycle_momentum=False)
    rates = []
    for step in range(6 * steps):
        if step % steps == 0:
            rates.append(rule.param_groups[0]["lr"])
        rule.step()
        if step + 1 < 6 * steps:
            schedule.step()
    assert list(result.history["lr"]) == pytest.approx(rates, rel=1e-6)


def test_a_module_class_is_a_model() -> None:
    register.model("tried")(Net)
    job = job_of(model={"name": "tried", "width": 9}, optimizer={"name": "sgd", "lr": 0.1})
    wanted = plain_losses(job, bce, lambda params: torch.optim.SGD(params, lr=0.1))
    assert losses(job) == pytest.approx(wanted, abs=1e-5)


def test_lazy_layers_are_given_their_sizes() -> None:
    register.model("tried")(
        lambda out_features: nn.Sequential(nn.LazyLinear(4), nn.LazyLinear(out_features))
    )
    job = job_of(model="tried", optimizer={"name": "sgd", "lr": 0.1})
    wanted = plain_losses(job, bce, lambda params: torch.optim.SGD(params, lr=0.1))
    assert losses(job) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    "function",
    [torch.sin, F.softplus, lambda x: x * torch.sigmoid(1.5 * x), partial(torch.clamp, min=0)],
)
def test_a_function_is_an_activation(function: Any) -> None:
    register.activation("tried")(function)
    model = {"name": "mlp", "hidden": [5], "activation": "tried"}
    job = job_of(model=model, optimizer={"name": "sgd", "lr": 0.1})
    wanted = plain_losses(job, bce, lambda params: torch.optim.SGD(params, lr=0.1))
    assert losses(job) == pytest.approx(wanted, abs=1e-5)
    assert (job.unstackable() is None) == (function in (torch.sin, F.softplus))


MAKERS: list[tuple[Any, dict[str, Any]]] = [
    (datasets.make_classification, {"n_samples": 60, "n_features": 5}),
    (datasets.make_blobs, {"n_samples": 50, "centers": 3}),
    (datasets.make_moons, {"noise": 0.1}),
    (datasets.make_regression, {"n_samples": 40, "n_features": 3}),
    (datasets.make_gaussian_quantiles, {"n_samples": 90}),
]


@pytest.mark.parametrize(("maker", "options"), MAKERS)
def test_a_generator_of_scikit_learn(maker: Any, options: dict[str, Any]) -> None:
    register.dataset("tried")(maker)
    job = job_of(dataset={"name": "tried", **options}, trainer={"name": "standard", "epochs": 2})
    X, y = maker(**options, random_state=42)
    np.testing.assert_allclose(job.data.data.X, X, rtol=1e-6)
    np.testing.assert_allclose(job.data.data.y, y, rtol=1e-6)
    assert job.data.data.numeric == (maker is datasets.make_regression)


def test_a_bunch_keeps_its_names() -> None:
    register.dataset("tried")(datasets.load_wine)
    data = job_of(dataset="tried").data.data
    bunch = datasets.load_wine()
    assert data.classes == tuple(bunch.target_names)
    assert list(data.features) == bunch.feature_names
    assert data.y.tolist() == bunch.target.tolist()
    register.dataset("tried_numbers")(datasets.load_diabetes)
    assert job_of(dataset="tried_numbers").data.data.numeric


def test_a_frame_with_labels_of_text() -> None:
    pandas = pytest.importorskip("pandas")

    def frame(n: int = 40, seed: int = 0) -> Any:
        rng = np.random.default_rng(seed)
        size = rng.normal(size=n)
        kind = np.where(size > 0, "big", "small")
        return pandas.DataFrame({"size": size, "place": ["b", "a"] * (n // 2), "label": kind})

    register.dataset("tried")(frame)
    data = job_of(dataset="tried").data
    assert data.data.classes == ("big", "small")
    assert data.data.features == ("size", "place")
    assert data.data.categories == (None, ("a", "b"))
    assert data.X.shape[1] == 3
    assert [data.data.classes[y] for y in data.data.y] == list(frame(seed=42)["label"])
    (result,) = train([job_of(dataset="tried", trainer={"name": "standard", "epochs": 2})])
    assert result.end_reason == "done"


REFUSED: list[tuple[str, Any, dict[str, Any], type[ExpError], str]] = [
    ("loss", nn.MSELoss, {}, ImpossibleError, "is a regression loss"),
    ("loss", lambda z, y: "much", {}, ComponentError, "must return a tensor, found a str"),
    (
        "loss",
        lambda z, y: torch.stack([z, z]),
        {},
        ComponentError,
        "must return one number, or one for each row",
    ),
    ("optimizer", lambda params: 3, {}, ComponentError, "must be a torch.optim.Optimizer"),
    ("activation", lambda x: x.sum(), {}, ComponentError, "must return a tensor of the shape"),
]


@pytest.mark.parametrize(("kind", "builder", "options", "error", "text"), REFUSED)
def test_what_does_not_fit_is_one_clear_error(
    kind: str, builder: Any, options: dict[str, Any], error: type[ExpError], text: str
) -> None:
    getattr(register, kind)("tried")(builder)
    parts: dict[str, Any] = {kind: {"name": "tried", **options}}
    if kind == "activation":
        parts = {"model": {"name": "mlp", "activation": "tried"}}
    with pytest.raises(error, match=text):
        train([job_of(**parts)])


def test_a_loss_for_two_classes_is_impossible_with_three() -> None:
    register.loss("tried")(nn.BCEWithLogitsLoss)
    with pytest.raises(ImpossibleError, match="needs two classes"):
        _ = job_of(dataset="iris", loss="tried").outputs


@pytest.mark.parametrize("kind", [nn.NLLLoss, nn.BCELoss])
def test_a_loss_on_probabilities_is_refused_when_it_is_registered(kind: Any) -> None:
    with pytest.raises(TypeError, match="but a model returns logits"):
        register.loss("tried")(kind)


def test_a_resumed_run_ends_as_if_it_had_not_stopped() -> None:
    from exp.engine import capture

    register.optimizer("tried")(Signs)
    register.scheduler("tried")(lr_scheduler.ReduceLROnPlateau)
    register.loss("tried")(Focal)
    job = job_of(
        optimizer="tried", loss="tried", scheduler={"name": "tried", "patience": 0},
        trainer={"name": "standard", "epochs": 20, "checkpoint_every": 7},
    )  # fmt: skip
    saved = []
    keep = BetweenEpochs(lambda now: saved.append(capture(now, 0)) if now.epoch == 7 else None)
    (whole,) = train([job], hooks=[keep])
    (rest,) = train([job], start={0: saved[0]})
    assert math.isfinite(whole.history["train/loss"][-1])
    for name, tensor in whole.state.items():
        assert torch.equal(tensor, rest.state[name]), name
    assert list(whole.history["lr"]) == list(rest.history["lr"])

"""The kernel gives what torch gives, in the same bits whatever stands beside a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from commands import inside
from conftest import make_plan
from exp.engine import Hook, Job, Predictor, Result, grouped, train
from exp.engine.kernel.support import alone, unfit
from exp.registry.registry import register
from exp.util.compiled import SWITCH, form
from test_same_bits import CONFIGS, assert_same, job

compiled = pytest.mark.skipif(form() is None, reason="exp was installed without a compiler")
here = {"avx512": ["avx2", "avx512"], "avx2": ["avx2"], "neon": ["neon"], None: []}
AVERAGES = "the kernel does not average weights (trainer.average)"
DIGESTS = Path(__file__).with_name("kernel_digests.txt")

MORE: dict[str, dict[str, Any]] = {
    "leaky relu, lr decay": {
        "model": {"activation": "leaky_relu", "hidden": [17]},
        "optimizer": {"name": "adagrad", "lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.01},
    },
    "selu, dampening": {
        "model": {"activation": "selu", "hidden": [6, 6]},
        "optimizer": {"name": "sgd", "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.001},
        "dataset": "wine",
        "split": {"standardize": True},
    },
    "gelu, centered, momentum": {
        "model": {"activation": "gelu", "hidden": [9]},
        "optimizer": {"name": "rmsprop", "centered": True, "momentum": 0.5, "lr": 0.003},
        "loss": {"name": "cross_entropy", "class_weights": [1.0, 2.0]},
    },
    "amsgrad, pos_weight": {
        "optimizer": {"name": "adam", "amsgrad": True, "weight_decay": 0.01},
        "loss": {"name": "bce", "pos_weight": 2.0, "l1": 0.001},
    },
    "rprop, three classes, mse": {
        "optimizer": {"name": "rprop", "lr": 0.01},
        "dataset": "iris",
        "loss": "mse",
    },
    "l1 of classes, plateau": {
        "loss": "l1",
        "dataset": "iris",
        "scheduler": {"name": "plateau", "patience": 3},
        "split": {"validation": 0.2},
        "optimizer": {"name": "nadam", "decoupled_weight_decay": True, "weight_decay": 0.1},
    },
    "batch norm, shortcuts, restored": {
        "model": {"batch_norm": True, "hidden": [7, 5], "shortcuts": True, "dropout": 0.2},
        "optimizer": {"name": "sgd", "lr": 0.3, "momentum": 0.5},
        "trainer": {"batch_size": 100, "restore_best": True},
    },
    "focal alpha": {"loss": {"name": "focal", "alpha": 0.3}, "model": {"activation": "silu"}},
    "numbers squared": {"dataset": "line", "loss": "mse", "trainer": {"eval_every": 3}},
}
EVERY = CONFIGS | MORE


class Block(nn.Module):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(units, units), nn.LayerNorm(units)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.tanh(self.linear(self.norm(x)))


class Course(nn.Module):
    """As in the course: a Sequential inside."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(in_features, 8),
            nn.ReLU(),
            nn.Linear(8, 8),
            nn.ReLU(),
            nn.Linear(8, out_features),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Residual(nn.Module):
    """Residual sums, heads that are joined, a gate, dropout, a shortcut from the input."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.first, self.drop = nn.Linear(in_features, 6), nn.Dropout(0.1)
        self.blocks = nn.ModuleList([Block(6) for _ in range(2)])
        self.heads = nn.ModuleList([nn.Linear(6, 3) for _ in range(2)])
        self.out = nn.Linear(6 + 1, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.relu(self.first(x))
        for block in self.blocks:
            h = block(h)
        joined = torch.cat([self.drop(head(h)) for head in self.heads], dim=1) * torch.sigmoid(h)
        return self.out(torch.cat([joined, x[:, 0:1]], dim=-1))


class Normed(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(in_features, 6), nn.BatchNorm1d(6)
        self.c = nn.Linear(6, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c(F.gelu(self.b(self.a(x))).flatten(1))


class Embedded(nn.Module):
    """The first column holds categories: 0, 1 or 2."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3, 4)
        self.out = nn.Linear(4 + in_features - 1, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.cat([self.embedding(x[:, 0].long()), x[:, 1:]], dim=1))


class Unknown(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.a, self.act = nn.Linear(in_features, 6), nn.PReLU()
        self.c = nn.Linear(6, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c(self.act(self.a(x)))


class Depends(Unknown):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.a(x))
        return self.c(h * 2 if self.training else h)


class Counts(Unknown):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        h = torch.relu(self.a(x))
        return self.c(h + h if self.calls > 10 else h)


MODULES = (Course, Residual, Normed, Embedded, Unknown, Depends, Counts)


@pytest.fixture(scope="module", autouse=True)
def modules() -> Iterator[None]:
    for module in MODULES:
        register.model(f"kernel_{module.__name__.lower()}")(module)
    yield
    known = register.kinds["model"].components
    for module in MODULES:
        del known[f"kernel_{module.__name__.lower()}"]


@contextmanager
def switched(to: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, to)
        yield


def module_job(name: str, seed: int = 1, **parts: Any) -> Job:
    parts = {"optimizer": {"name": "adam", "lr": 0.01}, "trainer": {"epochs": 25}} | parts
    return Job.of(make_plan(seed=seed, model=f"kernel_{name}", **parts))


def made(name: str, seed: int = 3, epochs: int = 12) -> Job:
    parts = dict(EVERY[name])
    trainer = {"epochs": epochs, **parts.pop("trainer", {})}
    return Job.of(make_plan(seed=seed, trainer=trainer, **parts))


def digest(result: Result) -> str:
    """Of the history, the weights and the logits."""
    found = hashlib.sha256()
    for column in result.history.values():
        found.update(column.tobytes())
    for tensor in result.state.values():
        found.update(tensor.numpy().tobytes())
    found.update(result.predictor.logits(result.job.data.X).tobytes())
    return found.hexdigest()[:16]


@compiled
@pytest.mark.parametrize("name", EVERY)
def test_what_torch_gives(name: str) -> None:
    # A gradient that is 0 but for rounding decides steps of rules that divide by its size: the sum
    # of signs with l1, that of a bias before batch norm.
    rounding = name in ("numbers in mini-batches", "adagrad batch norm")
    parts = {"optimizer": {"name": "sgd", "lr": 0.01}} if rounding else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EVERY, name, EVERY[name] | parts)
        (found,) = train([made(name)])
        with switched("off"):
            assert unfit(made(name))
            (wanted,) = train([made(name)])
    assert found.history.keys() == wanted.history.keys()
    for column, values in wanted.history.items():
        np.testing.assert_allclose(
            found.history[column], values, rtol=2e-5, atol=2e-6, equal_nan=True, err_msg=column
        )


@compiled
def test_which_runs_the_kernel_trains() -> None:
    torch_trains = {name: why for name in EVERY if (why := unfit(made(name)))}
    assert torch_trains == {
        "muon mini-batch, narrow layers": "the kernel has no optimizer muon",
        "soap three classes": "the kernel has no optimizer soap",
        "schedule-free sgd, batch norm": "the kernel has no optimizer schedule_free_sgd",
        "schedule-free adamw, early stopping": "the kernel has no optimizer schedule_free_adamw",
        "sam momentum, dropout, clipped": "the kernel has no optimizer sam",
        "exponential average, accumulated": AVERAGES,
        "average of epochs": AVERAGES,
        "rprop float64": "it computes in torch.float64",
    }


@compiled
@pytest.mark.parametrize("kernel", here[form()])
def test_digests_on_every_processor(kernel: str) -> None:
    """The published list: as many runs as it has lines."""
    with switched(kernel):
        found = [
            f"{digest(train([made(name)])[0])}  {name}" for name in EVERY if not unfit(made(name))
        ]
    assert len(found) >= 20
    assert found == DIGESTS.read_text().splitlines()


@compiled
def test_alone_and_in_a_mixed_stack() -> None:
    jobs = [made(name, seed) for name in EVERY for seed in (1, 2)]
    jobs += [module_job(name, seed) for name in ("course", "residual", "normed") for seed in (1, 2)]
    together = train(jobs)
    backwards = train(jobs[::-1])[::-1]
    for one, there, other in zip(jobs, together, backwards, strict=True):
        (single,) = train([one])
        assert_same(single, there)
        assert_same(single, other)


@compiled
def test_threads_do_not_matter() -> None:
    def three(threads: int) -> list[Job]:
        device = {"name": "cpu", "threads": threads}
        return [Job.of(make_plan(seed=i, trainer={"epochs": 30}, device=device)) for i in range(3)]

    assert len(grouped(three(2))) == 1
    for one, other in zip(train(three(1)), train(three(2)), strict=True):
        assert_same(one, other)


class Look(Hook):
    """Looks after every epoch, so that the kernel trains them one by one."""


@compiled
@pytest.mark.parametrize("name", ["sgd relu full batch", "nadam dropout", "l1 of classes, plateau"])
def test_epochs_one_by_one_and_at_once(name: str) -> None:
    (at_once,) = train([job("nadam dropout", 3, 0.03) if name == "nadam dropout" else made(name)])
    (one_by_one,) = train(
        [job("nadam dropout", 3, 0.03) if name == "nadam dropout" else made(name)], hooks=[Look()]
    )
    assert_same(at_once, one_by_one)


def plain_loss(run: Job, epochs: int) -> tuple[np.ndarray, float]:
    """The first logits and the last training loss of an ordinary loop in PyTorch."""
    model, split = run.module(), run.data.split
    X = torch.from_numpy(run.data.X[split.train])
    y = torch.from_numpy(run.data.data.y[split.train]).float()
    first = model(torch.from_numpy(run.data.X)).detach().numpy()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
        loss = F.binary_cross_entropy_with_logits(model(X).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return first, loss.item()


@compiled
@pytest.mark.parametrize("seed", [1, 42])
def test_a_plain_loop_in_torch(seed: int) -> None:
    run = Job.of(
        make_plan(seed=seed, optimizer={"name": "sgd", "lr": 0.1}, trainer={"epochs": 1000})
    )
    first, last = plain_loss(run, 1000)
    np.testing.assert_allclose(Predictor(run, None).logits(run.data.X), first, atol=1e-6)
    (result,) = train([run])
    assert abs(float(result.history["train/loss"][-1]) - last) < 1e-4


@pytest.mark.parametrize("name", ["course", "residual", "normed"])
def test_a_module_with_its_own_forward_is_stacked(name: str) -> None:
    jobs = [module_job(name, seed) for seed in (1, 2, 3)]
    assert [alone(each) for each in jobs] == [None] * 3
    assert len(grouped(jobs)) == 1
    results = train(jobs)
    for one, result in zip(jobs, results, strict=True):
        assert_same(result, train([one])[0])
        plain = one.module().eval()
        X = one.data.X
        np.testing.assert_allclose(
            Predictor(one, None).logits(X), plain(torch.from_numpy(X)).detach().numpy(), atol=1e-6
        )
        plain.load_state_dict(result.state)
        np.testing.assert_allclose(
            result.predictor.logits(X), plain(torch.from_numpy(X)).detach().numpy(), atol=1e-5
        )


def test_an_embedding_of_categories_is_stacked(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kinds, size = rng.integers(0, 3, 90), rng.normal(size=90)
    rows = [f"{k},{s},{int(k == 1) ^ int(s > 0)}" for k, s in zip(kinds, size, strict=True)]
    (tmp_path / "rows.csv").write_text("kind,size,y\n" + "\n".join(rows) + "\n")
    data = {"name": "csv", "path": str(tmp_path / "rows.csv"), "target": "y"}
    jobs = [module_job("embedded", seed, dataset=data) for seed in (1, 2)]
    assert len(grouped(jobs)) == 1
    for one, result in zip(jobs, train(jobs), strict=True):
        assert_same(result, train([one])[0])
        assert result.history["train/loss"][-1] < result.history["train/loss"][0]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("kind,size,y\n" + "\n".join([*rows, "7,0.5,1", "7,0.1,0"] * 3) + "\n")
    with pytest.raises(Exception, match="has the categories 0 to 2, and the rows have 0 to 7"):
        train([module_job("embedded", dataset=data | {"path": str(wrong)})])


@pytest.mark.parametrize(
    ("name", "why"), [("unknown", "layer act, a PReLU"), ("depends", "depends on self.training")]
)
def test_what_is_not_known_trains_by_itself(name: str, why: str) -> None:
    jobs = [module_job(name, seed) for seed in (1, 2)]
    assert why in (alone(jobs[0]) or "")
    assert len(grouped(jobs)) == 2
    train(jobs)


def test_a_run_says_what_trained_it(in_tmp: Path) -> None:
    quick = ("trainer.epochs=2", "figures=none", "hydra.run.dir=run")
    assert inside(in_tmp, *quick).code == 0
    record = json.loads((in_tmp / "run/run.json").read_text())
    assert record["device"]["kernel"] == form()
    with switched("off"):
        assert inside(in_tmp, *quick[:2], "hydra.run.dir=torch").code == 0
        assert "torch" in inside(in_tmp, "--version").out
    record = json.loads((in_tmp / "torch/run.json").read_text())
    assert record["device"]["kernel"] is None
    with switched("axv2"):
        ended = inside(in_tmp, *quick[:2])
    assert ended.code == 2
    assert SWITCH in ended.err
    assert "Did you mean 'avx2'" in ended.err

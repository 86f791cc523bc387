"""Weights of rows: how much each one counts in the loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from commands import inside, runs
from conftest import make_plan
from exp.data.dataset import Data, Split
from exp.data.prepared import Prepared
from exp.engine import Job, Result, Training, capture, grouped, train
from exp.registry.registry import register
from exp.runs.trained.load_model import job_with
from exp.util.compiled import SWITCH
from exp.util.errors import ComponentError, DataError, ImpossibleError
from hooks import BetweenEpochs
from test_same_bits import assert_same

LOSSES: dict[str, tuple[int, Any]] = {
    "bce": (2, {"name": "bce", "pos_weight": 2.0}),
    "cross entropy of two": (2, {"name": "cross_entropy", "class_weights": [1.0, 3.0]}),
    "cross entropy": (3, {"name": "cross_entropy", "label_smoothing": 0.1, "l2": 0.01}),
    "focal": (3, {"name": "focal", "class_weights": {"b": 2.0}}),
    "hinge": (2, {"name": "hinge", "class_weights": "balanced"}),
    "hinge of three": (3, "hinge"),
    "tanh mse": (2, "tanh_mse"),
    "mse of classes": (3, {"name": "mse", "class_weights": "balanced"}),
    "l1 of classes": (2, "l1"),
    "mse": (0, "mse"),
    "l1": (0, "l1"),
}


def rows_of(classes: int, seed: int = 0, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3)).astype(np.float32)
    y = rng.permutation(np.arange(rows) % classes) if classes else X[:, 0] + rng.normal(size=rows)
    return X, y


def job(
    X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, split: Split, **parts: Any
) -> Job:
    if y.dtype.kind == "f":
        data = Data.numbers(X, y, weights=weights)
    else:
        names = [str(name) for name in "abc"[: y.max() + 1]]
        data = Data.checked(X, y, classes=names, weights=weights)
    # Rules that divide by the size of a gradient take steps where it is 0 but for rounding.
    parts = {"optimizer": {"name": "sgd", "lr": 0.05}, "trainer": {"epochs": 15}} | parts
    return job_with(make_plan(**parts), Prepared.of(data, split))


@pytest.fixture(params=["kernel", "torch"])
def computes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "torch":
        monkeypatch.setenv(SWITCH, "off")


def same(one: Result, other: Result, *columns: str) -> None:
    for column in columns:
        np.testing.assert_allclose(
            one.history[column], other.history[column], rtol=1e-5, atol=1e-6, err_msg=column
        )
    for name, value in one.state.items():
        np.testing.assert_allclose(value, other.state[name], rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.usefixtures("computes")
@pytest.mark.parametrize("name", LOSSES)
def test_whole_weights_are_repeated_rows(name: str) -> None:
    classes, loss = LOSSES[name]
    X, y = rows_of(classes)
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    split = Split(np.arange(40), np.arange(50, 60), np.arange(40, 50))
    (found,) = train([job(X, y, weights, split, loss=loss)])
    # The rows of each part as often as their weights say; none of weight 0 is left.
    parts = [np.repeat(rows, weights[rows]) for rows in (split.train, split.test, split.validation)]
    order = np.concatenate(parts)
    ends = np.cumsum([len(part) for part in parts])
    again = Split(*np.split(np.arange(len(order)), ends[:-1]))
    (wanted,) = train([job(X[order], y[order], None, again, loss=loss)])
    same(found, wanted, "train/loss", "test/loss", "validation/loss")
    rows = split.test
    final = found.predictor.loss(X[rows], found.job.data.y[rows], found.job.data.weights_of(rows))
    assert final == pytest.approx(float(found.history["test/loss"][-1]), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("batch", [None, 7])
def test_kernel_and_torch_agree(
    name: str, batch: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes, loss = LOSSES[name]
    X, y = rows_of(classes)
    weights = np.random.default_rng(2).exponential(size=len(y))
    weights[::5] = 0
    parts = {"loss": loss, "trainer": {"epochs": 5, "batch_size": batch}}
    split = Split(np.arange(40), np.arange(40, 60))
    (found,) = train([job(X, y, weights, split, **parts)])
    monkeypatch.setenv(SWITCH, "off")
    (wanted,) = train([job(X, y, weights, split, **parts)])
    same(found, wanted, *wanted.history)


@pytest.mark.usefixtures("computes")
def test_weights_of_one_are_no_weights() -> None:
    X, y = rows_of(2)
    split = Split(np.arange(40), np.arange(40, 60))
    trainer = {"epochs": 5, "batch_size": 16}
    (found,) = train([job(X, y, np.ones(60), split, trainer=trainer)])
    (wanted,) = train([job(X, y, None, split, trainer=trainer)])
    same(found, wanted, *wanted.history)


@pytest.mark.usefixtures("computes")
@pytest.mark.parametrize("batch", [None, 16])
def test_each_run_of_a_stack_has_its_own_weights(batch: int | None) -> None:
    split = Split(np.arange(40), np.arange(40, 60))
    jobs, y = [], np.arange(60) % 2
    for seed in range(3):
        X, _ = rows_of(2, seed)
        weights = np.random.default_rng(seed).uniform(size=60)
        trainer = {"epochs": 8, "batch_size": batch}
        jobs.append(job(X, y, weights, split, seed=seed, trainer=trainer))
    jobs.append(job(X, y, None, split, trainer=trainer))
    assert sorted(map(len, grouped(jobs))) == [1, 3]
    for one, together in zip(jobs[:3], train(jobs[:3]), strict=True):
        assert_same(train([one])[0], together)


def test_a_step_is_the_one_of_a_weighted_mean_in_torch() -> None:
    X, y = rows_of(2)
    weights = np.random.default_rng(3).exponential(size=60).astype(np.float32)
    split = Split(np.arange(60))
    run = job(X, y, weights, split, optimizer={"name": "sgd", "lr": 0.5}, trainer={"epochs": 4})
    model = run.module()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(4):
        rows = nn.functional.binary_cross_entropy_with_logits(
            model(torch.from_numpy(X))[:, 0], torch.from_numpy(y).float(), reduction="none"
        )
        loss = (rows * torch.from_numpy(weights)).sum() / float(weights.sum())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    (result,) = train([run])
    np.testing.assert_allclose(result.history["train/loss"], losses, rtol=1e-5)


@pytest.fixture
def custom() -> Iterator[None]:
    register.loss("each_row")(lambda logits, target: (logits - target.float()).square())
    register.loss("one_number")(nn.BCEWithLogitsLoss)
    yield
    for name in ("each_row", "one_number"):
        del register.kinds["loss"].components[name]


@pytest.mark.usefixtures("custom")
def test_a_custom_loss_of_each_row_is_weighted() -> None:
    X, y = rows_of(0)
    y = y.astype(np.float32)
    weights = np.random.default_rng(4).exponential(size=60)
    split = Split(np.arange(40), np.arange(40, 60))
    (found,) = train([job(X, y, weights, split, loss="each_row")])
    (wanted,) = train([job(X, y, weights, split, loss="mse")])
    same(found, wanted, "train/loss", "test/loss")


@pytest.mark.usefixtures("custom")
def test_a_custom_loss_of_a_batch_cannot_be_weighted() -> None:
    X, y = rows_of(2)
    split = Split(np.arange(40))
    with pytest.raises(ComponentError, match="reduction='none'"):
        train([job(X, y, np.arange(60), split, loss="one_number")])
    loss = {"name": "one_number", "reduction": "none"}
    (found,) = train([job(X, y, np.arange(60), split, loss=loss)])
    (wanted,) = train([job(X, y, np.arange(60), split, loss="bce")])
    same(found, wanted, "train/loss")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -0.5, 1, 1], "row 1, weight: -0.5"),
        ([1.0, np.nan, 1, 1], "row 1, weight: nan"),
        ([1.0, 1, 1, 1e39], "row 3, weight: inf"),
        ([1.0, 1, 1], "4 rows"),
        (["1"] * 4, "weights has dtype"),
    ],
)
def test_weights_that_are_none(weights: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Data.checked(np.eye(4), [0, 1, 0, 1], classes=["a", "b"], weights=weights)


def test_a_part_needs_a_row_that_counts() -> None:
    X, y = rows_of(2)
    weights = np.ones(60)
    weights[40:] = 0
    with pytest.raises(DataError, match="test rows are 0"):
        job(X, y, weights, Split(np.arange(40), np.arange(40, 60)))
    with pytest.raises(DataError, match="train rows are 0"):
        job(X, y, weights, Split(np.arange(40, 60)))


def test_balanced_weights_need_a_row_that_counts_of_each_class() -> None:
    X, y = rows_of(2)
    loss = {"name": "bce", "class_weights": "balanced"}
    with pytest.raises(ImpossibleError, match="class 'b'"):
        job(X, y, 1 - y, Split(np.arange(60)), loss=loss)


def table(path: Path, weights: list[Any], rows: int = 40) -> None:
    X, y = rows_of(2, rows=rows)
    weights = [*weights, *[1] * (rows - len(weights))]
    lines = [f"{a:.5f},{b:.5f},{['no', 'yes'][k]},{w}" for (a, b, _), k, w in
             zip(X, y, weights, strict=True)]  # fmt: skip
    path.write_text("\n".join(["a,b,ill,count", *lines]) + "\n")


RUN = ["dataset=csv", "dataset.path=t.csv", "dataset.target=ill", "dataset.weights=count"]
QUICK = ["trainer.epochs=3", "figures=none"]


def test_a_column_of_weights(in_tmp: Path) -> None:
    weights = np.random.default_rng(5).integers(0, 3, 40).tolist()
    table(in_tmp / "t.csv", weights)
    ended = inside(in_tmp, *RUN, *QUICK, "hydra.run.dir=one")
    assert ended.code == 0, ended.err
    record = json.loads((in_tmp / "one" / "run.json").read_text())
    assert record["data"]["features"] == ["a", "b"]
    # New rows need no weights, and other weights are other data.
    (in_tmp / "new.csv").write_text("a,b\n0,1\n1,0\n")
    assert inside(in_tmp, "predict", "one", "new.csv", "--output", "answers.csv").code == 0
    table(in_tmp / "t.csv", [9, *weights[1:]])
    assert inside(in_tmp, *RUN, *QUICK, "hydra.run.dir=two").code == 0
    other = json.loads((in_tmp / "two" / "run.json").read_text())
    assert other["data"]["fingerprint"] != record["data"]["fingerprint"]
    assert other["signature"] != record["signature"]
    changed = inside(in_tmp, "rerun", "one")
    assert changed.code != 0


@pytest.mark.usefixtures("computes")
def test_going_on_with_weights_is_as_if_nothing_had_happened() -> None:
    X, y = rows_of(2)
    weights = np.random.default_rng(6).exponential(size=60)
    run = job(X, y, weights, Split(np.arange(40), np.arange(40, 60)), trainer={"batch_size": 9})
    saved: list[Any] = []

    def keep(training: Training) -> None:
        if training.epoch == 7:
            saved.append(capture(training, 0))

    (wanted,) = train([run], hooks=[BetweenEpochs(keep)])
    (found,) = train([run], start={0: saved[0]})
    assert_same(found, wanted)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("-1", "line 3, column 'count'  the weight -1 is negative"),
        ("", "line 3, column 'count'  the weight is missing in 1 of 40 rows"),
        ("heavy", "line 3, column 'count'  'heavy' is not a number"),
        ("inf", "line 3, column 'count'  'inf' is not finite"),
    ],
)
def test_weights_of_a_file_that_are_none(in_tmp: Path, weight: str, message: str) -> None:
    table(in_tmp / "t.csv", [1, weight])
    ended = inside(in_tmp, *RUN, *QUICK)
    assert ended.code == 2
    assert message in ended.err


def test_a_row_without_a_weight_can_be_dropped(in_tmp: Path) -> None:
    table(in_tmp / "t.csv", [1, ""])
    ended = inside(in_tmp, *RUN, *QUICK, "dataset.missing=drop")
    assert ended.code == 0, ended.err
    (run,) = runs(in_tmp)
    assert json.loads((run / "run.json").read_text())["data"]["rows"] == 39


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dataset.weights=cuont"], "Did you mean 'count'?"),
        (["dataset.weights=ill"], "dataset.weights  names 'ill', which is the target"),
        (["dataset.features=[a,count]"], "dataset.weights  names 'count', which `features`"),
        (["dataset.exclude=[count]"], "dataset.weights  names 'count', which `exclude`"),
    ],
)
def test_weights_that_cannot_be_used(in_tmp: Path, words: list[str], message: str) -> None:
    table(in_tmp / "t.csv", [])
    ended = inside(in_tmp, *RUN, *QUICK, *words)
    assert ended.code == 2
    assert message in ended.err


def test_every_kind_of_file_has_the_same_weights(in_tmp: Path) -> None:
    import pandas as pd

    table(in_tmp / "t.csv", [2, 0, 0.5])
    frame = pd.read_csv(in_tmp / "t.csv")
    frame.to_parquet(in_tmp / "t.parquet")
    X, w = frame[["a", "b"]].to_numpy(), frame["count"].to_numpy()
    y = frame["ill"].to_numpy(str)
    np.savez(in_tmp / "t.npz", X=X, y=y, names=["a", "b"], count=w)
    np.savez(in_tmp / "u.npz", X=np.column_stack([X, w]), y=y, names=["a", "b", "count"])
    found = []
    for path in ("t.csv", "t.parquet", "t.npz", "u.npz"):
        kind = path[2:]
        target = {} if kind == "npz" else {"target": "ill"}
        chosen = {"name": kind, "path": path, "weights": "count", **target}
        found.append(register.choose("dataset", chosen).build(0))
    for data in found:
        np.testing.assert_array_equal(data.weights, w.astype(np.float32))
        assert data.features == ("a", "b")
    assert len({data.fingerprint for data in found}) == 1


def test_the_file_of_test_rows_has_weights_too(in_tmp: Path) -> None:
    table(in_tmp / "t.csv", [2, 0, 0.5])
    table(in_tmp / "new.csv", [7, 8], rows=20)
    chosen = {
        "name": "csv", "path": "t.csv", "target": "ill", "weights": "count", "test_path": "new.csv",
    }  # fmt: skip
    data = register.choose("dataset", chosen).build(0)
    np.testing.assert_array_equal(data.weights[[0, 1, 2, 40, 41, 42]], [2, 0, 0.5, 7, 8, 1])

"""The numbers of `exp play`: the engine in JavaScript computes what exp computes.

It computes in float32, in the order of exp's kernel: the losses of 300 epochs are the same bits,
also where training is so chaotic that one more rounding would be seen.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import make_plan
from exp.components.features import PLAYGROUND
from exp.engine import Job, train
from exp.engine.stack import generator
from exp.play.payload import payload, settings
from exp.play.payload_noise import SOURCES
from exp.play.payload_offers import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS
from exp.util.compiled import form
from exp.util.errors import ConfigError
from play_engine import engine_in_browser, evaluate

COUNT = int(os.environ.get("DRAWN_PAGES", "10"))
"""Configs that are drawn; DRAWN_PAGES=30 tries thirty."""
EPOCHS = 300
COLUMNS = {
    "train/loss": "trainLoss", "test/loss": "testLoss",
    "train/accuracy": "trainAccuracy", "test/accuracy": "testAccuracy",
}  # fmt: skip
compiled = pytest.mark.skipif(form() is None, reason="torch trains, which sums in another order")


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """A page that was made of the default config."""
    with engine_in_browser() as found:
        evaluate(found, "window.offered = given", given=payload(make_plan()))
        yield found


def in_python(**parts: Any) -> dict[str, np.ndarray]:
    """The columns of metrics.csv."""
    return train([Job.of(make_plan(**parts))])[0].history


def in_browser(page: Any, script: str = f"trainer.train({EPOCHS})", **parts: Any) -> Any:
    """What the engine measures with the settings of a config."""
    plan = make_plan(**parts)
    trained = f"const trainer = new Engine.Trainer(offered, given); {script}"
    return evaluate(page, f"{trained}; return trainer.history", given=settings(plan, Job.of(plan)))


def apart(found: dict[str, Any], history: dict[str, np.ndarray]) -> float:
    """The largest difference of two losses at any epoch."""
    columns = [c for c in COLUMNS if c.endswith("loss")]
    return max(float(np.abs(np.array(found[COLUMNS[c]]) - history[c]).max()) for c in columns)


def drawn(number: int) -> dict[str, Any]:
    """A config of what the page offers: every choice is drawn."""
    random = np.random.RandomState(number)

    def one_of(values: Any) -> Any:
        return values[random.randint(len(values))]

    source = one_of(sorted(SOURCES))
    noise = round(float(random.uniform(0, SOURCES[source].high)), 3)
    losses = [
        n for n in LOSSES if source not in ("blobs", "spirals") or n not in ("bce", "tanh_mse")
    ]
    terms = [term for term in PLAYGROUND if random.rand() < 0.6] or ["x", "y"]
    batch = one_of([None, None, None, 100])
    optimizers = [n for n in OPTIMIZERS if batch is None or n != "rprop"]
    hidden = [int(random.randint(1, 9)) for _ in range(random.randint(0, 5))]
    return {
        "seeds": {name: int(random.randint(2**31)) for name in ("init", "shuffle")},
        "dataset": {"name": source, SOURCES[source].key: noise},
        "split": {"standardize": one_of([False, True, "minmax"])},
        "features": one_of(["none", {"name": "playground", "use": terms}]),
        "model": {
            "hidden": hidden,
            "activation": one_of(ACTIVATIONS),
            "init": one_of(INITS[:1] * 3 + INITS),
            "dropout": one_of([0.0, 0.0, 0.2]),
        },
        "loss": {
            "name": one_of(losses),
            "l1": one_of([0.0, 0.0, 0.001]),
            "l2": one_of([0.0, 0.0, 0.01]),
        },
        "optimizer": one_of(optimizers),
        "trainer": {"epochs": EPOCHS, "batch_size": batch, "clip_norm": one_of([None, None, 1.0])},
    }


@compiled
def test_drawn_configs_have_the_losses_of_python(page: Any) -> None:
    for number in range(COUNT):
        config = drawn(number)
        python, found = in_python(**config), in_browser(page, **config)
        assert len(found["trainLoss"]) == EPOCHS
        assert apart(found, python) < 1e-9, (number, config)


def test_the_default_config_has_the_losses_of_python(page: Any) -> None:
    for optimizer in ("sgd", "adam"):
        config: dict[str, Any] = {"optimizer": optimizer, "trainer": {"epochs": EPOCHS}}
        python, found = in_python(**config), in_browser(page, **config)
        assert apart(found, python) < 1e-5
        assert len(found["trainLoss"]) == EPOCHS


@pytest.mark.parametrize("init", INITS)
def test_first_weights_are_those_of_torch(page: Any, init: str) -> None:
    """The same bits, for any widths and any seed."""
    for seed, hidden in ((0, [1]), (42, [8, 8]), (2**32 - 1, [3, 64, 5]), (123456789, [8] * 6)):
        scale = {"init": init, "init_scale": 0.5 if init == "uniform" else 1.0}
        if seed == 0:
            scale["init_bias"] = 0.1
        plan = make_plan(seeds={"init": seed}, model={"hidden": hidden, **scale})
        job = Job.of(plan)
        found = evaluate(
            page,
            "const {layers} = new Engine.Trainer(offered, given).network;"
            "return layers.flatMap(({weight, bias}) => [Array.from(weight), Array.from(bias)])",
            given=settings(plan, job),
        )
        wanted = [values.detach().numpy().ravel() for values in job.module().parameters()]
        assert len(found) == len(wanted)
        for mine, theirs in zip(found, wanted, strict=True):
            assert np.array_equal(np.array(mine), theirs.astype(np.float64))


def test_orders_are_those_of_torch(page: Any) -> None:
    """Two epochs of shuffling, with the generator that exp gives to a run."""
    for seed, rows in ((0, 1), (1, 2), (42, 800), (2**32 - 1, 33), (7, 8000), (31, 20_000)):
        shuffler = generator(seed, 0)
        wanted = [torch.randperm(rows, generator=shuffler).tolist() for _ in range(2)]
        found = evaluate(
            page,
            "const chance = new Engine.Mersenne(Engine.purposeSeed(seed, 0));"
            "const order = new Int32Array(rows);"
            "return [0, 1].map(() => (Engine.randomOrder(chance, order, rows), Array.from(order)))",
            seed=seed,
            rows=rows,
        )
        assert found == wanted


@pytest.mark.parametrize("name", SOURCES)
def test_any_noise_gives_the_rows_of_python(page: Any, name: str) -> None:
    for noise in (0.0, 0.07, SOURCES[name].high):
        plan = make_plan(dataset={"name": name, SOURCES[name].key: noise})
        job = Job.of(plan)
        script = "return new Engine.Trainer(offered, given).rows"
        found = evaluate(page, script, given=settings(plan, job))
        data, split = job.data.data, job.data.split
        assert np.allclose(found["x"], data.X, rtol=0, atol=1e-7)
        assert found["y"] == data.y.tolist()
        parts = np.array(found["part"])
        assert np.flatnonzero(parts == "test").tolist() == sorted(split.test.tolist())
        assert np.flatnonzero(parts == "train").tolist() == sorted(split.train.tolist())


def test_points_by_hand_train_like_a_file_of_them(page: Any, in_tmp: Path) -> None:
    random = np.random.RandomState(5)
    points = [
        {"x": random.randn(2).round(3).tolist(), "y": int(random.randint(3)), "part": part}
        for part in ["train"] * 40 + ["test"] * 12
    ]
    with Path("points.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["x1", "x2", "label", "part"])
        writer.writerows([*p["x"], "012"[p["y"]], p["part"]] for p in points)
    common = {"optimizer": "adam", "trainer": {"epochs": EPOCHS, "batch_size": 16}}
    by_file = {"name": "csv", "path": "points.csv", "target": "label"}
    split = {"column": "part", "standardize": True}
    python = in_python(dataset=by_file, split=split, **common)
    plan = make_plan(dataset="spirals", split={"standardize": True}, **common)
    given = {**settings(plan, Job.of(plan)), "points": points}
    found = evaluate(
        page,
        f"const trainer = new Engine.Trainer(offered, given); trainer.train({EPOCHS});"
        "return trainer.history",
        given=given,
    )
    assert apart(found, python) < 1e-4
    # The same file as the data set from which the page starts.
    page_of_file = payload(make_plan(dataset=by_file, split=split, **common))
    found = evaluate(
        page,
        f"const trainer = new Engine.Trainer(made, made.settings); trainer.train({EPOCHS});"
        "return trainer.history",
        made=page_of_file,
    )
    assert apart(found, python) < 1e-4


@compiled
@pytest.mark.parametrize(("rate", "epochs"), [(1e3, EPOCHS), (1e6, 3), (1e14, 1)])
def test_a_run_diverges_in_the_same_epoch(page: Any, rate: float, epochs: int) -> None:
    config: dict[str, Any] = {"optimizer": {"lr": rate}, "trainer": {"epochs": EPOCHS}}
    python, found = in_python(**config), in_browser(page, **config)
    assert len(found["trainLoss"]) == epochs
    for column in ("train/loss", "test/loss"):
        mine = np.array(found[COLUMNS[column]], np.float32)
        assert np.array_equal(mine, python[column], equal_nan=True), column


def test_a_rate_changed_between_epochs_is_a_step_of_a_schedule(page: Any) -> None:
    common: dict[str, Any] = {"optimizer": "adam", "trainer": {"epochs": EPOCHS}}
    schedule = {"name": "multistep", "milestones": [100], "gamma": 0.1}
    python = in_python(scheduler=schedule, **common)
    script = "trainer.train(100); trainer.change({lr: 0.001}); trainer.train(200)"
    assert apart(in_browser(page, script, **common), python) < 1e-5


def test_points_that_move_keep_the_weights(page: Any) -> None:
    """And the epochs that follow learn the new ones."""
    found = evaluate(
        page,
        """
        const trainer = new Engine.Trainer(offered, offered.settings);
        trainer.train(50);
        const before = Array.from(trainer.network.layers[0].weight);
        const {x, y, part} = trainer.rows;
        const points = x.map((_, r) => ({x: x[r], y: 1 - y[r], part: part[r]}));
        trainer.setPoints(points);
        const kept = Array.from(trainer.network.layers[0].weight);
        trainer.train(500);
        return {before, kept, epoch: trainer.epoch, accuracy: trainer.history.testAccuracy};
        """,
    )
    assert found["kept"] == found["before"]
    assert found["epoch"] == 550
    assert found["accuracy"][50] < 0.3 < 0.7 < found["accuracy"][-1]


def test_maps_are_what_the_units_output(page: Any) -> None:
    plan = make_plan(dataset="spirals", features="playground", model={"activation": "tanh"})
    job = Job.of(plan)
    xs, ys = [-1.0, 0.25, 1.0], [-0.5, 0.5]
    found = evaluate(
        page,
        "const maps = new Engine.Trainer(offered, given).unitMaps(xs, ys);"
        "const lists = (each) => each.map((map) => Array.from(map));"
        "return [lists(maps.inputs), ...maps.hidden.map(lists), lists(maps.outputs)]",
        given=settings(plan, job),
        xs=xs,
        ys=ys,
    )
    values = torch.tensor(job.data.transform(np.array([[x, y] for y in ys for x in xs])))
    wanted = [values]
    for layer in job.module().children():
        values = layer(values)
        if isinstance(layer, torch.nn.Tanh):
            wanted.append(values)
    wanted.append(values.softmax(dim=1))
    assert len(found) == len(wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        assert np.allclose(mine, theirs.T.detach().numpy(), rtol=0, atol=1e-6)


REFUSED = {
    "batch_norm": ({"model": {"batch_norm": True}}, "model.batch_norm"),
    "schedule": ({"scheduler": "cosine"}, "scheduler"),
    "optimizer": ({"optimizer": "muon"}, "optimizer"),
    "features": ({"features": "fourier"}, "features"),
    "weights": ({"loss": {"class_weights": [1.0, 2.0]}}, "loss.class_weights"),
    "stopping": ({"trainer": {"early_stopping": 5}}, "trainer.early_stopping"),
    "init": ({"model": {"init": "normal"}}, "model.init"),
    "width": ({"model": {"hidden": [200, 200]}}, "model.hidden"),
    "precision": ({"device": {"dtype": "float64"}}, "device.dtype"),
    "columns": ({"dataset": "iris"}, "dataset"),
    "number": ({"dataset": "plane"}, "dataset"),
    "rows": ({"dataset": {"n_samples": 10_001}}, "dataset"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_page_cannot_play_is_refused(case: str) -> None:
    parts, key = REFUSED[case]
    with pytest.raises(ConfigError) as error:
        payload(make_plan(**parts))
    assert [fault.path for fault in error.value.faults] == [key]
    assert "exp play" in str(error.value)


def test_offers_have_the_defaults_of_exp(page: Any) -> None:
    offers = evaluate(page, "return Engine.offers(offered)")
    adam = next(each for each in offers["optimizers"] if each["name"] == "adam")
    assert {p["name"]: p["default"] for p in adam["params"]} == {
        "lr": 0.01,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "amsgrad": False,
    }
    beta = adam["params"][1]
    assert (beta["low"], beta["high"], beta["type"]) == (0.0, 1.0, "number")
    assert all(p["about"] for each in offers["optimizers"] for p in each["params"])
    assert {each["name"] for each in offers["datasets"]} == set(SOURCES)

"""Targets of files: which are classes and which are numbers, and numbers on their own scale."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.preprocessing import StandardScaler

import exp
from commands import inside, read_csv, runs
from conftest import make_plan
from exp.data.dataset import Data
from exp.data.target_scale import TargetScale
from exp.engine import Job, Training, capture, train
from exp.engine.prepare import prepared_by
from exp.registry.registry import register
from exp.util.errors import DataError
from hooks import BetweenEpochs
from test_same_bits import assert_same

FILE = ("dataset=csv", "dataset.path=rents.csv", "dataset.target=rent", "model.hidden=[8]")
SCALED = ("split.standardize=true", "split.standardize_target=true", "optimizer=adam")
QUICK = ("trainer.epochs=30", "figures=none", "trainer.print_every=null")


def rents(rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    area = random.integers(20, 150, rows)
    city = np.array(["Basel", "Bern", "Zug"])[random.integers(0, 3, rows)]
    rent = 400 + 18.25 * area + 300 * (city == "Zug") + random.normal(0, 40, rows)
    return pd.DataFrame({"area": area, "city": city, "rent": rent.round(2)})


def target(values: list[Any], **options: Any) -> Data:
    """The data of a csv file whose target has these values."""
    texts = [str(value) for value in values]
    lines = [f'{row},"{text}"' for row, text in enumerate(texts)]
    Path("rows.csv").write_text("\n".join(["x,y", *lines]) + "\n")
    params = {"name": "csv", "path": "rows.csv", "target": "y", **options}
    data: Data = register.choose("dataset", params).build(0)
    return data


@pytest.fixture(scope="module")
def rented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a csv file on scaled targets; not to be changed."""
    where = tmp_path_factory.mktemp("rented")
    rents().to_csv(where / "rents.csv", index=False)
    ended = inside(where, *FILE, *SCALED, "trainer.epochs=30", "figures=all", "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    return where / "run"


# What a target is taken for


@pytest.mark.parametrize(
    ("values", "numeric"),
    [
        ([1.5, 2.5] * 10, True),
        (["1.5", "2.0", "3.0"] * 5, True),
        ([1.0, 2.0] * 10, False),
        (list(range(21)), True),
        (list(range(20)), False),
        ([*range(30)] * 3, False),  # each of them has three rows
        ([*range(27), 100, 101, 102] + [*range(27)] * 2, True),  # three of 30 have one row
        (["10", "9", "-1"] * 9, False),
        (["a", "b"] * 3, False),
        (["1", "2", "x"] * 9, False),
        (["true", "false"] * 3, False),
        (["v1.2", "v1.3"] * 3, False),
        (["1e-3", "2e-3"] * 3, True),
        (["1e3", "2e3"] * 3, False),
    ],
)
def test_what_a_target_is_taken_for(values: list[Any], numeric: bool, in_tmp: Path) -> None:
    data = target(values)
    assert data.numeric == numeric
    if numeric:
        assert data.y.dtype == np.float32
        np.testing.assert_array_equal(data.y, np.array(values, np.float32))
        assert "is taken for a number" in "".join(data.notes)
        assert len(target(values, task="classes").classes) == len(set(map(str, values)))
    elif all(str(value).lstrip("-").isdecimal() for value in values):
        explicit = target(values, task="number")
        np.testing.assert_array_equal(explicit.y, np.array(values, np.float32))
        assert explicit.notes == tuple(note for note in data.notes if "taken for" not in note)


def test_many_integers_as_classes_are_pointed_out(in_tmp: Path) -> None:
    (note,) = (note for note in target([*range(30)] * 3).notes if "taken for" in note)
    assert "classes (30 different integers" in note
    assert "dataset.task=number" in note
    assert not any("taken for" in note for note in target([*range(10)] * 3).notes)
    rare = [*range(50)] * 3 + [77]
    Path("rows.csv").write_text("x,y\n" + "".join(f"{n},{y}\n" for n, y in enumerate(rare)))
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=y", "split.test=0.5")
    ended = inside(in_tmp, *words, "seed=1", *QUICK)
    assert ended.code == 2
    assert "dataset.task=number" in ended.err
    assert inside(in_tmp, *words, "seed=1", *QUICK, *SCALED, "dataset.task=number").code == 0


def test_texts_are_no_numbers(in_tmp: Path) -> None:
    with pytest.raises(DataError, match=r"line 3, column 'y'  'dear' is not a number .*task=clas"):
        target([1.5, "dear", 2.5], task="number")
    with pytest.raises(DataError, match=r"line 4, column 'y'  'dear' is not a number"):
        target([1.5, 2.5, "dear", 3.5, 4.5])
    with pytest.raises(DataError, match="line 3, column 'y'  'inf' is not finite"):
        target([1.5, "inf", 2.5])
    with pytest.raises(DataError, match="line 3, column 'y'  '1e39' does not fit float32"):
        target([1.5, "1e39", 2.5])
    with pytest.raises(DataError, match="the label is missing"):
        target([1.5, "", 2.5])
    assert target([1.5, "", 2.5, "NA"], missing="drop").y.tolist() == [1.5, 2.5]
    assert target([1.5, -999, 2.5], missing="drop", na_values=[-999]).y.tolist() == [1.5, 2.5]
    with pytest.raises(DataError, match="differ too little for float32"):
        target([1e6 + 0.01, 1e6 + 0.02, 1e6 + 0.03])


def test_targets_in_other_notations(in_tmp: Path) -> None:
    texts = ["1.250,5", "980,25", "12.000"]
    data = target(texts, decimal=",", thousands=".")
    assert data.y.tolist() == [1250.5, 980.25, 12000]
    with pytest.raises(DataError, match=r"set dataset\.decimal=comma, or dataset\.task=classes"):
        target(["980,5", "1250,25"])
    with pytest.raises(DataError, match=r"it is a number with dataset\.decimal=comma"):
        target(["980,5", "1250,25"], task="number")
    assert target(["980,5", "1250,25"], task="classes").classes == ("1250,25", "980,5")
    assert target(["1,2", "1,2,3"] * 3).classes == ("1,2", "1,2,3")


def test_a_target_of_dates(in_tmp: Path) -> None:
    days = ["2026-11-28", "2026-11-29", "1970-01-02"]
    assert target(days, dates=["y"]).y.tolist() == [20785, 20786, 1]
    assert target(days, dates=True).y.tolist() == [20785, 20786, 1]
    assert target(days).classes == tuple(sorted(days))
    with pytest.raises(DataError, match=r"it is a date: name the column in dataset\.dates"):
        target(days, task="number")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=30).filter(
        lambda values: np.ptp(values) > 1
    )
)
def test_numbers_are_those_of_pandas(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    """The same from csv, Parquet and npz, as pandas reads them."""
    where = tmp_path_factory.getbasetemp()
    frame = pd.DataFrame({"x": np.arange(len(values), dtype=float), "y": values})
    frame.to_csv(where / "t.csv", index=False)
    frame.to_parquet(where / "t.parquet")
    np.savez(where / "t.npz", X=frame[["x"]].to_numpy(), y=frame["y"].to_numpy())
    wanted = pd.read_csv(where / "t.csv")["y"].to_numpy(np.float32)
    for kind in ("csv", "parquet", "npz"):
        params = {"name": kind, "path": str(where / f"t.{kind}"), "task": "number"}
        params |= {} if kind == "npz" else {"target": "y"}
        data = register.choose("dataset", params).build(0)
        assert data.numeric
        np.testing.assert_array_equal(data.y, wanted)


def test_a_file_of_test_rows_may_have_other_numbers(in_tmp: Path) -> None:
    frame = rents()
    frame[:40].to_csv("rents.csv", index=False)
    frame[40:].to_csv("new.csv", index=False)
    ended = inside(in_tmp, *FILE, "dataset.test_path=new.csv", *SCALED, *QUICK)
    assert ended.code == 0, ended.err
    columns = read_csv(ended.run / "predictions.csv")
    tested = columns["target"][columns["split"] == "test"].astype(np.float32)
    np.testing.assert_array_equal(tested, frame["rent"][40:].to_numpy(np.float32))


# Scaled targets


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-1e5, 1e5, width=32), min_size=2, max_size=40),
    st.lists(st.floats(-10, 10, width=32), max_size=10),
)
def test_the_scale_is_that_of_scikit_learn(values: list[float], other: list[float]) -> None:
    y = np.array(values, np.float32)
    scale = TargetScale.fit(y)
    wanted = StandardScaler().fit(y[:, None].astype(np.float64))
    assert scale.mean == pytest.approx(wanted.mean_[0], abs=1e-9)
    if np.ptp(y) > 1e-3:
        assert scale.scale == pytest.approx(wanted.scale_[0], rel=1e-9)
        z = scale.scaled(y)
        np.testing.assert_allclose(scale.restored(z), y, rtol=1e-5, atol=1e-6 * abs(y).max())
        weights = np.arange(len(y)) % 3 + 1
        counted = StandardScaler().fit(y[:, None].astype(np.float64), sample_weight=weights)
        weighted = TargetScale.fit(y, weights.astype(np.float32))
        assert weighted.mean == pytest.approx(counted.mean_[0], rel=1e-6, abs=1e-6)
        assert weighted.scale == pytest.approx(counted.scale_[0], rel=1e-6)
    assert TargetScale.fit(np.full(3, 7.25, np.float32)) == TargetScale(7.25, 1.0)


def test_scores_are_in_the_units_of_the_target(rented: Path) -> None:
    columns = read_csv(rented / "predictions.csv")
    final = json.loads((rented / "summary.json").read_text())["final"]
    history = read_csv(rented / "metrics.csv")
    for split in ("train", "test"):
        at = columns["split"] == split
        truth, predicted = (columns[n][at].astype(float) for n in ("target", "predicted"))
        wanted = {
            "rmse": root_mean_squared_error(truth, predicted),
            "mae": mean_absolute_error(truth, predicted),
            "r2": r2_score(truth, predicted),
        }
        assert {n: final[f"{split}/{n}"] for n in wanted} == pytest.approx(wanted, rel=1e-6)
        if split == "test":
            last = {name: float(history[f"test/{name}"][-1]) for name in wanted}
            assert last == pytest.approx(wanted, rel=1e-4)
            scale = TargetScale.fit(columns["target"][~at].astype(np.float32))
            assert final["test/loss"] == pytest.approx((wanted["rmse"] / scale.scale) ** 2, 1e-4)
    np.testing.assert_array_equal(
        np.sort(columns["target"].astype(np.float32)), np.sort(rents()["rent"].astype(np.float32))
    )


@pytest.mark.parametrize("kernel", ["", "off"])
def test_it_is_a_run_on_targets_that_were_scaled_before(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same weights, and predictions and errors in other units; by the kernel and by torch."""
    monkeypatch.setenv("EXP_KERNEL", kernel)
    trainer = {"epochs": 40, "early_stopping": 5, "monitor": "test/rmse", "batch_size": 16}
    parts: dict[str, Any] = {"trainer": trainer, "optimizer": {"name": "adam", "lr": 0.05}}
    X = np.random.default_rng(1).normal(size=(50, 2))
    y = (7000 + 900 * X[:, 0] * X[:, 1]).astype(np.float32)
    found = {}
    for scaled in (True, False):
        plan = make_plan(
            dataset="plane", split={"name": "last", "standardize_target": scaled}, **parts
        )
        job = Job.of(make_plan(dataset="plane", split="last", **parts))
        split = plan["split"].build(y, 0)
        scale = TargetScale.fit(y[split.train])
        data = Data.numbers(X, y if scaled else scale.scaled(y))
        prepared = prepared_by(plan["split"], data, split)
        (found[scaled],) = train([Job(plan, prepared, job.loss, job.device)])
    one, other = found[True], found[False]
    assert one.epochs == other.epochs
    assert one.best_epoch == other.best_epoch
    for name, tensor in one.final_state.items():
        assert (tensor == other.final_state[name]).all(), name
    for name in ("test/loss", "test/r2"):
        np.testing.assert_array_equal(one.history[name], other.history[name])
    for name in ("train/rmse", "test/rmse", "test/mae"):
        np.testing.assert_allclose(one.history[name], scale.scale * other.history[name], rtol=1e-6)
    z = one.predictor.logits(X.astype(np.float32))
    wanted = z[:, 0].astype(float) * scale.scale + scale.mean
    np.testing.assert_allclose(one.predictor.labels(z), wanted, rtol=1e-6)


@pytest.mark.parametrize("kernel", ["", "off"])
def test_going_on_is_as_if_nothing_had_happened(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best score so far is in the units of the target, before and after."""
    monkeypatch.setenv("EXP_KERNEL", kernel)
    X = np.random.default_rng(2).normal(size=(40, 2))
    data = Data.numbers(X, 300 + 70 * X[:, 0] * X[:, 1])
    trainer = {"epochs": 30, "monitor": "test/rmse", "min_delta": 0.5, "early_stopping": 8}
    split = {"name": "last", "standardize_target": True}
    plan = make_plan(dataset="plane", split=split, trainer=trainer, optimizer="adam")
    other = Job.of(plan)
    prepared = prepared_by(plan["split"], data, plan["split"].build(data.y, 0))
    run = Job(plan, prepared, other.loss, other.device)
    saved: list[Any] = []

    def keep(training: Training) -> None:
        if training.epoch == 7:
            saved.append(capture(training, 0))

    (wanted,) = train([run], hooks=[BetweenEpochs(keep)])
    (found,) = train([run], start={0: saved[0]})
    assert_same(found, wanted)


def test_a_run_has_the_same_bits_in_a_stack_of_other_units(in_tmp: Path) -> None:
    frame = rents()
    frame.to_csv("rents.csv", index=False)
    words = ("split.standardize=true", "optimizer=adam", *QUICK)
    grid = ("split.standardize_target=true,false", "seed=range(0,2)")
    swept = inside(in_tmp, "-m", *FILE, *words, *grid, "sweep.dir=s", "sweep.n_jobs=1")
    assert swept.code == 0, swept.err
    alone = inside(in_tmp, *FILE, *SCALED, *QUICK, "seed=1", "hydra.run.dir=one")
    assert alone.code == 0, alone.err
    configs = {path: yaml.safe_load((path / "config.yaml").read_text()) for path in runs(Path("s"))}
    (same,) = (
        path
        for path, config in configs.items()
        if config["split"]["standardize_target"] and config["seed"] == 1
    )
    for name in ("metrics.csv", "predictions.csv"):
        assert (same / name).read_bytes() == (in_tmp / "one" / name).read_bytes()
    ended = inside(in_tmp, "results", "s")
    assert ended.out.startswith("test/rmse (lower is better) of 4 runs, 2 groups")


# Everything that is done with such a run


def test_predictions_of_new_rows(rented: Path, tmp_path: Path) -> None:
    columns = read_csv(rented / "predictions.csv")
    ended = inside(tmp_path, "predict", str(rented), str(rented / "predictions.csv"))
    assert ended.out == (rented / "predictions.csv").read_text()
    new = pd.DataFrame({"city": ["Zug", "Genf"], "area": [50, 80]})
    new.to_csv(tmp_path / "new.csv", index=False)
    ended = inside(tmp_path, "predict", str(rented), "new.csv", "--output", "answers.csv")
    assert ended.code == 0, ended.err
    answers = pd.read_csv(tmp_path / "answers.csv")
    assert list(answers.columns) == ["city", "area", "predicted"]
    assert (answers["predicted"] > 800).all()
    run = exp.load(rented)
    np.testing.assert_array_equal(run.predict(new), answers["predicted"].to_numpy(np.float32))
    ended = inside(
        tmp_path, "export", str(rented), "--to", "safetensors", "--output", "rent.safetensors"
    )
    assert ended.code == 0, ended.err
    np.testing.assert_array_equal(
        exp.load(tmp_path / "rent.safetensors").predict(new), run.predict(new)
    )
    frame = pd.DataFrame({"area": columns["area"].astype(float), "city": columns["city"]})
    np.testing.assert_array_equal(run.predict(frame).astype(str), columns["predicted"])


def test_figures_report_and_comparison(rented: Path, tmp_path: Path) -> None:
    drawn = {path.stem for path in (rented / "figures").iterdir()}
    assert {"fit", "data", "learning_curves"} <= drawn
    assert inside(tmp_path, "figures", str(rented), "--draw", "fit", "--force").code in (0, 2)
    assert inside(tmp_path, "report", str(rented), "--output", "page.html").code == 0
    again = inside(rented.parent, "rerun", str(rented))
    assert again.out.splitlines()[-1] == "bit-identical", again.err
    other = next(path for path in runs(rented.parent) if path != rented)
    assert inside(tmp_path, "compare", str(rented), str(other)).code == 0
    log = (rented / "exp.log").read_text()
    assert "column 'rent' (the target) is taken for a number" in log
    assert "split.standardize_target" not in log


def test_exported_models_predict_in_the_units_of_the_target(in_tmp: Path) -> None:
    rents()[["area", "rent"]].to_csv("rents.csv", index=False)
    ended = inside(in_tmp, *FILE, *SCALED, *QUICK, "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    X = rents()[["area"]].to_numpy(np.float32)
    wanted = exp.load("run").predict(X)
    for form, name in (("torchscript", "m.pt"), ("state_dict", "m.safetensors")):
        ended = inside(in_tmp, "export", "run", "--to", form, "--output", name)
        assert ended.code == 0, ended.err
        scope: dict[str, Any] = {"X": X}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            exec(ended.out[ended.out.index("# X [rows") :], scope)
        found = scope["predictions"].numpy()[:, 0]
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_folds_of_numbers_need_no_setting(in_tmp: Path) -> None:
    rents().to_csv("rents.csv", index=False)
    ended = inside(in_tmp, *FILE, *SCALED, *QUICK, "split=kfold", "seed=2")
    assert ended.code == 0, ended.err
    refused = inside(in_tmp, *FILE, *QUICK, "split=kfold", "split.stratify=true")
    assert (refused.code, "set split.stratify=false" in refused.err) == (2, True)
    y = np.repeat([0, 1, 2], 20)
    auto, stratified = (
        register.choose("split", {"name": "kfold", "stratify": how}).build(y, 3)
        for how in ("auto", True)
    )
    assert auto.digest == stratified.digest
    numbers = y.astype(np.float32)
    auto, plain = (
        register.choose("split", {"name": "kfold", "stratify": how}).build(numbers, 3)
        for how in ("auto", False)
    )
    assert auto.digest == plain.digest


def test_large_targets_are_pointed_out(in_tmp: Path) -> None:
    rents().to_csv("rents.csv", index=False)
    ended = inside(in_tmp, *FILE, *QUICK)
    assert "Use split.standardize_target=true" in ended.out
    refused = inside(in_tmp, "dataset=moons", "split.standardize_target=true", *QUICK)
    assert (refused.code, "for a target that is a number" in refused.err) == (2, True)

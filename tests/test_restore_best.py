"""`trainer.restore_best`, `trainer.monitor` with any score, and metrics of one's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchmetrics.classification
import yaml
from sklearn import metrics

from commands import Ended, inside, read_csv, runs
from conftest import make_plan
from exp.components.schedulers.plateau import Plateau
from exp.config.plan import plan
from exp.engine import Job, Result, train
from exp.registry.registry import register
from exp.runs.directory import RunDirectory
from exp.runs.record import RunRecord
from hooks import broken_off

OVERFIT = (
    "dataset.n_samples=120", "dataset.noise=0.4", "split.validation=0.3", "model.hidden=[32,32]",
    "optimizer=adam", "optimizer.lr=0.03", "trainer.print_every=null", "figures=none",
)  # fmt: skip
STOPPED = ("trainer.epochs=300", "trainer.early_stopping=10")


def summary(where: Path | Ended) -> dict[str, Any]:
    if isinstance(where, Ended):
        assert where.code == 0, where.err
        where = where.run
    found: dict[str, Any] = json.loads((where / "summary.json").read_text())
    return found


def cross_entropy(run: Path, split: str) -> float:
    """From predictions.csv."""
    table = read_csv(run / "predictions.csv")
    some = table["split"] == split
    own = np.where(
        table["label"][some] == "1", table["probability:1"][some], table["probability:0"][some]
    )
    return float(-np.log(own.astype(float)).mean())


def test_early_stopping_reports_the_best_epoch(in_tmp: Path) -> None:
    ended = inside(in_tmp, *OVERFIT, *STOPPED)
    found = summary(ended)
    epoch, best = found["best"]["epoch"], found["best"]["validation/loss"]
    history = read_csv(ended.run / "metrics.csv")
    losses = history["validation/loss"].astype(float)
    assert epoch == int(losses.argmin())
    assert found["status"] == "stopped"
    assert found["epochs"] == epoch + 11
    assert found["weights"] == "best"
    # The score, the answers in predictions.csv and the row of that epoch say the same.
    assert found["final"]["validation/loss"] == pytest.approx(losses.min(), rel=1e-5)
    assert best == pytest.approx(losses.min(), rel=1e-6)
    assert cross_entropy(ended.run, "validation") == pytest.approx(losses.min(), rel=1e-5)
    assert f"weights: after epoch {epoch}, the best by validation/loss" in ended.out


def test_without_it_the_last_weights_are_the_result(in_tmp: Path) -> None:
    losses = {}
    for name, words in (("last", ("trainer.restore_best=false",)), ("best", ())):
        (in_tmp / name).mkdir()
        ended = inside(in_tmp / name, *OVERFIT, *STOPPED, *words)
        found = summary(ended)
        losses[name] = found["final"]["validation/loss"]
        assert found["weights"] == name
        last = float(read_csv(ended.run / "metrics.csv")["validation/loss"][-1])
        assert (losses[name] == pytest.approx(last, rel=1e-5)) == (name == "last")
    assert losses["best"] < losses["last"]


def test_it_needs_no_early_stopping(in_tmp: Path) -> None:
    words = ("trainer.epochs=60", "trainer.restore_best=true")
    found = summary(inside(in_tmp, *OVERFIT, *words))
    assert (found["weights"], found["status"]) == ("best", "done")
    assert found["final"]["validation/loss"] == pytest.approx(
        found["best"]["validation/loss"], rel=1e-5
    )


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated")
def test_predict_export_and_load_take_the_weights_that_the_scores_are_of(in_tmp: Path) -> None:
    import exp

    ended = inside(in_tmp, *OVERFIT, *STOPPED)
    run: Any = exp.load(ended.run)
    table = run.arrays("predictions")
    X = np.column_stack([table["x1"], table["x2"]])
    told = np.column_stack([table["probability:0"], table["probability:1"]]).astype(np.float32)
    assert np.array_equal(run.predict_proba(X), told)
    assert np.array_equal(run.predict_proba(X, checkpoint="best"), told)
    assert not np.allclose(run.predict_proba(X, checkpoint="last"), told)
    with (in_tmp / "rows.csv").open("w") as file:
        file.write("x1,x2\n" + "\n".join(f"{a},{b}" for a, b in X) + "\n")
    answered = inside(in_tmp, "predict", str(ended.run), "rows.csv", "--output", "said.csv")
    assert answered.code == 0, answered.err
    said = read_csv(in_tmp / "said.csv")["probability:1"].astype(np.float32)
    assert np.array_equal(said, told[:, 1])
    out = in_tmp / "model.pt"
    answered = inside(in_tmp, "export", str(ended.run), "--to", "torchscript", "--output", str(out))
    assert answered.code == 0, answered.err
    model = torch.jit.load(str(out))  # type: ignore[no-untyped-call]
    with torch.no_grad():
        given = model(torch.from_numpy(X.astype(np.float32))).numpy()
    np.testing.assert_allclose(given, told, atol=1e-6)


def test_resume_and_rerun_come_to_the_same(in_tmp: Path) -> None:
    whole = inside(in_tmp, *OVERFIT, *STOPPED, "hydra.run.dir=whole")
    assert whole.code == 0, whole.err
    half = (*OVERFIT, *STOPPED, "trainer.checkpoint_every=5")
    with broken_off(7):
        inside(in_tmp, *half, "hydra.run.dir=half")
    assert not (in_tmp / "half/summary.json").exists()
    resumed = inside(in_tmp, "resume", "half")
    assert resumed.code == 0, resumed.err
    for name in ("summary.json", "metrics.csv", "predictions.csv"):
        assert (in_tmp / "half" / name).read_bytes() == (in_tmp / "whole" / name).read_bytes()
    again = inside(in_tmp, "rerun", "whole")
    assert again.code == 0, again.out + again.err


SCORES = ("validation/f1", "train/auroc", "test/log_loss", "validation/accuracy", "train/mcc")


def jobs_of(monitor: str, count: int, **trainer: Any) -> list[Job]:
    plans = [
        make_plan(
            seed=seed,
            dataset={"n_samples": 80, "noise": 0.4},
            split={"validation": 0.25},
            optimizer={"name": "adam", "lr": 0.03},
            trainer={"epochs": 40, "early_stopping": 8, "monitor": monitor, **trainer},
        )
        for seed in range(count)
    ]
    return [Job.of(plan, keep=False) for plan in plans]


def same(one: Result, other: Result) -> bool:
    return (
        one.best_epoch == other.best_epoch
        and one.epochs == other.epochs
        and all(np.array_equal(c, other.history[n], equal_nan=True) for n, c in one.history.items())
        and all(torch.equal(t, other.final_state[n]) for n, t in one.final_state.items())
    )


@pytest.mark.parametrize("monitor", SCORES)
def test_any_score_is_followed_in_its_direction_and_with_the_same_bits(monitor: str) -> None:
    jobs = jobs_of(monitor, 5)
    together = train(jobs)
    for job, result in zip(jobs, together, strict=True):
        values = result.history[monitor]
        best = np.nanmin(values) if monitor.endswith("loss") else np.nanmax(values)
        assert result.best_epoch == int(np.flatnonzero(values == best)[0])
        assert same(train([job])[0], result)


@pytest.mark.parametrize("monitor", ["validation/f1", "test/average_precision", "train/brier"])
def test_a_monitored_score_is_that_of_scikit_learn(monitor: str) -> None:
    (result,) = train(jobs_of(monitor, 1, epochs=9, restore_best=False))
    split, _, name = monitor.partition("/")
    rows = result.job.data.split.parts[split]
    z = result.predictor.logits(result.job.data.X[rows])
    chances, said = result.predictor.probabilities(z)[:, 1], result.predictor.labels(z)
    truth = result.job.data.y[rows]
    wanted = {
        "f1": lambda: metrics.f1_score(truth, said),
        "average_precision": lambda: metrics.average_precision_score(truth, chances),
        "brier": lambda: metrics.brier_score_loss(truth, chances),
    }[name]()
    assert result.history[monitor][-1] == pytest.approx(wanted, rel=1e-5)


def test_what_is_monitored_changes_no_other_number() -> None:
    (plain,) = train(jobs_of("validation/loss", 1, early_stopping=None))
    (other,) = train(jobs_of("validation/f1", 1, early_stopping=None))
    for name, column in plain.history.items():
        assert np.array_equal(column, other.history[name]), name
    assert list(other.history) == [*plain.history, "validation/f1"]


def test_a_score_without_a_split_is_that_of_the_validation_rows() -> None:
    assert make_plan(trainer={"monitor": "f1"}).monitor == "train/f1"
    held = make_plan(trainer={"monitor": "f1"}, split={"validation": 0.2})
    assert held.monitor == "validation/f1"


@pytest.mark.parametrize("mode", ["rel", "abs"])
@pytest.mark.parametrize("higher", [True, False])
def test_plateau_follows_a_score_as_pytorch_does(mode: str, higher: bool) -> None:
    values = [0.5, 0.6, 0.6, 0.55, 0.6001, 0.61, 0.3, 0.2, 0.2, 0.2, 0.9, 0.9, 0.9]
    rule = Plateau(patience=1, threshold=0.01, threshold_mode=mode)  # type: ignore[arg-type]
    rule.higher_is_better = higher
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max" if higher else "min", patience=1, threshold=0.01, threshold_mode=mode  # type: ignore[arg-type]
    )  # fmt: skip
    for value in values:
        rule.observe(value)
        theirs.step(value)
        now: Any = None
        assert rule.rate(1.0, now) == pytest.approx(optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (
            ("trainer.monitor=validation/aurox", "split.validation=0.2"),
            "Did you mean 'validation/auroc'?",
        ),
        (("trainer.monitor=val_loss",), "unknown score 'val_loss'"),
        (("trainer.monitor=validation/f1",), "validation/f1 needs validation rows"),
        (("trainer.monitor=test/f1", "split.test=0"), "test/f1 needs test rows"),
        (("trainer.monitor=train/rmse",), "rmse is not measured on these data"),
        (("trainer.monitor=f1", "dataset=line"), "f1 is not measured on these data"),
        (("trainer.prune={train/aurox:[[1,1.0]]}",), "Did you mean 'train/auroc'?"),
        (("trainer.prune={train/f1:[[1,1.0]]}",), "train/f1 is not measured here"),
    ],
)
def test_a_score_that_is_not_there_is_one_fault(
    in_tmp: Path, words: tuple[str, ...], near: str
) -> None:
    ended = inside(in_tmp, "figures=none", "trainer.epochs=1", *words)
    assert ended.code == 2, ended.out
    assert "1 fault" in ended.err
    assert near in ended.err
    assert not runs(in_tmp)


def test_a_score_that_is_never_defined_leaves_the_last_weights(in_tmp: Path) -> None:
    lines = [f"{(-1) ** i + 0.01 * i},{'ab'[i % 2]}" for i in range(20)]
    (in_tmp / "rows.csv").write_text("\n".join(["u,kind", *lines]) + "\n")
    (in_tmp / "test.csv").write_text("u,kind\n1,a\n1.1,a\n")
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "figures=none")
    more = ("dataset.test_path=test.csv", "trainer.monitor=test/auroc", "trainer.epochs=12")
    ended = inside(in_tmp, *words, *more, "trainer.early_stopping=20")
    found = summary(ended)
    last = float(read_csv(ended.run / "metrics.csv")["test/loss"][-1])
    assert found["final"]["test/loss"] == pytest.approx(last, rel=1e-5)
    assert found["best"]["epoch"] == 11


def test_results_know_the_best_epoch(in_tmp: Path) -> None:
    words = ("trainer.epochs=40", "seed=0,1", "optimizer.lr=0.01,0.1")
    assert inside(in_tmp, "-m", *OVERFIT, *words).code == 0
    told = inside(in_tmp, "results", ".", "--metric", "best/accuracy", "--json", "-")
    found = json.loads(told.out)
    assert (found["metric"], found["higher_is_better"]) == ("best/validation/accuracy", True)
    means = {group["values"]["optimizer.lr"]: group["mean"] for group in found["groups"]}
    for rate, mean in means.items():
        values = [
            summary(run)["best"]["validation/accuracy"]
            for run in runs(in_tmp)
            if f"lr: {rate}\n" in (run / "config.yaml").read_text()
        ]
        assert mean == pytest.approx(np.mean(values))
    near = inside(in_tmp, "results", ".", "--metric", "best/acuracy")
    assert "best/validation/accuracy" in near.err


@pytest.fixture
def own() -> Iterator[None]:
    """Metrics of every kind that can be registered."""

    @register.metric("cost", higher_is_better=False)
    def cost(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        """Ten for each row of the positive class that is missed, one for a false alarm."""
        missed = (y_true == 1) & (y_pred == 0)
        return float(10 * missed.sum() + ((y_true == 0) & (y_pred == 1)).sum())

    register.metric("jaccard")(metrics.jaccard_score)
    register.metric("f2", higher_is_better=True)(partial(metrics.fbeta_score, beta=2))
    register.metric("surprise")(metrics.log_loss)
    register.metric("area")(metrics.roc_auc_score)
    register.metric("torch_f1")(torchmetrics.classification.BinaryF1Score)
    specificity = torchmetrics.classification.BinarySpecificity
    register.metric("specificity", higher_is_better=True)(specificity)
    register.metric("whole", higher_is_better=True)(torchmetrics.Accuracy)
    register.metric("mape")(metrics.mean_absolute_percentage_error)
    yield
    register.kinds["metric"].components.clear()


def test_metrics_of_ones_own_stand_in_every_place(own: None, in_tmp: Path) -> None:
    ended = inside(in_tmp, *OVERFIT, "trainer.epochs=5")
    found = summary(ended)
    final = found["final"]
    table = read_csv(ended.run / "predictions.csv")
    for split in ("train", "validation", "test"):
        some = table["split"] == split
        truth, said = (table[name][some].astype(int) for name in ("label", "predicted"))
        chance = table["probability:1"][some].astype(np.float32)
        missed = ((truth == 1) & (said == 0)).sum()
        wanted = {
            "cost": 10 * missed + ((truth == 0) & (said == 1)).sum(),
            "jaccard": metrics.jaccard_score(truth, said),
            "f2": metrics.fbeta_score(truth, said, beta=2),
            "surprise": metrics.log_loss(truth, chance),
            "area": metrics.roc_auc_score(truth, chance),
            "torch_f1": metrics.f1_score(truth, said),
            "specificity": metrics.recall_score(truth, said, pos_label=0),
            "whole": metrics.accuracy_score(truth, said),
        }
        told = {name: final[f"{split}/{name}"] for name in wanted}
        assert told == pytest.approx(wanted, rel=1e-5), split
    assert not any(name.endswith("/mape") for name in final)  # it is for numbers
    assert found["metrics"]["cost"] == {"higher_is_better": False}
    assert found["metrics"]["surprise"] == {"higher_is_better": False}
    assert found["metrics"]["torch_f1"] == {"higher_is_better": True}
    assert "cost " in ended.out
    assert "train/cost" not in read_csv(ended.run / "metrics.csv")
    told = inside(in_tmp, "results", ".", "--metric", "cost")
    assert told.out.startswith("validation/cost (lower is better)")
    listed = inside(in_tmp, "list", "metric").out
    assert "Ten for each row of the positive class that is missed" in listed


def test_a_metric_of_ones_own_is_monitored(own: None, in_tmp: Path) -> None:
    jobs = jobs_of("validation/cost", 3)
    for job, result in zip(jobs, train(jobs), strict=True):
        assert result.best_epoch == int(result.history["validation/cost"].argmin())
        assert same(train([job])[0], result)
    words = ("trainer.monitor=test/f2", "trainer.epochs=3")
    ended = inside(in_tmp, *OVERFIT, *words)
    assert summary(ended)["best"]["monitor"] == "test/f2"
    assert "test/f2" in read_csv(ended.run / "metrics.csv")


def test_one_of_numbers_is_of_numbers(own: None, in_tmp: Path) -> None:
    words = ("dataset=line", "trainer.monitor=test/mape", "trainer.restore_best=true")
    ended = inside(in_tmp, "figures=none", "trainer.epochs=5", *words)
    table = read_csv(ended.run / "predictions.csv")
    some = table["split"] == "test"
    truth, said = (table[name][some].astype(float) for name in ("target", "predicted"))
    wanted = metrics.mean_absolute_percentage_error(truth, said)
    assert summary(ended)["final"]["test/mape"] == pytest.approx(wanted, rel=1e-4)
    assert "test/cost" not in summary(ended)["final"]


@pytest.mark.parametrize("name", ["f1", "a/b", "", "confusion"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="this name is in use or not allowed"):
        register.metric(name, higher_is_better=True)(metrics.jaccard_score)


def test_a_direction_that_is_not_known_is_asked_for() -> None:
    with pytest.raises(ValueError, match="set whether higher values are better"):
        register.metric("unknown")(lambda y_true, y_pred: 0.0)


def test_a_metric_that_fails_fails_the_run(in_tmp: Path) -> None:
    @register.metric("broken", higher_is_better=True)
    def broken(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return 1 / int((y_true < 0).sum())

    try:
        ended = inside(in_tmp, *OVERFIT, "trainer.epochs=1")
    finally:
        register.kinds["metric"].components.clear()
    assert ended.code == 1
    assert "metric broken raised ZeroDivisionError: division by zero" in ended.err + ended.out
    assert "return 1 / int((y_true < 0).sum())" in ended.err + ended.out
    assert json.loads((ended.run / "run.json").read_text())["status"] == "failed"


def test_maps_of_reports_are_those_of_the_best_epoch(in_tmp: Path) -> None:
    import exp

    words = [word for word in OVERFIT if word != "figures=none"]
    ended = inside(in_tmp, *words, *STOPPED, "figures.draw=[data]")
    epoch = summary(ended)["best"]["epoch"]
    record = RunRecord(ended.run)
    frames = record.frames_of_result()
    assert frames.epochs[-1] == epoch
    assert record.frames().epochs[-1] == summary(ended)["epochs"] - 1
    points = np.stack(np.meshgrid(frames.xs, frames.ys), axis=-1).reshape(-1, 2)
    run: Any = exp.load(ended.run)
    chances = run.predict_proba(points)[:, 1].reshape(len(frames.ys), len(frames.xs))
    apart = np.abs(frames.probabilities[-1, 0] / 255 - chances)
    assert apart.max() <= 0.51 / 255


def test_a_run_of_an_earlier_version_has_its_last_weights(in_tmp: Path) -> None:
    """Its config and summary.json do not know the key; its scores were those of the end."""
    import exp

    ended = inside(in_tmp, *OVERFIT, *STOPPED, "trainer.restore_best=false")
    content = summary(ended)
    del content["weights"]
    config = (ended.run / "config.yaml").read_text().replace("  restore_best: false\n", "")
    record = json.loads((ended.run / "run.json").read_text())
    plain = yaml.safe_load(config)
    job = Job.of(plan({**plain, "trainer": {**plain["trainer"], "restore_best": False}}))
    record["signature"] = job.signature_of(plain)
    (ended.run / "summary.json").write_text(json.dumps(content))
    (ended.run / "config.yaml").write_text(config)
    for name in ("summary.json", "config.yaml"):
        digest = hashlib.sha256((ended.run / name).read_bytes()).hexdigest()
        record["digests"][name] = digest
    record.pop("sha256")
    RunDirectory(ended.run).write_record(record)
    run: Any = exp.load(ended.run)
    table = run.arrays("predictions")
    X = np.column_stack([table["x1"], table["x2"]])
    told = table["probability:1"].astype(np.float32)
    assert np.array_equal(run.predict_proba(X)[:, 1], told)

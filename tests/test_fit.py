"""`exp fit`: from one table to an ensemble in an ordinary run directory."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_iris

from commands import inside
from exp.cli.rerun import rerun
from exp.fitting import FitSettings, fit
from exp.fitting.portfolio import Shape, portfolio
from exp.fitting.selection import calibrate, scorer, tempered
from exp.fitting.training import outputs_of
from exp.runs.record import RunRecord
from exp.runs.trained.predictor import Trained
from exp.util import command_line
from exp.util.errors import ConfigError


@pytest.fixture(autouse=True)
def _as_from_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "python", True)


def people(path: Path, rows: int = 160, *, noise: float = 0.3) -> Path:
    """A table with texts, gaps and a class that depends on two of its columns."""
    random = np.random.default_rng(0)
    age = random.uniform(20, 80, rows).round(1)
    city = random.choice(["Bern", "Graz", "Lyon"], rows)
    score = (age - 50) / 15 + (city == "Graz") + random.normal(0, noise, rows)
    ill = np.where(score > 0.3, "yes", "no")
    frame = pd.DataFrame({"age": age, "city": city, "height": random.normal(170, 9, rows).round(),
                          "ill": ill})  # fmt: skip
    frame.loc[random.random(rows) < 0.1, "height"] = np.nan
    frame.to_csv(path, index=False)
    return path


def test_a_fit_is_an_ordinary_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = people(Path("people.csv"))
    seen: list[tuple[int, int, float | None, float]] = []
    directory = fit(
        FitSettings(path=str(path), target="ill", candidates=6, budget=600, workers=1),
        lambda *values: seen.append(values),
    )
    run = RunRecord.at(directory)
    run.check()
    assert run.status == "done"
    final = run.summary()["final"]
    assert final["test/accuracy"] > 0.75
    assert {"train/log_loss", "validation/log_loss", "test/log_loss"} <= final.keys()
    model = yaml.safe_load((directory / "config.yaml").read_text())["model"]
    assert model["name"] == "ensemble"
    assert sum(member["weight"] for member in model["members"]) == pytest.approx(1, abs=1e-4)
    with (directory / "candidates.csv").open() as file:
        candidates = list(csv.DictReader(file))
    assert len(candidates) == 6
    assert sum(float(row["weight"]) for row in candidates) == pytest.approx(1)
    assert seen[-1][:2] == (6, 6)
    # The model answers as predictions.csv says.
    trained = Trained.of(run, trust=False)
    frame = pd.read_csv(path)
    found = run.predictions()
    tested = found.split == "test"
    answers = trained.predict_proba(frame.drop(columns="ill").iloc[found.row[tested]])
    np.testing.assert_array_equal(answers, found.probabilities[tested].astype(np.float32))


def test_validation_scores_are_out_of_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On noise, the training rows look better than chance and the validation rows do not."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(200, 5)), columns=list("abcde"))
    frame["y"] = random.permutation(["u", "v"] * 100)
    frame.to_csv("noise.csv", index=False)
    directory = fit(FitSettings(path="noise.csv", target="y", candidates=6, budget=600, workers=1))
    final = json.loads((directory / "summary.json").read_text())["final"]
    assert final["validation/log_loss"] < 0.72
    assert final["test/log_loss"] == pytest.approx(np.log(2), abs=0.08)
    assert abs(final["validation/accuracy"] - 0.5) < 0.12


def test_a_number_as_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(200, 3)), columns=list("abc"))
    frame["price"] = 5_000 + 900 * frame["a"] + 100 * random.normal(size=200)
    frame.to_csv("prices.csv", index=False)
    directory = fit(
        FitSettings(path="prices.csv", target="price", candidates=4, budget=600, workers=1)
    )
    run = RunRecord.at(directory)
    final = run.summary()["final"]
    assert final["test/r2"] > 0.9
    # In the units of the target, and out of fold.
    found = run.predictions()
    validated = found.split == "validation"
    apart = found.predicted[validated] - found.truth[validated]
    assert np.sqrt(np.square(apart).mean()) == pytest.approx(final["validation/rmse"], rel=1e-4)
    assert 80 < final["validation/rmse"] < 400


def test_a_fit_is_repeated_without_a_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = people(Path("people.csv"), 80)
    directory = fit(FitSettings(path=str(path), target="ill", candidates=5, budget=600, workers=1))
    assert rerun(RunRecord.at(directory), [], Path("again")) == "bit-identical"
    one, other = (RunRecord.at(Path(each)).record for each in (directory, "again"))
    assert one["fit"] == other["fit"]
    with pytest.raises(ConfigError, match="exp fit"):
        rerun(RunRecord.at(directory), ["seed=3"], Path("third"))


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGKILL, "crashed"), (signal.SIGTERM, "interrupted")]
)
def test_a_fit_that_was_ended_says_so(tmp_path: Path, number: int, status: str) -> None:
    people(tmp_path / "people.csv", 400)
    words = ["fit", "people.csv", "--target", "ill", "--budget", "300s", "--output", "made"]
    with subprocess.Popen(
        [sys.executable, "-m", "exp", *words], cwd=tmp_path, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        end = time.monotonic() + 120
        while not (tmp_path / "made" / "run.json").exists():
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(120) != 0
    run = RunRecord.tolerant(tmp_path / "made")
    assert run.status == status
    assert run.record["fit"]["settings"]["target"] == "ill"
    resumed = inside(tmp_path, "resume", "made")
    assert resumed.code == 2
    assert "exp fit people.csv --target ill" in resumed.err


def test_an_ensemble_is_not_trained_as_a_whole(tmp_path: Path) -> None:
    refused = inside(tmp_path, "model=ensemble")
    assert refused.code == 2
    assert refused.err.split()[-2:] == ["linear,", "mlp"]
    # It is no option, but a file of one's own can name it.
    folder = tmp_path / "conf/model"
    folder.mkdir(parents=True)
    member = "{network: {name: linear}, outputs: 1, weight: 1}"
    (folder / "one.yaml").write_text(
        f"name: ensemble\nmaps: [{{name: none}}]\nmembers: [{member}]\n"
    )
    ended = inside(tmp_path, "model=one")
    assert ended.code == 2
    assert "exp fit" in ended.err
    member = "{network: {name: linaer}, outputs: 1, weight: -1}"
    (folder / "two.yaml").write_text(f"name: ensemble\nmaps: [{{name: no}}]\nmembers: [{member}]\n")
    wrong = inside(tmp_path, "model=two")
    assert wrong.code == 2
    assert {"model.maps.0.name", "model.members.0.weight"} <= set(wrong.err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["conf"]


def test_the_same_settings_give_the_same_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    load_iris(as_frame=True).frame.to_csv("iris.csv", index=False)
    made = [
        fit(FitSettings(path="iris.csv", target="target", candidates=4, budget=900, workers=n))
        for n in (1, 2)
    ]
    one, other = (RunRecord.at(each).predictions() for each in made)
    np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_rows_that_are_all_predicted_correctly_are_no_certainty() -> None:
    """Of 200 rows without an error follows an error in about 200, not in 100,000."""
    truth = np.arange(200) % 3
    right = np.eye(3)[truth]
    certain, careful = (right * (1 - 3 * e) + e for e in (1e-6, 2e-3))
    measure = scorer("log_loss", truth, None)
    assert measure(careful) < measure(certain)
    shares = tempered(certain, calibrate(certain, truth, seed=0))
    assert 1 - shares.max(axis=1).mean() == pytest.approx(1 / 202, rel=0.1)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_every_candidate_has_the_outputs_of_its_target(classes: int) -> None:
    candidates = portfolio(Shape(rows=500, columns=9, numbers=6, classes=classes), 256, seed=0)
    losses = {each.loss["name"] for each in candidates}
    assert losses == ({"auto", "cross_entropy"} if classes else {"auto", "l1"})
    for each in candidates:
        # Two classes have one logit, but two with smoothed labels.
        two = classes == 2 and each.loss["name"] == "cross_entropy"
        assert outputs_of(each, classes) == (2 if two else 3 if classes == 3 else 1)

"""Permutation importance, intervals of scores, and the drawings that `exp fit` adds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score

import exp
from exp.fitting.closing import closing
from exp.fitting.permutation import answers_of, importances
from exp.fitting.scored_rows import Answers, baseline, computable, interval
from exp.plotting import columns, importance, layout
from exp.plotting.columns import Column
from exp.plotting.style import settings

ROWS = 300


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of three columns: one matters, one matters a little, one does not."""
    random = np.random.default_rng(0)
    city = random.choice(["Basel", "Bern", "Zug"], ROWS)
    size, noise = random.normal(size=(2, ROWS))
    size[:20] = np.nan
    label = np.where(np.nan_to_num(size) + 0.6 * (city == "Zug") > 0.2, "yes", "no")
    where = tmp_path_factory.mktemp("importance")
    path = where / "rows.csv"
    pd.DataFrame({"size": size, "city": city, "noise": noise, "y": label}).to_csv(path, index=False)
    run = exp.run(
        ["dataset=csv", f"dataset.path={path}", "dataset.target=y", "dataset.missing=impute",
         "split.standardize=true", "split.test=0.4", "model=linear", "optimizer=adam",
         "optimizer.lr=0.05", "trainer.epochs=30", "figures=none", f"hydra.run.dir={where}/run"]
    )  # fmt: skip
    return run.predictor


class Model:
    """The model as scikit-learn has one, over the columns of the table."""

    def __init__(self, trained: Any) -> None:
        self.trained = trained

    def fit(self, X: Any, y: Any) -> Model:
        return self

    def answers(self, X: Any, y: Any) -> Answers:
        return answers_of(self.trained, np.ascontiguousarray(X), np.asarray(y))


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_importance_is_that_of_scikit_learn(trained: Any, metric: str) -> None:
    prepared = trained.job.data
    data, rows = prepared.data, prepared.split.test

    def score(model: Model, X: Any, y: Any) -> float:
        found = model.answers(X, y)
        if metric == "accuracy":
            return float(accuracy_score(y, found.predicted))
        chances = found.chances.astype(np.float64)
        return -float(log_loss(y, chances / chances.sum(axis=1, keepdims=True)))

    wanted = permutation_importance(
        Model(trained), data.X[rows], data.y[rows], scoring=score, n_repeats=50, random_state=0
    )
    found = {each.column: each for each in importances(trained, rows, metric)}
    assert next(iter(found)) == "size"  # the greatest first
    for at, name in enumerate(data.features):
        spread = wanted.importances_std[at]
        assert found[name].repeats == 10
        assert abs(found[name].mean - wanted.importances_mean[at]) <= 4 * spread / 10**0.5 + 1e-6
        assert found[name].low <= wanted.importances_mean[at] <= found[name].high
    assert found["size"].low > 0
    assert abs(found["noise"].mean) < 0.2 * found["size"].mean


def of_classes(rows: int = 80) -> Answers:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, rows)
    chance = np.clip(0.25 + 0.5 * truth + random.normal(0, 0.2, rows), 0.01, 0.99)
    return Answers(truth, (chance > 0.5).astype(np.int64), np.column_stack([1 - chance, chance]), 1)


def test_scores_and_the_baseline_are_those_of_scikit_learn() -> None:
    answers = of_classes()
    assert answers.score("accuracy") == accuracy_score(answers.truth, answers.predicted)
    assert answers.score("auroc") == pytest.approx(
        roc_auc_score(answers.truth, answers.chances[:, 1])
    )
    train = np.array([0, 0, 0, 1])
    simple = baseline(train, answers)
    assert simple.score("accuracy") == np.mean(answers.truth == 0)
    shares = np.tile([0.75, 0.25], (len(answers.truth), 1))
    assert simple.score("log_loss") == pytest.approx(log_loss(answers.truth, shares))
    numbers = Answers(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.5, 3.0]), np.zeros((3, 0)))
    assert numbers.score("r2") == pytest.approx(r2_score(numbers.truth, numbers.predicted))
    mean = baseline(np.array([2.0, 4.0]), numbers)
    assert mean.score("mae") == pytest.approx(np.mean([2.0, 1.0, 1.0]))


def test_intervals_contain_the_score_of_many_rows_about_as_often_as_they_say() -> None:
    truth = of_classes(200_000)
    wanted = truth.score("brier")
    assert wanted is not None
    random = np.random.default_rng(2)
    hits = 0
    for number in range(40):
        rows = random.integers(0, len(truth.truth), 100)
        some = Answers(truth.truth[rows], truth.predicted[rows], truth.chances[rows], 1)
        ends = interval(some, "brier", seed=number)
        assert ends is not None
        hits += ends[0] <= wanted <= ends[1]
    assert 33 <= hits <= 40


def test_intervals_of_groups_and_of_perfect_scores() -> None:
    answers = of_classes()
    groups = np.repeat(np.arange(8), 10)
    whole = Answers(*(np.repeat(part[:8], 10, axis=0) for part in
                      (answers.truth, answers.predicted, answers.chances)), 1)  # fmt: skip
    alone, together = interval(whole, "log_loss"), interval(whole, "log_loss", groups)
    assert alone is not None
    assert together is not None
    # Ten equal rows of each group tell no more than one.
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])
    right = Answers(answers.truth, answers.truth, np.eye(2)[answers.truth], 1)
    found = interval(right, "accuracy")
    assert found is not None
    assert found[0] < 0.96
    assert interval(right, "auroc") is None


def test_which_score_is_used() -> None:
    assert computable("f1", numeric=False) == "f1"
    assert computable("loss", numeric=False) == "log_loss"
    assert computable(None, numeric=False) == "log_loss"
    assert computable(None, numeric=True) == "rmse"


def test_the_closing_lines() -> None:
    answers = of_classes()
    lines = closing({"validation": answers, "test": answers}, np.array([0, 1, 1]), "log_loss", [])
    assert lines[0].split() == [
        *("validation", "test", "95", "%", "interval", "always", "the", "most", "frequent", "class")
    ]
    assert lines[1].split()[0] == "log_loss"
    assert "80 test rows took no part in training" in lines[-1]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("numeric", [False, True])
def test_drawings(theme: str, numeric: bool) -> None:
    random = np.random.default_rng(3)
    values = random.lognormal(0, 3, 90)
    values[:9] = np.nan
    shown = [
        Column("number", values),
        Column("day", random.integers(19_000, 19_500, 90).astype(float), date=True),
        Column("city", random.integers(0, 9, 90).astype(float), tuple("ABCDEFGHI")),
        Column("none", np.full(90, np.nan)),
        Column("always", np.ones(90)),
        Column("$odd\n\x1b", np.where(values > 1, 1.0, np.nan), ("x", "y")),
        *[Column(f"more {n}", random.normal(size=90)) for n in range(9)],
    ]
    classes = random.integers(0, 9, 90).astype(float)
    target = Column("y", classes, tuple("abcdefghi"))
    if numeric:
        target = Column("y", random.normal(size=90))
    with settings(theme) as colours:
        figure = columns.draw(target, shown, colours)
        assert len(figure.axes) == columns.MOST
        assert "4 less important columns are not shown" in figure.texts[-1].get_text()
        one, two = (layout.encode(figure, "png", dpi=40) for _ in range(2))
        assert one == two
        names = [column.name for column in shown]
        few = np.linspace(0.3, -0.01, len(names)).tolist()
        drawn = importance.draw(names, few, few, few, "fall of accuracy", "note", colours)
        assert len(layout.encode(drawn, "png", dpi=40)) > 1000


def test_bars_count_the_rows_of_each_class() -> None:
    target = Column("y", np.array([0.0, 1, 1, 0, 1]), ("no", "yes"))
    city = Column("city", np.array([0.0, 0, 1, np.nan, 1]), ("A", "B"))
    figure = columns.draw(target, [city])
    widths = [[bar.get_width() for bar in axes.patches] for axes in figure.axes]
    assert widths[0] == [3.0, 0.0, 0.0, 2.0]  # the most frequent class first
    assert widths[1] == [1.0, 2.0, 1.0, 0.0]

"""`exp.Classifier`: a scikit-learn estimator in all its ways, and the runs of the engine."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import exp
from exp.api.estimator_parameters import KEYS
from exp.engine.prepare import prepare

SMALL: dict[str, Any] = {"optimizer": "adam", "epochs": 30}


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    return make_moons(60, noise=0.1, random_state=0)  # type: ignore[no-any-return]


def test_grid_search_agrees_with_a_sweep(in_tmp: Path, planned: Any) -> None:
    rates, seeds = [0.003, 0.03, 0.3], [0, 1, 2]
    words = ["dataset=moons", "dataset.n_samples=80", "optimizer=adam", "trainer.epochs=25"]
    swept = [f"optimizer.lr={','.join(map(str, rates))}", "seeds.split=0,1,2"]
    sweep = exp.sweep([*words, *swept, "seed=5", "figures=none", "sweep.n_jobs=1"])
    by_sweep = {}
    for run in sweep:
        key = run.config["optimizer"]["lr"], run.config["seeds"]["split"]
        by_sweep[key] = run.summary["final"]["test/accuracy"]
    chosen = planned(dataset={"n_samples": 80})
    folds = [
        prepare(chosen["dataset"], chosen["split"], data_seed=5, split_seed=seed) for seed in seeds
    ]
    data = folds[0].data
    search = GridSearchCV(
        exp.Classifier(optimizer="adam", epochs=25, seed=5),
        {"lr": rates},
        cv=[(fold.split.train, fold.split.test) for fold in folds],
    ).fit(data.X, data.y)
    for place, rate in enumerate(rates):
        for number, seed in enumerate(seeds):
            found = search.cv_results_[f"split{number}_test_score"][place]
            assert found == by_sweep[rate, seed], (rate, seed)
    means = {rate: np.mean([by_sweep[rate, seed] for seed in seeds]) for rate in rates}
    assert search.best_score_ == max(means.values())
    assert len(set(by_sweep.values())) > 3


def test_it_has_the_bits_of_a_run(in_tmp: Path) -> None:
    words = ["dataset=moons", "dataset.n_samples=50", "split.test=0", "split.standardize=true"]
    more = ["model.dropout=0.1", "trainer.batch_size=16", "trainer.epochs=10", "optimizer=adam"]
    run = exp.run([*words, *more, "seed=3", "figures=none"])
    X, y = (getattr(run.predictor.job.data.data, name) for name in ("X", "y"))
    estimator = exp.Classifier(
        dropout=0.1, batch_size=16, epochs=10, optimizer="adam", seed=3, standardize=True
    ).fit(X, y)
    assert (estimator.predict_proba(X) == run.predict_proba(X)).all()
    history = run.arrays("history")
    assert {name: list(column) for name, column in estimator.history_.items()} == {
        name: list(column.astype(estimator.history_[name].dtype))
        for name, column in history.items()
    }


def test_its_parameters_are_keys_of_the_config(rows: Any) -> None:
    names = exp.Classifier().get_params()
    assert set(names) == {*KEYS, "overrides", "random_state"}
    estimator = exp.Classifier(
        hidden=(5, 4), activation="tanh", optimizer="sgd", lr=np.float64(0.2), weight_decay=0.001,
        loss="focal", scheduler="cosine", epochs=np.int64(7), batch_size=16, early_stopping=5,
        validation=0.2, standardize=True, seed=9,
        overrides=("optimizer.momentum=0.5", "loss.gamma=1"),
    ).fit(*rows)  # fmt: skip
    config = estimator.config_
    assert config["model"]["hidden"] == [5, 4]
    assert config["model"]["activation"]["name"] == "tanh"
    assert config["optimizer"]["momentum"] == 0.5
    assert config["optimizer"]["lr"] == 0.2
    assert config["loss"]["gamma"] == 1
    assert config["scheduler"]["name"] == "cosine"
    assert config["trainer"]["batch_size"] == 16
    assert config["split"]["validation"] == 0.2
    assert config["split"]["standardize"] is True
    assert config["seeds"] == {"data": 9, "split": 9, "init": 9, "shuffle": 9}
    assert "validation/loss" in estimator.history_
    assert len(estimator.history_["epoch"]) == estimator.n_iter_ <= 7
    assert {name: weight.shape for name, weight in estimator.weights_.items()} == {
        "0.weight": (5, 2), "0.bias": (5,), "2.weight": (4, 5), "2.bias": (4,),
        "4.weight": (1, 4), "4.bias": (1,),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"model": "mpl"}, "unknown option 'mpl'. Did you mean 'mlp'?"),
        ({"lr": -1, "epochs": 0}, "2 faults"),
        ({"model": "linear", "hidden": (3,)}, "model has no key 'hidden'"),
        ({"overrides": ("dataset=moons",)}, "gets its rows from fit"),
        ({"overrides": ("split.test=0.5",)}, "gets its rows from fit"),
        ({"overrides": "seed=1"}, "expected a list of overrides"),
        ({"lr": float("nan")}, "a config cannot contain this value"),
        ({"loss": "bce", "overrides": ("loss.pos_weight=-1",)}, "loss.pos_weight"),
    ],
)
def test_wrong_parameters(parameters: dict[str, Any], told: str, rows: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        exp.Classifier(**parameters).fit(*rows)


def test_labels_of_any_kind(rows: Any) -> None:
    X, y = rows
    for labels in (np.array(["no", "yes"])[y], y * 7 - 3, y.astype(bool)):
        estimator = exp.Classifier(**SMALL).fit(X, labels)
        assert list(estimator.classes_) == sorted(set(labels))
        assert estimator.predict(X).dtype == labels.dtype
        assert estimator.score(X, labels) > 0.7


def test_pipelines_clones_and_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame, y = load_iris(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), exp.Classifier(**SMALL, lr=0.1))
    assert cross_val_score(pipeline, frame, y, cv=3).min() > 0.8
    estimator = clone(exp.Classifier(**SMALL, hidden=(3,))).fit(frame, y)
    assert list(estimator.feature_names_in_) == list(frame.columns)
    assert estimator.get_params()["hidden"] == (3,)
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(frame[frame.columns[::-1]])
    assert isinstance(frame, pandas.DataFrame)


def test_a_pickle_says_the_same_and_keeps_no_rows(rows: Any) -> None:
    X, y = rows
    X = X + np.pi
    estimator = exp.Classifier(**SMALL, standardize=True).fit(X, y)
    data = pickle.dumps(estimator)
    assert X.astype(np.float32)[0].tobytes() not in data
    again = pickle.loads(data)
    assert (again.predict_proba(X) == estimator.predict_proba(X)).all()
    assert pickle.loads(pickle.dumps(again)).predict(X).tolist() == estimator.predict(X).tolist()
    assert len(data) < 30_000


def test_what_does_not_go_well(rows: Any) -> None:
    X, y = rows
    with pytest.raises(NotFittedError):
        exp.Classifier().predict(X)
    with pytest.raises(ValueError, match="1 class"):
        exp.Classifier().fit(X, np.zeros(len(X)))
    with pytest.warns(ConvergenceWarning, match="no longer finite"):
        estimator = exp.Classifier(lr=1e30, epochs=50).fit(X, y)
    assert estimator.status_ == "diverged"
    assert np.isfinite(estimator.predict_proba(X)).all()
    with pytest.raises(ValueError, match="does not fit float32"):
        exp.Classifier(**SMALL).fit(X * 1e200, y)


def test_models_of_ones_own_are_looked_at_as_in_a_run(rows: Any) -> None:
    import torch
    from torch import nn

    class Linear(nn.Module):
        def __init__(self, in_features: int, out_features: int) -> None:
            super().__init__()
            self.layer = nn.Linear(in_features, out_features)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x)  # type: ignore[no-any-return]

    class Seeding(Linear):
        def __init__(self, in_features: int, out_features: int) -> None:
            torch.manual_seed(0)
            super().__init__(in_features, out_features)

    class Sigmoid(Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(self.layer(x))

    class Centred(Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x) - self.layer(x).mean(0)  # type: ignore[no-any-return]

    class Empty(nn.Module):
        def __init__(self, in_features: int, out_features: int) -> None:
            super().__init__()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :1]

    class Wrong(Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x) @ torch.ones(7, 1)

    expected = {
        Seeding: "seeds torch",
        Sigmoid: "returns probabilities",
        Centred: "the output for a row depends on the other rows",
        Empty: "has no parameters to train",
        Wrong: "cannot compute rows",
    }
    components = exp.register.kinds["model"].components
    before = dict(components)
    try:
        for builder in (Linear, *expected):
            exp.register.model(f"tried_{builder.__name__}")(builder)
        estimator = exp.Classifier(model="tried_Linear", **SMALL, lr=0.1).fit(*rows)
        assert estimator.score(*rows) > 0.7
        for builder, message in expected.items():
            name = f"tried_{builder.__name__}"
            with pytest.raises(ValueError, match=f"^model {name}:? {message}"):
                exp.Classifier(model=name, **SMALL).fit(*rows)
    finally:
        components.clear()
        components.update(before)

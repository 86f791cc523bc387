"""Both estimators wherever scikit-learn takes one: pipelines, searches, ensembles, calibration."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from matplotlib import pyplot
from sklearn import (
    calibration,
    compose,
    ensemble,
    feature_selection,
    inspection,
    metrics,
    model_selection,
    multiclass,
    multioutput,
    pipeline,
    preprocessing,
)
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import estimator_html_repr
from sklearn.utils.estimator_checks import (
    check_estimator,
    check_sample_weight_equivalence_on_dense_data,
)

import exp

pyplot.switch_backend("Agg")
OPTIONS: dict[str, Any] = {"hidden": (6,), "optimizer": "adam", "lr": 0.1, "epochs": 25}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(48, 2))
KINDS: dict[str, Any] = {
    "Classifier": (X @ [2, -1] > 0).astype(int),
    "Regressor": 5000 + 800 * X[:, 0] - 300 * X[:, 1],
}
Use = Callable[[Any, Any], None]
USES: dict[str, tuple[Use, tuple[str, ...]]] = {}


def use(*kinds: str) -> Callable[[Use], Use]:
    """A use of scikit-learn, given an estimator that is not fitted, and targets [48] for `X`."""

    def kept(function: Use) -> Use:
        USES[function.__name__] = (function, kinds or tuple(KINDS))
        return function

    return kept


def estimator(kind: str, **options: Any) -> Any:
    return getattr(exp, kind)(**{**OPTIONS, **options})


def good(fitted: Any, y: Any, least: float = 0.8) -> None:
    """Checks a score of the training rows."""
    assert fitted.score(X, y) > least


@use()
def pipelines(one: Any, y: Any) -> None:
    good(pipeline.make_pipeline(preprocessing.StandardScaler(), one).fit(X, y), y)


@use()
def feature_unions(one: Any, y: Any) -> None:
    union = pipeline.make_union("passthrough", preprocessing.PolynomialFeatures(2))
    good(pipeline.make_pipeline(union, one).fit(X, y), y)


@use()
def column_transformers(one: Any, y: Any) -> None:
    texts = np.where(X[:, 0] > 0, "up", "down")
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "side": texts})
    encoder = compose.make_column_transformer(
        (preprocessing.OneHotEncoder(), ["side"]), remainder="passthrough"
    ).set_output(transform="default")
    fitted = pipeline.make_pipeline(encoder, one).fit(frame, y)
    assert fitted.score(frame, y) > 0.8


@use()
def set_output(one: Any, y: Any) -> None:
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), one)
    scaled.set_output(transform="pandas").fit(pd.DataFrame(X, columns=["a", "b"]), y)
    assert scaled[-1].feature_names_in_.tolist() == ["a", "b"]


@use()
def grid_search(one: Any, y: Any) -> None:
    found = model_selection.GridSearchCV(one, {"lr": [1e-6, 0.1]}, cv=2).fit(X, y)
    assert found.best_params_ == {"lr": 0.1}
    good(found, y)


@use()
def randomized_search(one: Any, y: Any) -> None:
    drawn = {"lr": [1e-6, 0.1], "hidden": [(4,), (8,)]}
    found = model_selection.RandomizedSearchCV(one, drawn, n_iter=3, cv=2, random_state=0)
    assert found.fit(X, y).best_params_["lr"] == 0.1


@use()
def halving_search(one: Any, y: Any) -> None:
    found = model_selection.HalvingGridSearchCV(
        one, {"lr": [1e-6, 0.1]}, resource="epochs", min_resources=5, max_resources=30, cv=2,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    assert found.best_params_["lr"] == 0.1


@use()
def cross_val_score(one: Any, y: Any) -> None:
    folds = model_selection.KFold(2)
    scores = model_selection.cross_val_score(one, X, y, cv=folds)
    by_hand = [clone(one).fit(X[a], y[a]).score(X[b], y[b]) for a, b in folds.split(X)]
    assert scores.tolist() == by_hand


@use()
def cross_validate(one: Any, y: Any) -> None:
    names = (
        ["accuracy", "roc_auc", "neg_log_loss"] if is_classifier(one) else ["r2", "neg_max_error"]
    )
    found = model_selection.cross_validate(
        one, X, y, cv=2, scoring=names, return_estimator=True, return_train_score=True
    )
    assert all(np.isfinite(found[f"test_{name}"]).all() for name in names)
    assert found["estimator"][0].n_iter_ == OPTIONS["epochs"]


@use()
def cross_val_predict(one: Any, y: Any) -> None:
    found = model_selection.cross_val_predict(one, X, y, cv=2)
    score = metrics.accuracy_score if is_classifier(one) else metrics.r2_score
    assert score(y, found) > 0.7


@use()
def learning_curve(one: Any, y: Any) -> None:
    _, _, scores = model_selection.learning_curve(
        one, X, y, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
    )
    assert scores.shape == (2, 2)
    assert np.isfinite(scores).all()


@use()
def validation_curve(one: Any, y: Any) -> None:
    scores, _ = model_selection.validation_curve(
        one, X, y, param_name="epochs", param_range=[1, 25], cv=2
    )
    assert scores[1].mean() > scores[0].mean()


@use()
def permutation_test(one: Any, y: Any) -> None:
    score, others, _ = model_selection.permutation_test_score(
        one, X, y, cv=2, n_permutations=2, random_state=0
    )
    assert score > others.max()


@use()
def stacking(one: Any, y: Any) -> None:
    kind = ensemble.StackingClassifier if is_classifier(one) else ensemble.StackingRegressor
    good(kind([("a", one), ("b", clone(one).set_params(hidden=(3,)))], cv=2).fit(X, y), y)


@use()
def voting(one: Any, y: Any) -> None:
    named = [("a", one), ("b", clone(one).set_params(seed=3))]
    if is_classifier(one):
        good(ensemble.VotingClassifier(named, voting="soft").fit(X, y), y)
    else:
        good(ensemble.VotingRegressor(named).fit(X, y), y)


@use()
def bagging(one: Any, y: Any) -> None:
    kind = ensemble.BaggingClassifier if is_classifier(one) else ensemble.BaggingRegressor
    bag = kind(one, n_estimators=3, random_state=0).fit(X, y)
    good(bag, y)
    assert len({each.random_state for each in bag.estimators_}) == 3


@use()
def adaboost(one: Any, y: Any) -> None:
    kind = ensemble.AdaBoostClassifier if is_classifier(one) else ensemble.AdaBoostRegressor
    good(kind(one, n_estimators=3, random_state=0).fit(X, y), y)


@use("Classifier")
def calibrated(one: Any, y: Any) -> None:
    for method in ("sigmoid", "isotonic"):
        good(calibration.CalibratedClassifierCV(one, method=method, cv=2).fit(X, y), y)


@use("Classifier")
def one_against_rest(one: Any, y: Any) -> None:
    three = y + (X[:, 1] > 0.5)
    good(multiclass.OneVsRestClassifier(one).fit(X, three), three, 0.7)


@use("Classifier")
def one_against_one(one: Any, y: Any) -> None:
    three = y + (X[:, 1] > 0.5)
    good(multiclass.OneVsOneClassifier(one).fit(X, three), three, 0.7)


@use("Classifier")
def output_codes(one: Any, y: Any) -> None:
    three = y + (X[:, 1] > 0.5)
    good(multiclass.OutputCodeClassifier(one, random_state=0).fit(X, three), three, 0.6)


@use()
def several_outputs(one: Any, y: Any) -> None:
    kinds = multioutput.MultiOutputRegressor, multioutput.MultiOutputClassifier
    kind = kinds[is_classifier(one)]
    both = np.column_stack([y, y[::-1]])
    assert kind(one).fit(X, both).predict(X).shape == (48, 2)


@use()
def chains(one: Any, y: Any) -> None:
    kind = multioutput.ClassifierChain if is_classifier(one) else multioutput.RegressorChain
    both = np.column_stack([y, 2 * y])
    assert kind(one).fit(X, both).predict(X).shape == (48, 2)


@use("Regressor")
def transformed_targets(one: Any, y: Any) -> None:
    kind = compose.TransformedTargetRegressor(one, func=np.log, inverse_func=np.exp)
    good(kind.fit(X, y), y)


@use("Regressor")
def iterative_imputation(one: Any, y: Any) -> None:
    holes = np.column_stack([X, y])
    holes[::7, 2] = np.nan
    imputer = IterativeImputer(one, max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Early stopping criterion not reached"):
        filled = imputer.fit_transform(holes)
    assert metrics.r2_score(y[::7], filled[::7, 2]) > 0.5


@use("Classifier")
def self_training(one: Any, y: Any) -> None:
    partly = np.where(np.arange(48) % 2, y, -1)
    good(SelfTrainingClassifier(one).fit(X, partly), y)


@use()
def selection_from_weights(one: Any, y: Any) -> None:
    def importance(fitted: Any) -> np.ndarray:
        return np.abs(fitted.weights_["0.weight"]).sum(axis=0)

    wide = np.column_stack([X, np.zeros(48)])
    for selector in (
        feature_selection.SelectFromModel(
            one, importance_getter=importance, max_features=2, threshold=0
        ),
        feature_selection.RFE(one, n_features_to_select=2, importance_getter=importance),
    ):
        assert selector.fit_transform(wide, y).shape == (48, 2)


@use()
def sequential_selection(one: Any, y: Any) -> None:
    wide = np.column_stack([np.zeros(48), X[:, 0]])
    selector = feature_selection.SequentialFeatureSelector(one, n_features_to_select=1, cv=2)
    assert selector.fit(wide, y).get_support().tolist() == [False, True]


@use()
def permutation_importance(one: Any, y: Any) -> None:
    found = inspection.permutation_importance(one.fit(X, y), X, y, n_repeats=3, random_state=0)
    assert found.importances_mean[0] > found.importances_mean[1] > 0


@use()
def partial_dependence(one: Any, y: Any) -> None:
    one.fit(X, y)
    found = inspection.partial_dependence(one, X, [0], grid_resolution=5)
    assert (np.diff(found["average"][0]) > 0).all()
    inspection.PartialDependenceDisplay.from_estimator(one, X, [0, 1], grid_resolution=3)


@use()
def decision_boundaries(one: Any, y: Any) -> None:
    inspection.DecisionBoundaryDisplay.from_estimator(
        one.fit(X, y), X, response_method="predict", grid_resolution=5
    )


@use("Classifier")
def curves_of_classes(one: Any, y: Any) -> None:
    one.fit(X, y)
    shown = metrics.RocCurveDisplay.from_estimator(one, X, y)
    assert shown.roc_auc == metrics.roc_auc_score(y, one.predict_proba(X)[:, 1])
    metrics.PrecisionRecallDisplay.from_estimator(one, X, y)
    metrics.DetCurveDisplay.from_estimator(one, X, y)
    metrics.ConfusionMatrixDisplay.from_estimator(one, X, y)
    calibration.CalibrationDisplay.from_estimator(one, X, y)


@use("Regressor")
def errors_of_numbers(one: Any, y: Any) -> None:
    metrics.PredictionErrorDisplay.from_estimator(one.fit(X, y), X, y)


@use()
def curves_of_searches(one: Any, y: Any) -> None:
    model_selection.LearningCurveDisplay.from_estimator(
        one, X, y, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
    )
    model_selection.ValidationCurveDisplay.from_estimator(
        one, X, y, param_name="epochs", param_range=[2, 4], cv=2
    )


@use("Classifier")
def thresholds(one: Any, y: Any) -> None:
    good(model_selection.TunedThresholdClassifierCV(one, cv=2).fit(X, y), y)
    never = model_selection.FixedThresholdClassifier(one, threshold=1.1).fit(X, y)
    assert (never.predict(X) == 0).all()


@use()
def frozen(one: Any, y: Any) -> None:
    kept = FrozenEstimator(one.fit(X, y))
    assert (kept.fit(X, y[::-1]).predict(X) == one.predict(X)).all()


@use()
def scorers(one: Any, y: Any) -> None:
    one.fit(X, y)
    name = "balanced_accuracy" if is_classifier(one) else "neg_root_mean_squared_error"
    assert np.isfinite(metrics.get_scorer(name)(one, X, y))


@use()
def pickles(one: Any, y: Any) -> None:
    one.fit(X, y)
    for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert (again.predict(X) == one.predict(X)).all()
        assert again.get_params() == one.get_params()


@use()
def joblib_files(one: Any, y: Any) -> None:
    joblib.dump(one.fit(X, y), "one.joblib")
    assert (joblib.load("one.joblib").predict(X) == one.predict(X)).all()


@use()
def parameters(one: Any, y: Any) -> None:
    again = clone(one).set_params(epochs=3)
    assert again.get_params() == {**one.get_params(), "epochs": 3}
    assert again.fit(X, y).n_iter_ == 3
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        again.set_params(epoch=3)


@use()
def texts(one: Any, y: Any) -> None:
    name = type(one).__name__
    assert repr(one) == f"{name}(epochs=25, hidden=(6,), lr=0.1, optimizer='adam')"
    assert name in estimator_html_repr(one.fit(X, y))


@use()
def names_of_features(one: Any, y: Any) -> None:
    frame = pd.DataFrame(X, columns=["a", "b"])
    one.fit(frame, y)
    assert one.feature_names_in_.tolist() == ["a", "b"]
    assert (one.predict(frame) == clone(one).fit(X, y).predict(X)).all()
    with pytest.raises(ValueError, match="feature names"):
        one.predict(frame[["b", "a"]])


@use()
def frames_of_polars(one: Any, y: Any) -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    one.fit(frame, pl.Series(y))
    assert one.feature_names_in_.tolist() == ["a", "b"]
    assert (one.predict(frame) == clone(one).fit(X, y).predict(X)).all()


@use()
def lists_and_float32(one: Any, y: Any) -> None:
    single = X.astype(np.float32)
    assert (
        clone(one).fit(single.tolist(), y.tolist()).predict(single.tolist())
        == one.fit(single, y).predict(single)
    ).all()


@use("Classifier")
def labels_of_any_kind(one: Any, y: Any) -> None:
    for labels in (np.array(["no", "yes"])[y], y.astype(bool), y * 7 - 3, y.astype(float)):
        fitted = clone(one).fit(X, labels)
        assert fitted.predict(X).dtype == labels.dtype
        good(fitted, labels)


@use()
def a_column_as_target(one: Any, y: Any) -> None:
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        found = clone(one).fit(X, y[:, None])
    assert found.predict(X).tolist() == one.fit(X, y).predict(X).tolist()


@use()
def threads(one: Any, y: Any) -> None:
    with joblib.parallel_config(backend="threading"):
        both = model_selection.cross_val_score(one, X, y, cv=2, n_jobs=2)
    assert both.tolist() == model_selection.cross_val_score(one, X, y, cv=2).tolist()


@use()
def folds_of_groups(one: Any, y: Any) -> None:
    groups = np.arange(48) // 4
    folds = model_selection.GroupKFold(2)
    assert len(model_selection.cross_val_score(one, X, y, cv=folds, groups=groups)) == 2


@use()
def weights_in_pipelines(one: Any, y: Any) -> None:
    weights = np.arange(48) % 3
    step = pipeline.Pipeline([("one", clone(one))]).fit(X, y, one__sample_weight=weights)
    assert (step.predict(X) == one.fit(X, y, sample_weight=weights).predict(X)).all()


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    pyplot.close("all")


CASES = [(name, kind) for name, (_, kinds) in USES.items() for kind in kinds]


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{name}-{kind}" for name, kind in CASES])
def test_uses(name: str, kind: str, in_tmp: Path) -> None:
    USES[name][0](estimator(kind), KINDS[kind])


def test_there_are_as_many_uses_as_promised() -> None:
    assert len(USES) >= 44


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Estimator's parameters changed:FutureWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_scikit_learn_finds_nothing_wrong(kind: str, in_tmp: Path) -> None:
    checked = estimator(kind, hidden=None, lr=0.05, epochs=60)
    name = "check_sample_weight_equivalence_on_dense_data"
    failing = {name: "7 digits of sums over weighted and over repeated rows: more than float32 has"}
    results = check_estimator(checked, on_skip=None, expected_failed_checks=failing)
    assert len(results) > 50
    assert {r["check_name"] for r in results if r["status"] != "passed"} <= {
        name,
        "check_array_api_input",  # it needs an environment variable
    }
    double = clone(checked).set_params(overrides=("device.dtype=float64",))
    check_sample_weight_equivalence_on_dense_data(kind, double)
    assert is_classifier(checked) != is_regressor(checked)
    assert list(in_tmp.iterdir()) == []


# Weights, groups, random states


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("standardize", [None, True])
def test_weights_are_repeated_rows(kind: str, standardize: bool | None) -> None:
    y, weights = KINDS[kind], np.random.default_rng(1).integers(0, 4, 48)
    one = estimator(kind, standardize=standardize, lr=0.03)
    weighted = clone(one).fit(X, y, sample_weight=weights)
    repeated = np.repeat(np.arange(48), weights)
    other = clone(one).fit(X[repeated], y[repeated])
    answers = "predict_proba" if kind == "Classifier" else "predict"
    found, wanted = (getattr(each, answers)(X) for each in (weighted, other))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    kept = weights > 0
    removed = clone(one).fit(X[kept], y[kept], sample_weight=weights[kept])
    assert (getattr(removed, answers)(X) == found).all()
    for scale in (4.0, 2.0**-90):
        scaled = clone(one).fit(X, y, sample_weight=weights * scale)
        assert (getattr(scaled, answers)(X) == found).all()
    even = clone(one).fit(X, y, sample_weight=np.full(48, 0.1))
    assert (getattr(even, answers)(X) == getattr(clone(one).fit(X, y), answers)(X)).all()
    with pytest.raises(ValueError, match="row 3 has the weight -1"):
        one.fit(X, y, sample_weight=np.where(np.arange(48) == 3, -1, 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("routing", [True, False])
def test_weights_and_groups_in_cross_validation(kind: str, routing: bool) -> None:
    y, groups = KINDS[kind], np.arange(48) // 4
    weights = 1.0 + np.arange(48) % 2
    one = estimator(kind, validation=0.25, early_stopping=5)
    folds = model_selection.GroupKFold(2)
    params: dict[str, Any] = {"sample_weight": weights, "groups": groups}
    with sklearn.config_context(enable_metadata_routing=routing):
        if routing:
            one.set_fit_request(sample_weight=True, groups=True)
            one.set_score_request(sample_weight=True)
            found = model_selection.cross_validate(
                one, X, y, cv=folds, params=params, return_estimator=True
            )
        else:
            found = model_selection.cross_validate(
                one, X, y, cv=folds, params={"sample_weight": weights}, groups=groups,
                return_estimator=True,
            )  # fmt: skip
    train, tested = next(folds.split(X, y, groups))
    given = {"sample_weight": weights[train]} | ({"groups": groups[train]} if routing else {})
    by_hand = clone(one).fit(X[train], y[train], **given)
    assert (found["estimator"][0].predict(X) == by_hand.predict(X)).all()
    scored = {"sample_weight": weights[tested]} if routing else {}
    assert found["test_score"][0] == by_hand.score(X[tested], y[tested], **scored)


@pytest.mark.parametrize("kind", KINDS)
def test_random_state_is_the_seed(kind: str) -> None:
    y = KINDS[kind]
    by_seed = estimator(kind, seed=7).fit(X, y)
    for state in (7, np.int64(7)):
        found = estimator(kind, random_state=state).fit(X, y)
        assert (found.predict(X) == by_seed.predict(X)).all()
    drawn = [
        estimator(kind, random_state=np.random.RandomState(5)).fit(X, y).config_["seed"]
        for _ in range(2)
    ]
    assert drawn == [int(np.random.RandomState(5).randint(2**31 - 1))] * 2
    assert estimator(kind, seed=1, random_state=7).fit(X, y).config_["seed"] == 7
    assert estimator(kind).fit(X, y).config_["seed"] == 42
    with pytest.raises(ValueError, match="random_state: expected an integer"):
        estimator(kind, random_state="seven").fit(X, y)


def test_a_regressor_predicts_in_the_units_of_its_target() -> None:
    y = KINDS["Regressor"]
    scaled = estimator("Regressor").fit(X, y)
    small = estimator("Regressor").fit(X, (y - y.mean()) / y.std())
    np.testing.assert_allclose(scaled.predict(X), small.predict(X) * y.std() + y.mean(), rtol=1e-5)
    last = scaled.history_["train/rmse"][-1]
    assert last == pytest.approx(small.history_["train/rmse"][-1] * y.std(), rel=1e-4)
    assert metrics.r2_score(y, scaled.predict(X)) == scaled.score(X, y)
    plain = estimator("Regressor", overrides=("split.standardize_target=false",)).fit(X, y)
    assert plain.score(X, y) < 0, "25 epochs do not lead from 0 to 5000"
    assert plain.config_["split"]["standardize_target"] is False


def test_a_regressor_has_the_bits_of_a_run(in_tmp: Path) -> None:
    y = KINDS["Regressor"].astype(np.float32)
    np.savez("rows.npz", X=X.astype(np.float32), y=y)
    words = [
        "dataset=npz",
        "dataset.path=rows.npz",
        "split.test=0",
        "split.standardize_target=true",
    ]
    more = ["optimizer=adam", "trainer.epochs=10", "split.validation=0.2", "seed=3"]
    run = exp.run([*words, *more, "trainer.early_stopping=3", "figures=none"])
    one = exp.Regressor(optimizer="adam", epochs=10, validation=0.2, early_stopping=3, seed=3)
    one.fit(X.astype(np.float32), y)
    assert (one.predict(X.astype(np.float32)) == run.predict(X)).all()
    assert one.history_["validation/rmse"].tolist() == [
        float(value) for value in run.history["validation/rmse"].astype(np.float32)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_feature_maps_are_applied(kind: str) -> None:
    one = estimator(kind, overrides=("features=polynomial",)).fit(X, KINDS[kind])
    assert one.weights_["0.weight"].shape == (6, 5)
    assert (pickle.loads(pickle.dumps(one)).predict(X) == one.predict(X)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_go_well(kind: str) -> None:
    y = KINDS[kind]
    with pytest.raises(NotFittedError):
        estimator(kind).predict(X)
    frame = pd.DataFrame({"a": X[:, 0], "city": ["Bern", "Zug"] * 24})
    with pytest.raises(ValueError, match=r"column 'city' contains texts or dates, such as 'Bern'"):
        estimator(kind).fit(frame, y)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        estimator(kind).fit(sparse(X), y)
    with pytest.raises(ValueError, match="NaN"):
        estimator(kind).fit(np.where(X > 1, np.nan, X), y)
    with pytest.raises(ValueError, match="an estimator gets its rows from fit"):
        estimator(kind, overrides=("split.time=day",)).fit(X, y)
    with pytest.raises(ValueError, match="sample_weight has shape"):
        estimator(kind).fit(X, y, sample_weight=[1, 2])
    wrong = {"Classifier": ("mse", None), "Regressor": ("bce", "loss bce is for classes")}
    loss, message = wrong[kind]
    if message:
        with pytest.raises(ValueError, match=message):
            estimator(kind, loss=loss).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator(kind, loss="mse").fit(X, y)


def sparse(rows: np.ndarray) -> Any:
    from scipy.sparse import csr_array

    return csr_array(rows)

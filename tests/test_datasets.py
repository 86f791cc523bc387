"""Generated and bundled data against their sources."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets as sklearn_datasets

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.data.dataset import Data, Split
from exp.data.prepared import Prepared
from exp.registry.registry import register
from exp.util.errors import ConfigError, DataError

CONF = Path(__file__).parents[1] / "conf"
GENERATED = ["blobs", "checkerboard", "circles", "gaussians", "moons", "spirals", "two_spirals"]
GENERATED += ["xor", "playground_circle", "playground_spiral"]
NUMBERS = ["bumps", "line", "plane"]  # tests/test_regression.py
OWN = ["csv", "npz", "parquet"]
BUNDLED = ["breast_cancer", "digits", "iris", "wine"]


def build(name: str, seed: int = 42, **params: Any) -> Data:
    data: Data = register.choose("dataset", {"name": name, **params}).build(seed)
    return data


def same(data: Data, X: np.ndarray, y: np.ndarray) -> None:
    np.testing.assert_array_equal(data.X, X.astype(np.float32), strict=True)
    np.testing.assert_array_equal(data.y, y)


def test_all_are_there() -> None:
    assert register.kinds["dataset"].names() == sorted(
        [*GENERATED, *BUNDLED, *NUMBERS, *OWN, "sklearn"]
    )


@pytest.mark.parametrize("name", [*GENERATED, *BUNDLED])
def test_contract(name: str) -> None:
    data = build(name)
    assert data.X.dtype == np.float32
    assert data.X.flags.c_contiguous
    assert data.y.dtype == np.int64
    assert set(data.y.tolist()) == set(range(len(data.classes)))
    assert len(set(data.classes)) == len(data.classes)
    assert len(data.features) == len(data.units) == data.X.shape[1]
    assert all(type(label) is str for label in (*data.classes, *data.features))
    assert build(name).fingerprint == data.fingerprint


@pytest.mark.parametrize("name", [*GENERATED, *BUNDLED, *NUMBERS, *OWN, "sklearn"])
def test_yaml_states_the_defaults(name: str) -> None:
    text = (CONF / "dataset" / f"{name}.yaml").read_text()
    stated = yaml.safe_load(text)
    assert stated.pop("name") == name
    register.kinds["dataset"].load()
    parameters = register.kinds["dataset"].components[name].declared
    empty = inspect.Parameter.empty
    defaults = {key: "???" if p.default is empty else p.default for key, p in parameters.items()}
    assert stated == defaults
    assert list(stated) == list(defaults)
    assert text.count("  # ") == len(stated), "a comment for each parameter"


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize("n_samples", [40, 41, 1003])
def test_rows_are_as_many_as_asked_for(name: str, n_samples: int) -> None:
    assert len(build(name, n_samples=n_samples).X) == n_samples


@pytest.mark.parametrize(
    "name", [n for n in GENERATED if not n.endswith("spiral") and n != "two_spirals"]
)
def test_the_seed_matters(name: str) -> None:
    assert build(name, 1).fingerprint != build(name, 2).fingerprint


@pytest.mark.parametrize("name", [name for name in GENERATED if name != "blobs"])
def test_noise_matters(name: str) -> None:
    quiet, loud = build(name, noise=0.0), build(name, noise=0.4)
    assert quiet.fingerprint != loud.fingerprint
    assert build(name, noise=0).fingerprint == quiet.fingerprint


def test_moons_are_the_course_s() -> None:
    same(build("moons"), *sklearn_datasets.make_moons(1000, noise=0.03, random_state=42))


def test_circles_are_the_course_s() -> None:
    same(build("circles"), *sklearn_datasets.make_circles(1000, noise=0.03, random_state=42))


@given(
    n_samples=st.integers(4, 300),
    seed=st.integers(0, 2**32 - 1),
    noise=st.sampled_from([0.0, 0.03, 1.0]),
    factor=st.sampled_from([0.1, 0.8]),
)
def test_moons_and_circles_have_the_bits_of_scikit_learn(
    n_samples: int, seed: int, noise: float, factor: float
) -> None:
    made = {"noise": noise, "random_state": seed}
    ours: dict[str, Any] = {"n_samples": n_samples, "noise": noise}
    same(build("moons", seed, **ours), *sklearn_datasets.make_moons(n_samples, **made))
    rings = sklearn_datasets.make_circles(n_samples, factor=factor, **made)
    same(build("circles", seed, factor=factor, **ours), *rings)


def test_blobs_are_the_course_s() -> None:
    X, y = sklearn_datasets.make_blobs(
        n_samples=1000, n_features=2, centers=4, cluster_std=1.5, random_state=42
    )
    same(build("blobs"), X, y)


@pytest.mark.parametrize("seed", [0, 42])
def test_spirals_are_those_of_cs231n(seed: int) -> None:
    # The page's code, letter by letter: https://cs231n.github.io/neural-networks-case-study/
    np.random.seed(seed)
    N = 100  # number of points per class
    D = 2  # dimensionality
    K = 3  # number of classes
    X = np.zeros((N * K, D))  # data matrix (each row = single example)
    y = np.zeros(N * K, dtype="uint8")  # class labels
    for j in range(K):
        ix = range(N * j, N * (j + 1))
        r = np.linspace(0.0, 1, N)  # radius
        t = np.linspace(j * 4, (j + 1) * 4, N) + np.random.randn(N) * 0.2  # theta
        X[ix] = np.c_[r * np.sin(t), r * np.cos(t)]
        y[ix] = j
    same(build("spirals", seed), X, y)


def test_spirals_share_rows_that_do_not_divide() -> None:
    assert np.bincount(build("spirals", n_samples=11, classes=4).y).tolist() == [3, 3, 3, 2]


def test_two_spirals_are_those_of_lang_and_witbrock() -> None:
    points = []
    for i in range(97):
        phi, r = i * np.pi / 16, 6.5 * (104 - i) / 104
        points.append((r * np.sin(phi), r * np.cos(phi)))
    X = np.array([*points, *(-np.array(points))])
    same(build("two_spirals"), X, np.repeat([0, 1], 97))
    assert np.abs(X).max() == pytest.approx(6.5)


def test_the_playground_s_circle() -> None:
    data = build("playground_circle", n_samples=5000)
    radius = np.hypot(*data.X.T)
    assert (radius[data.y == 1] < 2.5).all()
    assert ((radius[data.y == 0] >= 3.5) & (radius[data.y == 0] <= 5.00001)).all()
    # Even in the radius, so that its mean is in the middle.
    assert radius[data.y == 1].mean() == pytest.approx(1.25, abs=0.05)
    noisy = build("playground_circle", n_samples=5000, noise=0.5)
    np.testing.assert_array_equal(noisy.X, data.X)  # noise moves where the label is read only
    assert 0.1 < (noisy.y != data.y).mean() < 0.6


def test_the_playground_s_spiral() -> None:
    data = build("playground_spiral", n_samples=500)
    along = np.arange(250) / 250
    angle = 1.75 * 2 * np.pi * along
    arm = (5 * along)[:, None] * np.c_[np.sin(angle), np.cos(angle)]
    np.testing.assert_allclose(data.X, np.concatenate([arm, -arm]), atol=1e-5)
    assert data.y.tolist() == [1] * 250 + [0] * 250
    noisy = build("playground_spiral", n_samples=500, noise=0.5)
    apart = np.abs(noisy.X - data.X)
    assert 0.45 < apart.max() <= 0.5


def test_xor_labels() -> None:
    data = build("xor")
    assert (np.abs(data.X) >= 0.3).all()
    assert (np.abs(data.X) <= 5.3 + 1e-6).all()
    np.testing.assert_array_equal(data.y, (data.X[:, 0] * data.X[:, 1] >= 0).astype(int))
    noisy = build("xor", noise=0.5)
    wrong = noisy.y != (noisy.X[:, 0] * noisy.X[:, 1] >= 0)
    assert 0.1 < wrong.mean() < 0.5


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.5, 4.0)])
def test_gaussians_have_the_playground_s_variance(noise: float, variance: float) -> None:
    data = build("gaussians", n_samples=40_000, noise=noise)
    for label, centre in ((0, -2), (1, 2)):
        rows = data.X[data.y == label]
        np.testing.assert_allclose(rows.mean(axis=0), centre, atol=0.06)
        np.testing.assert_allclose(rows.var(axis=0), variance, rtol=0.06)


def test_checkerboard_fields() -> None:
    data = build("checkerboard", cells=3)
    fields = np.floor((data.X.astype(float) + 1) * 1.5)
    np.testing.assert_array_equal(data.y, fields.sum(axis=1) % 2)
    assert data.y[np.argmin(data.X.sum(axis=1))] == 0
    assert set(map(tuple, fields)) == {(i, j) for i in range(3) for j in range(3)}


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_are_scikit_learn_s(name: str) -> None:
    bunch = getattr(sklearn_datasets, f"load_{name}")()
    data = build(name)
    same(data, bunch.data, bunch.target)
    assert list(data.classes) == [str(label) for label in bunch.target_names]


def test_iris_has_units() -> None:
    data = build("iris")
    assert data.features == ("sepal length", "sepal width", "petal length", "petal width")
    assert data.units == ("cm",) * 4
    assert data.classes == ("setosa", "versicolor", "virginica")


@pytest.mark.parametrize(
    ("name", "params", "fault"),
    [
        (
            "blobs",
            {"n_samples": 10**8, "n_features": 60_000},
            (
                "dataset.n_features  expected n_samples * n_features of at most 1000000000, "
                "found 100000000 * 60000"
            ),
        ),
        ("blobs", {"n_samples": 4, "centers": 5}, "dataset.centers  expected at most n_samples=4"),
        ("spirals", {"n_samples": 4, "classes": 5}, "dataset.classes  expected at most n_samples"),
        ("moons", {"n_samples": 10**9}, "expected a number less than or equal to 100000000, found"),
        ("circles", {"factor": 1}, "dataset.factor  expected a number less than 1, found 1"),
        (
            "checkerboard",
            {"cells": 1},
            "dataset.cells  expected a number greater than or equal to 2",
        ),
    ],
)
def test_absurd_parameters_are_refused(name: str, params: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(name, **params)
    assert fault in str(caught.value)


@pytest.mark.parametrize("name", [name for name in GENERATED if name != "blobs"])
def test_the_loudest_noise_gives_data_or_a_data_error(name: str) -> None:
    told = "does not fit float32"
    try:
        assert np.isfinite(build(name, noise=3.0e38).X).all()
    except DataError as error:
        told = str(error)
    # Its noise moves where the label is read: with so much, every row is far outside the disc.
    outside = name == "playground_circle" and "all 500 rows have class '0'" in told
    assert outside or "does not fit float32" in told


def checked(X: Any, y: Any, classes: tuple[str, ...] = ("a", "b"), **names: Any) -> Data:
    return Data.checked(X, y, classes=classes, **names)


ROWS = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: checked([[1.0, 2.0], [np.nan, 4.0]], [0, 1]),
            "the data cannot be used: row 1, column 'x1': nan is not a finite number",
        ),
        (
            lambda: checked([[1.0, np.inf], [-1e300, 4.0]], [0, 1], features=["a", "b"]),
            (
                "the data cannot be used\n"
                "  row 0, column 'b': inf is not a finite number\n"
                "  row 1, column 'a': -1e+300 does not fit float32"
            ),
        ),
        (
            lambda: checked(ROWS, [0, 0]),
            "the data cannot be used: all 2 rows have class 'a'; a classifier needs two classes",
        ),
        (
            lambda: checked(ROWS, [0, 2]),
            "the data cannot be used: row 1, label: 2 is outside 0..1",
        ),
        (
            lambda: checked(ROWS, [0, 1], ("a", "b", "c")),
            "the data cannot be used: class 'c' (label 2) has no rows",
        ),
        (
            lambda: checked(ROWS, [0, 1], ("a", "a")),
            "the data cannot be used: class name 'a' is given 2 times",
        ),
        (
            lambda: checked(ROWS, [0, 1], features=["a"]),
            "the data cannot be used: X has 2 columns, but there are 1 feature names and 2 units",
        ),
        (lambda: checked(ROWS, [0, 1, 1]), "the data cannot be used: X has 2 rows, y has 3 rows"),
        (
            lambda: checked([1.0, 2.0], [0, 1]),
            "X has shape [2] and y [2], expected [rows, features] and [rows]",
        ),
        (
            lambda: checked(np.empty((0, 2)), np.empty(0, int)),
            (
                "the data cannot be used: X has shape [0, 2], expected at least one row and one "
                "feature"
            ),
        ),
        (lambda: checked(ROWS, [0.5, 1]), "y has dtype float64, expected integers 0..K-1"),
        (lambda: checked([["a"], ["b"]], [0, 1]), "X has dtype <U1, expected numbers"),
        (
            lambda: Data(np.zeros((2, 1), int), np.arange(2), ("a", "b"), ("x",), (None,)),  # type: ignore[arg-type]
            "the data cannot be used: X must be a float32 or float64 array [rows, features]",
        ),
    ],
)
def test_unusable_data(make: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        make()
    assert str(caught.value) == message


def test_only_ten_faults_are_listed() -> None:
    with pytest.raises(DataError) as caught:
        checked(np.full((50, 2), np.nan), [0, 1] * 25)
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "  and more"


def test_fingerprint_sees_everything() -> None:
    X, y = np.array(ROWS), np.array([0, 1])
    variants = [
        checked(X, y),
        checked(X + 1, y),
        checked(X, 1 - y),
        checked(X.T, y),
        checked(X, y, ("a", "c")),
        checked(X, y, features=["p", "q"]),
        checked(X, y, units=["cm", None]),
    ]
    assert len({data.fingerprint for data in variants}) == len(variants)
    assert checked(X, y).fingerprint == checked(X.tolist(), [0, 1]).fingerprint


def indices(*rows: int) -> np.ndarray:
    return np.array(rows, np.int64)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            Split(indices(0, 2), test=indices(1, 3)),
            (
                "split: the training part needs a row of each class, but has "
                "none of these classes: "
                "class 'b' (label 1): 2 rows"
            ),
        ),
        (Split(indices(0, 1), test=indices(4)), "split: test names a row outside 0..3"),
        (Split(indices(0, 1), test=indices(-1)), "split: test names a row outside 0..3"),
        (
            Split(indices(0, 1, 2), test=indices(3), validation=indices(2)),
            "split: row 2 is in validation and in another part",
        ),
    ],
)
def test_splits_that_do_not_fit(split: Split, message: str) -> None:
    data = checked([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    with pytest.raises(DataError) as caught:
        Prepared.of(data, split)
    assert str(caught.value) == message

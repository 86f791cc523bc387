"""Feature maps: against their sources, the same bits everywhere, drawn in the original plane."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from scipy.special import ndtri
from sklearn.kernel_approximation import RBFSampler
from sklearn.preprocessing import PolynomialFeatures, QuantileTransformer

import exp.registry.kinds  # noqa: F401 - declares the kinds
from commands import SMALL, inside, process
from exp.components.feature_modules import module_of
from exp.components.features import from_values
from exp.components.models.column_maps import Map
from exp.config.plan import plan
from exp.data.feature_map import FeatureMap
from exp.engine import Job
from exp.plotting.frames import Frames
from exp.registry.registry import register
from exp.util.errors import ComponentError, DataError, ImpossibleError

CONF = Path(__file__).parents[1] / "conf" / "features"
X = np.random.RandomState(0).uniform(-3, 3, (57, 2)).astype(np.float32)
X4 = np.random.RandomState(1).uniform(-3, 3, (57, 4)).astype(np.float32)


def made(name: str, names: tuple[str, ...] = ("a", "b"), seed: int = 0, **params: Any) -> Any:
    return register.choose("features", {"name": name, **params}).build(names, seed)


def fitted(name: str, rows: np.ndarray, **params: Any) -> Any:
    """A map that is fitted on these rows."""
    chosen = register.choose("features", {"name": name, **params})
    return chosen.build(tuple("abcd"[: rows.shape[1]]), 0, training_rows=rows)


NAMES = ["none", "playground", "polynomial", "fourier", "quantile", "piecewise"]


@pytest.mark.parametrize("name", NAMES)
def test_yaml_states_the_defaults(name: str) -> None:
    stated = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    chosen = register.choose("features", name)
    assert stated == chosen.as_dict()


def test_playground() -> None:
    found = made("playground")
    assert found.names == ("a", "b", "a^2", "b^2", "a b", "sin a", "sin b")
    x, y = X.astype(np.float64).T
    wanted = np.column_stack([x, y, x * x, y * y, x * y, np.sin(x), np.sin(y)])
    np.testing.assert_array_equal(found(X), wanted.astype(np.float32))
    some = made("playground", use=["xy", "x"])
    assert some.names == ("a b", "a")
    np.testing.assert_array_equal(some(X), wanted[:, [4, 0]].astype(np.float32))


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
@pytest.mark.parametrize("interaction_only", [False, True])
def test_polynomial_is_that_of_scikit_learn(degree: int, interaction_only: bool) -> None:
    names = ("a", "b", "c", "d")
    found = made("polynomial", names, degree=degree, interaction_only=interaction_only)
    twin = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=False)
    np.testing.assert_allclose(found(X4), twin.fit_transform(X4.astype(np.float64)), rtol=1e-6)
    assert found.names == tuple(twin.get_feature_names_out(names))


def test_fourier_is_that_of_rahimi_and_recht() -> None:
    names = ("a", "b", "c", "d")
    found = made("fourier", names, 5, n_components=300, gamma=0.1)
    twin = RBFSampler(gamma=0.1, n_components=300, random_state=5).fit(X4)
    np.testing.assert_allclose(found(X4), twin.transform(X4.astype(np.float64)), atol=1e-6)
    many = made("fourier", names, 5, n_components=50_000, gamma=0.1)(X4[:8]).astype(np.float64)
    distance = ((X4[:8, None] - X4[None, :8]) ** 2).sum(axis=2)
    np.testing.assert_allclose(many @ many.T, np.exp(-0.1 * distance), atol=0.02)
    assert (made("fourier", seed=1)(X) != made("fourier", seed=2)(X)).any()


def test_quantiles_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    rows = np.column_stack([random.normal(size=900), random.exponential(size=900) ** 2,
                            random.integers(0, 2, 900)]).astype(np.float32)  # fmt: skip
    found = fitted("quantile", rows, n_quantiles=50)
    twin = QuantileTransformer(n_quantiles=50, output_distribution="normal").fit(rows)
    inside = (np.abs(twin.transform(rows))[:, :2] < 2).all(axis=1)
    wanted = twin.transform(rows[inside])
    np.testing.assert_allclose(found(rows[inside])[:, :2], wanted[:, :2], atol=0.15)
    np.testing.assert_array_equal(found(rows)[:, 2], rows[:, 2])
    # The quantiles themselves, and the outermost ones beyond the training rows.
    knots = np.quantile(rows[:, 0], np.linspace(0, 1, 50))
    levels = np.clip(np.linspace(0, 1, 50), 0.01, 0.99)
    some = np.column_stack([knots, np.full(50, 0.5), np.zeros(50)]).astype(np.float32)
    np.testing.assert_allclose(found(some)[:, 0], ndtri(levels), atol=1e-4)
    outside = found(np.array([[99, 999, 1], [-99, -1, 0]], np.float32))[:, :2]
    np.testing.assert_allclose(outside, [[ndtri(0.99)] * 2, [ndtri(0.01)] * 2], rtol=1e-6)


def test_piecewise_is_that_of_gorishniy_and_others() -> None:
    rows = np.array([[0, 5, 1], [1, 5, 0], [2, 5, 1], [4, 5, 0], [8, 5, 1]], np.float32)
    found = fitted("piecewise", rows, bins=4)
    assert found.names == ("a bin 1", "a bin 2", "a bin 3", "a bin 4", "b", "c")
    new = np.array([[-1, 5, 1], [0.5, 6, 1], [3, 5, 0], [16, 5, 0]], np.float32)
    np.testing.assert_allclose(
        found(new),
        [[-1, 0, 0, 0, 5, 1], [0.5, 0, 0, 0, 6, 1], [1, 1, 0.5, 0, 5, 0], [1, 1, 1, 3, 5, 0]],
    )


@pytest.mark.parametrize("name", ["quantile", "piecewise", "fourier"])
def test_a_model_computes_the_same_map(name: str) -> None:
    found = fitted(name, X4)
    given = {"name": name, "outputs": len(found.names), "n_quantiles": 64}
    module = Map.model_validate(given).module(4)
    module.load_state_dict({f"inner.{key}": torch.tensor(v) for key, v in found.values.items()})
    np.testing.assert_allclose(module(torch.from_numpy(X4)).numpy(), found(X4), atol=1e-6)


@pytest.mark.parametrize("name", ["playground", "polynomial", "fourier"])
def test_a_row_is_mapped_by_itself(name: str) -> None:
    found = made(name)
    whole = found(X)
    for rows in (slice(0, 1), slice(3, 20), slice(40, None)):
        np.testing.assert_array_equal(found(X[rows]), whole[rows])


@pytest.mark.parametrize(
    ("name", "names", "params", "message"),
    [
        (
            "playground", ("a", "b", "c"), {},
            ("features playground needs two features, and these data have 3 features. "
            "Use features=polynomial or features=fourier"),
        ),
        (
            "polynomial", tuple(f"x{n}" for n in range(64)), {"degree": 5},
            ("features polynomial: 64 features have 11238512 products up "
             "to degree 5, but the limit is 65536. "
                "Lower features.degree"),
        ),
    ],
)  # fmt: skip
def test_what_a_map_cannot_do(
    name: str, names: tuple[str, ...], params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ImpossibleError) as caught:
        made(name, names, **params)
    assert str(caught.value) == message


def test_values_that_grow_too_large() -> None:
    with pytest.raises(DataError) as caught:
        made("polynomial", degree=3)(np.full((2, 2), 1e13, np.float32))
    assert "row 0, column 'a^3'" in str(caught.value)
    assert "does not fit float32" in str(caught.value)


def test_a_map_of_the_wrong_shape() -> None:
    with pytest.raises(ComponentError) as caught:
        FeatureMap("mine", ("a",), lambda X: X)(X)
    assert str(caught.value) == (
        "features mine must return [rows, features] of shape [57, 1], found [57, 2]"
    )


def test_refused_on_the_command_line(in_tmp: Path) -> None:
    ended = inside(in_tmp, "features=playground", "features.use=[x,z]", *SMALL)
    assert ended.code == 2
    assert "features.use.1" in ended.err
    ended = inside(in_tmp, "features=playground", "dataset=iris", *SMALL[:1])
    assert ended.code == 2
    assert "features playground needs two features" in ended.err
    assert not list(in_tmp.iterdir())


@pytest.mark.parametrize("features", ["playground", "polynomial", "fourier", "piecewise"])
def test_same_bits_alone_in_a_stack_and_again(in_tmp: Path, features: str) -> None:
    words = (f"features={features}", "split.standardize=true", *SMALL)
    for name in ("alone", "stack"):
        (in_tmp / name).mkdir()
    stack = inside(in_tmp / "stack", "-m", *words, "seed=range(0,7)", "sweep.n_jobs=1")
    assert stack.code == 0, stack.err
    alone = process(in_tmp / "alone", *words, "seed=4")
    assert alone.code == 0, alone.err
    (twin,) = [
        path.parent for path in (in_tmp / "stack").rglob("run.json") if "seed=4" in str(path)
    ]
    for name in ("metrics.csv", "predictions.csv"):
        assert (twin / name).read_bytes() == (alone.run / name).read_bytes()
    again = inside(in_tmp / "alone", "rerun", str(alone.run))
    assert (again.code, "bit-identical" in again.out) == (0, True), again.out


def test_the_config_of_a_run_says_which_features(in_tmp: Path) -> None:
    whole = inside(in_tmp, "features=fourier", *SMALL)
    record = (whole.run / "config.yaml").read_text()
    assert yaml.safe_load(record)["features"] == {
        "name": "fourier", "n_components": 100, "gamma": 1.0,
    }  # fmt: skip


def test_the_signature_knows_the_map(planned: Any) -> None:
    plain = Job.of(planned(dataset={"name": "moons", "n_samples": 40}))
    mapped = Job.of(planned(dataset={"name": "moons", "n_samples": 40}, features="polynomial"))
    assert plain.signature != mapped.signature
    assert mapped.shapes.features == 5


def test_a_config_from_before_there_were_maps(planned: Any) -> None:
    config = dict(planned().config)
    del config["features"]
    assert plan(config)["features"].name == "none"


def test_the_boundary_is_drawn_in_the_plane_of_the_rows(in_tmp: Path) -> None:
    words = ("features=playground", "model=linear", "dataset=circles", "optimizer=adam")
    ended = inside(
        in_tmp, *words, "dataset.n_samples=200", "trainer.epochs=200", "optimizer.lr=0.1",
        "figures=all", "figures.draw=[boundary,boundary_strip]", "figures.animation=false",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    frames = Frames.from_bytes((ended.run / "frames.npz").read_bytes())
    assert frames.axes == ("x1", "x2")
    assert -1.5 < frames.xs.min() < -1 < 1 < frames.xs.max() < 1.5
    # A ring: class 1 in the middle, class 0 at the rim.
    last = frames.map(len(frames) - 1)[1]
    assert last[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0.5 < last[20, 20]


def test_a_linear_model_of_squares_tells_circles_apart(in_tmp: Path) -> None:
    import json

    words = ("dataset=circles", "model=linear", "optimizer=adam", "optimizer.lr=0.1")
    scores = {}
    for features in ("none", "playground", "fourier"):
        place = in_tmp / features
        place.mkdir()
        ended = inside(place, *words, f"features={features}", "figures=none", "trainer.epochs=300")
        scores[features] = json.loads((ended.run / "summary.json").read_text())["final"]
    assert scores["none"]["test/accuracy"] < 0.7
    assert scores["playground"]["test/accuracy"] > 0.95
    assert scores["fourier"]["test/accuracy"] > 0.95


@pytest.mark.parametrize(
    ("chosen", "width"),
    [("playground", 2), ({"name": "polynomial", "degree": 3}, 4), ({"name": "fourier"}, 3)],
)
def test_the_module_of_a_map_computes_the_same(chosen: Any, width: int) -> None:
    names = [f"x{n + 1}" for n in range(width)]
    found = register.choose("features", chosen).build(names, 3)
    X = np.random.default_rng(0).normal(size=(50, width))
    module = module_of(found)
    assert module is not None
    np.testing.assert_allclose(module(torch.from_numpy(X)).numpy(), found.function(X), atol=1e-12)
    values = json.loads(json.dumps(found.values, default=np.ndarray.tolist))
    again = from_values(found.name, found.names, values)
    np.testing.assert_array_equal(again(X), found(X))

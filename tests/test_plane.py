"""The plane of a decision boundary: where rows are seen, and where its points are taken from."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from exp.plotting import Plane

FINITE = st.floats(-1e4, 1e4, width=32)


def tables(features: st.SearchStrategy[int], rows: tuple[int, int] = (1, 30)):
    """Rows of any kind: repeated values are common, so rank-deficient tables are too."""
    elements = st.one_of(FINITE, st.sampled_from([0.0, 1.0, -1.0, 0.1, 1e4]))
    shapes = st.tuples(st.integers(*rows), features)
    return shapes.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=elements))


def fitted(X, **kw) -> Plane:
    return Plane.fit(X, [f"x{index}" for index in range(X.shape[1])], **kw)


def tolerance(plane: Plane, limits) -> float:
    """What float32 can hold of a point of the window."""
    return 1e-5 * (1.0 + max(map(abs, limits)) + float(np.abs(plane.origin).max()))


@settings(deadline=None)
@given(tables(st.integers(1, 8)))
def test_all_rows_lie_inside_the_limits(X):
    plane = fitted(X)
    x0, x1, y0, y1 = plane.limits(X)
    points = plane.project(X)
    assert points.shape == (len(X), 2)
    assert points.dtype == np.float64
    assert np.isfinite([x0, x1, y0, y1]).all()
    assert x0 < points[:, 0].min() <= points[:, 0].max() < x1
    assert y0 < points[:, 1].min() <= points[:, 1].max() < y1


@settings(deadline=None)
@given(tables(st.integers(2, 8)), st.integers(2, 6))
def test_a_lifted_point_is_seen_where_it_was_taken_from(X, resolution):
    plane = fitted(X)
    limits = plane.limits(X)
    xs, ys, points = plane.grid(limits, resolution)
    assert points.dtype == np.float32
    assert points.shape == (resolution**2, X.shape[1])
    seen = plane.project(points).reshape(resolution, resolution, 2)
    across, up = np.meshgrid(xs, ys)
    np.testing.assert_allclose(seen[..., 0], across, rtol=0, atol=tolerance(plane, limits))
    np.testing.assert_allclose(seen[..., 1], up, rtol=0, atol=tolerance(plane, limits))


@settings(deadline=None)
@given(tables(st.integers(3, 40), rows=(1, 12)))
def test_directions_are_orthonormal_and_their_sign_is_fixed(X):
    plane = fitted(X)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-9)
    for direction in plane.directions:
        assert direction[np.abs(direction).argmax()] > 0


@given(tables(st.just(2)))
def test_two_features_are_their_own_plane(X):
    plane = fitted(X)
    assert (plane.project(X) == X).all()
    xs, ys, points = plane.grid((-1.0, 2.0, 3.0, 5.0), 4)
    assert (points[:, 0].reshape(4, 4) == xs.astype(np.float32)).all()
    assert (points[:, 1].reshape(4, 4) == ys.astype(np.float32)[:, None]).all()
    assert plane.note == ""


@pytest.mark.parametrize("shape", [(200, 5), (6, 30)])
def test_components_and_shares_are_those_of_an_svd(shape):
    X = np.random.default_rng(0).normal(size=shape) * np.linspace(3, 1, shape[1])
    plane = fitted(X)
    _, values, vectors = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    assert np.abs((plane.directions * vectors[:2]).sum(axis=1)) == pytest.approx(1.0)
    shares = values**2 / (values**2).sum()
    assert plane.axes == (f"PC 1 ({shares[0]:.0%})".replace("%", " %"),
                          f"PC 2 ({shares[1]:.0%})".replace("%", " %"))  # fmt: skip
    assert f"({shares[0] + shares[1]:.0%}".replace("%", " %") in plane.note
    assert "slice" in plane.map_note
    assert "training rows" in plane.note


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((5, 4)),
        np.full((1, 3), 7.0),
        np.outer(np.arange(6.0), [1.0, 2.0, 3.0]),
        np.column_stack([np.arange(6.0), np.full(6, 3.0), np.full(6, -2.0)]),
        np.full((4, 2), 1e9),
        np.full((4, 3), 3e38),
        np.full((4, 1), -3.0),
    ],
    ids=["zeros", "one row", "rank one", "constant features", "far", "enormous", "one constant"],
)
def test_degenerate_rows_still_have_a_plane(X):
    X = X.astype(np.float32)
    plane = fitted(X)
    limits = plane.limits(X)
    xs, ys, points = plane.grid(limits, 5)
    assert np.isfinite(points).all()
    assert (np.diff(xs) > 0).all()
    assert (np.diff(ys) > 0).all()


def test_one_feature_is_spread_out_and_says_so():
    X = np.array([[3.0], [1.0], [3.0]], dtype=np.float32)
    plane = Plane.fit(X, ["length"], ["cm"])
    points = plane.project(X)
    assert (points[:, 0] == [3.0, 1.0, 3.0]).all()
    assert points[0, 1] != points[2, 1]
    assert (points == plane.project(X)).all()
    assert plane.axes[0] == "length [cm]"
    assert "no meaning" in plane.note
    *_, lifted = plane.grid((0.0, 1.0, -1.0, 1.0), 3)
    assert (lifted.reshape(3, 3) == [0.0, 0.5, 1.0]).all()


def test_labels_carry_units_where_known():
    X = np.zeros((2, 2), dtype=np.float32)
    assert Plane.fit(X, ["length", "kind"], ["cm", None]).axes == ("length [cm]", "kind")
    assert Plane.fit(X, ["a", "b"]).axes == ("a", "b")


def test_no_rows_have_limits_too():
    plane = Plane.fit(np.ones((3, 3), dtype=np.float32), "abc")
    assert plane.limits(np.zeros((0, 3))) == (-1.0, 1.0, -1.0, 1.0)


@pytest.mark.parametrize(
    ("X", "features", "units", "text"),
    [
        (np.zeros((0, 2)), ["a", "b"], None, "at least one row"),
        (np.zeros((3, 2)), ["a"], None, "expected [rows, 1]"),
        (np.zeros((3, 0)), [], None, "at least one"),
        (np.zeros((3, 2)), ["a", "b"], ["cm"], "one unit"),
    ],
)
def test_what_does_not_fit_is_refused(X, features, units, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        Plane.fit(X, features, units)


def test_a_grid_of_one_point_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        fitted(np.zeros((2, 2))).grid((0, 1, 0, 1), 1)

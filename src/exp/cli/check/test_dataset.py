"""What a data set promises: the same rows for the same seed, and no side effects."""

from __future__ import annotations

import numpy as np
import pytest

from exp.cli.check.subject import Subject, global_states, globally_seeded
from exp.cli.check.training import assert_trains
from exp.components.datasets.custom_rows import rows_of
from exp.data.dataset import Data

SEEDS = (0, 1, 42)


def rows(subject: Subject, seed: int) -> Data:
    return rows_of(subject.build(seed), subject.component.name)


@pytest.mark.essential
def test_rows(subject: Subject) -> None:
    """an exp.data.Data: X [rows, features] float32, finite; y [rows] int64, 0..K-1, or float32"""
    for seed in SEEDS:
        rows(subject, seed)


def test_seeded(subject: Subject) -> None:
    """the same rows from the same seed, for any state of the global generators"""
    with globally_seeded(1):
        one = rows(subject, 0)
    with globally_seeded(2):
        assert_same(one, rows(subject, 0))


def test_no_shared_state(subject: Subject) -> None:
    """the same rows after calls with other seeds"""
    with globally_seeded(1):
        first = rows(subject, 0)
        X, y = first.X.copy(), first.y.copy()
        for seed in SEEDS[1:]:
            rows(subject, seed)
        same = np.array_equal(first.X, X) and np.array_equal(first.y, y)
        assert same, "rows of the first call that a later call has changed"
        assert_same(first, rows(subject, 0))


def test_global_generators(subject: Subject) -> None:
    """no change of a global random generator"""
    with global_states() as changed:
        rows(subject, 0)
    assert not changed, f"{' and '.join(changed)} changed"


def test_trains(subject: Subject) -> None:
    """a short run with finite losses"""
    assert_trains(subject, model={"name": "linear"}, optimizer={"name": "adam"})


def assert_same(one: Data, other: Data) -> None:
    """Names the first place where two data sets differ."""
    shapes = [list(each.X.shape) for each in (one, other)]
    assert shapes[0] == shapes[1], f"X of shape {shapes[0]} and then {shapes[1]}"
    for row, column in np.argwhere(one.X != other.X):
        values = one.X[row, column], other.X[row, column]
        raise AssertionError(f"X[{row}, {column}] = {values[0]:g} and then {values[1]:g}")
    for row in np.flatnonzero(one.y != other.y):
        raise AssertionError(f"y[{row}] = {one.y[row]} and then {other.y[row]}")
    assert one.fingerprint == other.fingerprint, "different names of classes or features"

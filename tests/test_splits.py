"""The holdout split against scikit-learn, and what it refuses."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.data.dataset import Data, Split
from exp.data.prepared import Prepared
from exp.engine.prepare import prepare
from exp.registry.registry import register
from exp.util.errors import ConfigError, DataError

CONF = Path(__file__).parents[1] / "conf"


def holdout(labels: Any, seed: int = 42, **params: Any) -> Split:
    chosen = register.choose("split", {"name": "holdout", **params})
    split: Split = chosen.build(np.asarray(labels, np.int64), seed)
    return split


def labelled(rows: int, classes: int = 3) -> np.ndarray:
    return np.random.RandomState(rows).randint(0, classes, rows)


@pytest.mark.parametrize("name", ["holdout", "kfold", "last"])
def test_yaml_states_the_defaults(name: str) -> None:
    stated = yaml.safe_load((CONF / "split" / f"{name}.yaml").read_text())
    parameters = register.choose("split", name).component.parameters
    defaults = {key: parameter.default for key, parameter in parameters.items()}
    assert stated == {"name": name, **defaults}
    assert inspect.Parameter.empty not in defaults.values()


@given(
    rows=st.integers(30, 300),
    seed=st.integers(0, 2**32 - 1),
    test=st.floats(0.05, 0.6),
    stratify=st.booleans(),
)
def test_rows_and_order_are_those_of_train_test_split(
    rows: int, seed: int, test: float, stratify: bool
) -> None:
    labels = labelled(rows, 2)
    split = holdout(labels, seed, test=test, stratify=stratify)
    train, tested = train_test_split(
        np.arange(rows), test_size=test, random_state=seed, stratify=labels if stratify else None
    )
    np.testing.assert_array_equal(split.train, train)
    np.testing.assert_array_equal(split.test, tested)
    assert len(split.validation) == 0
    assert split.train.dtype == split.test.dtype == split.validation.dtype == np.int64


@given(
    rows=st.integers(60, 300),
    seed=st.integers(0, 2**32 - 1),
    test=st.sampled_from([0.0, 0.2, 0.33]),
    validation=st.floats(0.05, 0.4),
    stratify=st.booleans(),
)
def test_validation_rows_come_out_of_the_training_part(
    rows: int, seed: int, test: float, validation: float, stratify: bool
) -> None:
    labels = labelled(rows, 2)
    split = holdout(labels, seed, test=test, validation=validation, stratify=stratify)
    rest = np.arange(rows)
    if test:
        rest, tested = train_test_split(
            rest, test_size=test, random_state=seed, stratify=labels if stratify else None
        )
        np.testing.assert_array_equal(split.test, tested)
    train, validated = train_test_split(
        rest,
        test_size=int(np.ceil(validation * rows)),
        random_state=seed,
        stratify=labels[rest] if stratify else None,
    )
    np.testing.assert_array_equal(split.train, train)
    np.testing.assert_array_equal(split.validation, validated)
    every = np.concatenate([split.train, split.validation, split.test])
    assert sorted(every.tolist()) == list(range(rows))


def test_course_split() -> None:
    split = holdout(labelled(1000))
    train, test = train_test_split(np.arange(1000), test_size=0.2, random_state=42)
    np.testing.assert_array_equal(split.train, train)
    np.testing.assert_array_equal(split.test, test)


def test_no_test_part_leaves_the_rows_in_their_own_order() -> None:
    split = holdout(labelled(10), test=0)
    assert split.train.tolist() == list(range(10))
    assert list(split.parts) == ["train"]


def test_stratify_keeps_the_shares() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    split = holdout(labels, test=0.2, validation=0.1, stratify=True)
    assert np.bincount(labels[split.test]).tolist() == [12, 6, 2]
    assert np.bincount(labels[split.validation]).tolist() == [6, 3, 1]


def test_parts_and_digest() -> None:
    split = holdout(labelled(50), validation=0.1)
    assert list(split.parts) == ["train", "validation", "test"]
    assert split.digest == holdout(labelled(50), validation=0.1).digest
    others = [holdout(labelled(50), seed=1, validation=0.1), holdout(labelled(50))]
    swapped = Split(split.train, test=split.validation, validation=split.test)
    assert len({each.digest for each in (split, swapped, *others)}) == 4


@pytest.mark.parametrize(
    ("labels", "params", "message"),
    [
        (
            [0, 0, 0, 1, 2, 2],
            {"stratify": True, "test": 0.5},
            "split: stratify needs 2 rows of each class to hold out a test part: label 1: 1 row",
        ),
        (
            [0, 1] * 20 + [2, 2],
            {"stratify": True, "test": 0.3, "validation": 0.2},
            (
                "split: stratify needs 2 rows of each class to hold out a validation part: "
                "label 2: 1 row"
            ),
        ),
        (
            [0, 0, 0, 1, 1, 1, 2, 2, 2, 2],
            {"stratify": True, "test": 0.2},
            "split: stratify needs a row of each class in the test part: 2 rows for 3 classes",
        ),
        (
            [0, 0, 0, 1, 1, 1, 2, 2, 2, 2],
            {"stratify": True, "test": 0.8},
            "split: stratify needs a row of each class in the training part: 2 rows for 3 classes",
        ),
        (
            [0, 1, 0, 1],
            {"test": 0.9},
            "split: test=0.9 (4 rows) of 4 rows leave no training rows",
        ),
        (
            [0, 1],
            {"test": 0.4, "validation": 0.4},
            "split: test=0.4 (1 row) and validation=0.4 (1 row) of 2 rows leave no training rows",
        ),
    ],
)
def test_what_cannot_be_split(labels: list[int], params: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        holdout(labels, **params)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"test": 0.7, "validation": 0.3},
            (
                "  split.validation  expected test + validation < 1, so that training rows "
                "remain; found 0.7 + 0.3"
            ),
        ),
        ({"test": 1.0}, "  split.test  expected a number less than 1, found 1.0"),
        (
            {"stratify": 1},
            "  split.stratify  expected a boolean, found 1. Did you mean split.stratify=true?",
        ),
    ],
)
def test_impossible_shares_are_config_faults(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        register.choose("split", {"name": "holdout", **params})
    assert str(caught.value).splitlines()[1:] == [message]


def test_a_class_too_small_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f"{i},{'cat' if i % 2 else 'dog'}\n" for i in range(20))
    path.write_text(f"x,kind\n{rows}20,newt\n")
    dataset = register.choose("dataset", {"name": "csv", "path": str(path), "target": "kind"})
    split = register.choose("split", {"name": "holdout", "stratify": True})
    with pytest.raises(DataError) as caught:
        prepare(dataset, split, data_seed=0, split_seed=0)
    assert str(caught.value) == (
        "split: stratify needs 2 rows of each class to hold out a test part: "
        "class 'newt' (label 2): 1 row"
    )


def test_a_class_without_training_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f"{i},{'cat' if i % 2 else 'dog'}\n" for i in range(20))
    path.write_text(f"x,kind\n20,newt\n{rows}")
    dataset = register.choose("dataset", {"name": "csv", "path": str(path), "target": "kind"})
    split = register.choose("split", {"name": "holdout", "test": 0.5})
    seed = next(s for s in range(100) if 0 in holdout([0] * 21, s, test=0.5).test)
    with pytest.raises(DataError) as caught:
        prepare(dataset, split, data_seed=0, split_seed=seed)
    assert str(caught.value) == (
        "split: the training part needs a row of each class, but has none of these classes: "
        "class 'newt' (label 2): 1 row"
    )


def test_standardizing_sees_training_rows_only() -> None:
    X = np.random.RandomState(0).randn(100, 3) * [1, 1000, 1e-3] + [5, -3, 0]
    data = Data.checked(X, np.arange(100) % 2, classes=["a", "b"])
    split = holdout(data.y)
    prepared = Prepared.of(data, split, standardize=True)
    scaler = StandardScaler().fit(data.X[split.train].astype(np.float64))
    expected = scaler.transform(data.X.astype(np.float64)).astype(np.float32)
    np.testing.assert_allclose(prepared.X, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(prepared.transform(data.X), prepared.X)
    assert prepared.X.dtype == np.float32
    assert prepared.fingerprint == data.fingerprint
    assert Prepared.of(data, split).X is data.X


def test_minmax_is_scikit_learns_scaler_of_the_training_rows() -> None:
    X = np.random.RandomState(0).randn(100, 4) * [1, 1000, 1e-3, 0] + [5, -3, 0, 7]
    data = Data.checked(X, np.arange(100) % 2, classes=["a", "b"])
    split = holdout(data.y)
    prepared = Prepared.of(data, split, standardize="minmax")
    scaler = MinMaxScaler().fit(data.X[split.train].astype(np.float64))
    expected = scaler.transform(data.X.astype(np.float64)).astype(np.float32)
    np.testing.assert_allclose(prepared.X, expected, rtol=1e-6, atol=1e-6)
    train = prepared.X[split.train]
    assert (train.min(axis=0) == 0).all()
    assert train.max(axis=0).tolist() == [1, 1, 1, 0]
    with pytest.raises(ConfigError, match="expected a boolean or 'minmax', found 'minimax'"):
        register.choose("split", {"name": "holdout", "standardize": "minimax"})


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8, 3e38, -1e-40])
def test_a_constant_feature_becomes_zero(value: float) -> None:
    X = np.c_[np.full(50, value), np.arange(50)]
    data = Data.checked(X, np.arange(50) % 2, classes=["a", "b"])
    prepared = Prepared.of(data, holdout(data.y), standardize=True)
    assert prepared.scale is not None
    assert prepared.scale[0] == 1.0
    assert (prepared.X[:, 0] == 0).all()


def test_standardizing_beyond_float32_names_row_and_column() -> None:
    X = np.zeros((20, 1))
    X[:, 0] = np.arange(20) * 1e-40
    split = holdout([0] * 20)
    X[split.test[0]] = 3e38
    data = Data.checked(X, np.arange(20) % 2, classes=["a", "b"])
    with pytest.raises(DataError) as caught:
        _ = Prepared.of(data, split, standardize=True).X
    row = split.test[0]
    assert str(caught.value).startswith(f"standardizing: row {row}, column 'x1': ")
    assert str(caught.value).endswith("does not fit float32")

"""Groups, stated parts and nested folds, compared with scikit-learn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

import exp
import exp.registry.kinds
from commands import Ended, inside, read_csv
from exp.data.dataset import Data, Split
from exp.data.split_columns import column_of
from exp.engine.prepare import prepare
from exp.registry.registry import register
from exp.util.errors import ConfigError, DataError

SEEDS = st.integers(0, 10_000)


def split_of(
    name: str,
    labels: Any,
    seed: int,
    columns: Mapping[str, Any] | None = None,
    **params: Any,
) -> Split:
    chosen = register.choose("split", {"name": name, **params})
    given = {key: column_of(values, key) for key, values in (columns or {}).items()}
    split: Split = chosen.build(np.asarray(labels, np.int64), seed, columns=given)
    return split


def table(rows: int, groups: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of two classes, and groups of which each has a row."""
    rng = np.random.default_rng([rows, groups, seed])
    group = rng.permutation(np.append(np.arange(groups), rng.integers(0, groups, rows - groups)))
    return rng.permutation(np.arange(rows) % 2), group


def whole(groups: np.ndarray, split: Split) -> bool:
    """Whether each group is in one part, and each row in one."""
    parts = [set(groups[rows].tolist()) for rows in split.parts.values()]
    rows = np.concatenate([*split.parts.values()])
    disjoint = len(set().union(*parts)) == sum(map(len, parts))
    return disjoint and sorted(rows.tolist()) == list(range(len(groups)))


@given(
    groups=st.integers(4, 30), seed=SEEDS, test=st.floats(0.1, 0.5), validation=st.floats(0.05, 0.2)
)
def test_holdout_of_groups_is_scikit_learns(
    groups: int, seed: int, test: float, validation: float
) -> None:
    labels, group = table(80, groups)
    split = split_of(
        "holdout", labels, seed, {"g": group}, groups="g", test=test, validation=validation
    )
    shuffle = GroupShuffleSplit(1, test_size=test, random_state=seed)
    train, tested = next(shuffle.split(labels, groups=group))
    size = int(np.ceil(validation * groups))
    inner = GroupShuffleSplit(1, test_size=size, random_state=seed)
    kept, validated = next(inner.split(train, groups=group[train]))
    np.testing.assert_array_equal(split.test, tested)
    np.testing.assert_array_equal(split.train, train[kept])
    np.testing.assert_array_equal(split.validation, train[validated])
    assert whole(group, split)


@given(groups=st.integers(5, 30), seed=SEEDS, stratify=st.booleans(), folds=st.integers(2, 5))
def test_folds_of_groups_are_scikit_learns(
    groups: int, seed: int, stratify: bool, folds: int
) -> None:
    labels, group = table(90, groups)
    kind = StratifiedGroupKFold if stratify else GroupKFold
    wanted = [*kind(folds, shuffle=True, random_state=seed // folds).split(labels, labels, group)]
    train, tested = wanted[seed % folds]
    options: dict[str, Any] = {"folds": folds, "stratify": stratify, "groups": "g"}
    texts = np.array([f"p{each:03}" for each in group])
    for column in (group, texts, group.astype(float), group.astype(str), list(texts)):
        split = split_of("kfold", labels, seed, {"g": column}, **options)
        np.testing.assert_array_equal(split.train, train)
        np.testing.assert_array_equal(split.test, tested)
    assert whole(group, split)


@given(seed=SEEDS, stratify=st.booleans(), grouped=st.booleans(), inner=st.integers(2, 4))
def test_inner_folds_are_folds_of_the_training_part(
    seed: int, stratify: bool, grouped: bool, inner: int
) -> None:
    labels, group = table(120, 40)
    options: dict[str, Any] = {"folds": 3, "stratify": stratify, "inner_folds": inner}
    split = split_of(
        "kfold", labels, seed, {"g": group}, groups="g" if grouped else None, **options
    )
    plain, of_groups = (StratifiedKFold, StratifiedGroupKFold) if stratify else (KFold, GroupKFold)
    kind = of_groups if grouped else plain
    shuffled = {"shuffle": True, "random_state": seed // (3 * inner)}
    outer = [*kind(3, **shuffled).split(labels, labels, group if grouped else None)]
    train, tested = outer[seed % 3]
    parts = [
        *kind(inner, **shuffled).split(train, labels[train], group[train] if grouped else None)
    ]
    kept, validated = parts[seed // 3 % inner]
    np.testing.assert_array_equal(split.test, tested)
    np.testing.assert_array_equal(split.validation, train[validated])
    np.testing.assert_array_equal(split.train, train[kept])


def test_a_nested_round_validates_and_tests_each_row_as_often() -> None:
    labels, _ = table(60, 2)
    splits = [split_of("kfold", labels, seed, folds=3, inner_folds=4) for seed in range(12)]
    tested = np.bincount(np.concatenate([each.test for each in splits]), minlength=60)
    validated = np.bincount(np.concatenate([each.validation for each in splits]), minlength=60)
    assert tested.tolist() == [4] * 60
    assert validated.tolist() == [2] * 60  # in every outer fold but its own
    # No run of an outer fold trains or validates with its test rows.
    for fold in range(3):
        outer = [splits[seed] for seed in range(fold, 12, 3)]
        assert all(np.array_equal(each.test, outer[0].test) for each in outer)
        seen = np.concatenate([np.append(each.train, each.validation) for each in outer])
        assert not np.isin(outer[0].test, seen).any()


@given(seed=SEEDS, stratify=st.booleans(), share=st.floats(0.05, 0.4))
def test_a_share_of_validation_rows_within_folds(seed: int, stratify: bool, share: float) -> None:
    labels, _ = table(80, 2)
    split = split_of("kfold", labels, seed, folds=4, stratify=stratify, validation=share)
    kind = StratifiedKFold if stratify else KFold
    parts = [*kind(4, shuffle=True, random_state=seed // 4).split(labels, labels)]
    train, tested = parts[seed % 4]
    kept, validated = train_test_split(
        train,
        test_size=int(np.ceil(share * 80)),
        random_state=seed,
        stratify=labels[train] if stratify else None,
    )
    np.testing.assert_array_equal(split.test, tested)
    np.testing.assert_array_equal(split.train, kept)
    np.testing.assert_array_equal(split.validation, validated)


@given(seed=SEEDS, folds=st.integers(2, 6), always=st.booleans())
def test_folds_of_a_column_are_those_of_predefined_split(
    seed: int, folds: int, always: bool
) -> None:
    labels, fold = table(70, folds)
    fold[:10] = -1 if always else fold[:10]
    while len(np.unique(fold[fold >= 0])) < folds:
        fold = np.append(fold[:10], np.arange(60) % folds)
    train, tested = [*PredefinedSplit(fold).split()][seed % folds]
    for column in (fold, [str(each) for each in fold]):
        split = split_of("kfold", labels, seed, {"f": column}, column="f", folds=folds)
        np.testing.assert_array_equal(split.train, train)
        np.testing.assert_array_equal(split.test, tested)


def test_parts_of_a_column() -> None:
    part = ["train", "Val", "TEST", "training", "dev", "testing", "train", "train", "valid"]
    labels = [0, 1, 0, 1, 0, 1, 0, 1, 0]
    split = split_of("holdout", labels, 7, {"p": part}, column="p", validation="column")
    assert split.train.tolist() == [0, 3, 6, 7]
    assert split.validation.tolist() == [1, 4, 8]
    assert split.test.tolist() == [2, 5]
    # A share of validation rows comes out of those that train.
    part = [each if each.lower()[0] == "t" else "train" for each in part]
    split = split_of("holdout", labels, 7, {"p": part}, column="p", validation=0.2)
    train = np.flatnonzero(np.array([each.lower().startswith("train") for each in part]))
    kept, validated = train_test_split(train, test_size=2, random_state=7)
    assert split.train.tolist() == kept.tolist()
    assert split.validation.tolist() == validated.tolist()
    assert split.test.tolist() == [2, 5]


def test_the_last_groups() -> None:
    days = ["a", "a", "b", "b", "b", "c", "d", "d", "e", "e"]
    split = split_of("last", [0, 1] * 5, 0, {"d": days}, groups="d", test=0.2, validation=0.4)
    assert split.test.tolist() == [8, 9]
    assert split.validation.tolist() == [5, 6, 7]
    assert split.train.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match=r"group 'a' of column 'd' are not adjacent .row 3"):
        split_of("last", [0, 1] * 2, 0, {"d": ["a", "b", "b", "a"]}, groups="d")


@pytest.mark.parametrize(
    ("name", "column", "params", "message"),
    [
        ("kfold", ["a"] * 6 + ["b"] * 6, {"groups": "c"}, "10 folds of 2 groups"),
        ("holdout", ["a"] * 12, {"groups": "c"}, "of 1 group leave no training rows"),
        ("holdout", ["a"] * 12, {"column": "c"}, "column 'c' contains 'a', expected train"),
        ("holdout", [0, 1] * 6, {"column": "c"}, "for numbers of folds use split=kfold"),
        ("holdout", ["train"] * 12, {"column": "c"}, "has no test rows: set split.test=0"),
        ("holdout", ["test"] * 12, {"column": "c"}, "column 'c' has no row of train, only 'test'"),
        (
            "holdout", ["train", "val", "test"] * 4, {"column": "c"},
            "has 4 rows for validation, but split.validation is 0.0: set split.validation=column",
        ),
        (
            "holdout", ["train", "test"] * 6, {"column": "c", "validation": "column"},
            "has no validation rows",
        ),
        ("kfold", [0, 1, 2] * 4, {"column": "c"}, "has 3 folds .0, 1, 2.: split.folds=3"),
        (
            "kfold", ["train", "test"] * 6, {"column": "c", "folds": 5},
            "for parts use split=holdout",
        ),
    ],
)  # fmt: skip
def test_columns_that_do_not_say_enough(
    name: str, column: list[Any], params: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        split_of(name, [0, 1] * 6, 0, {"c": column}, **params)


def test_stated_parts_must_not_tear_groups() -> None:
    columns = {"g": ["a", "b", "c", "a"], "p": ["train", "train", "test", "test"]}
    with pytest.raises(DataError, match="group 'a' of column 'g' are in train and in test"):
        split_of("holdout", [0, 1, 0, 1], 0, columns, column="p", groups="g")


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"name": "holdout", "groups": "a", "column": "a"}, "split.groups"),
        ({"name": "holdout", "groups": "a", "stratify": True}, "split.stratify"),
        ({"name": "holdout", "validation": "column"}, "split.validation"),
        ({"name": "holdout", "validation": "colum"}, "split.validation"),
        ({"name": "kfold", "validation": 0.2, "inner_folds": 3}, "split.inner_folds"),
    ],
)
def test_what_does_not_go_together(params: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        register.choose("split", params)
    assert path in [fault.path for fault in caught.value.faults]


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels, group = table(60, 12)
    return pd.DataFrame(
        {
            "a": rng.normal(size=60).round(3),
            "b": rng.normal(size=60).round(3),
            "patient": [f"p{each}" for each in group],
            "visit": group * 3,
            "fold": np.arange(60) % 3,
            "answer": np.where(labels, "yes", "no"),
        }
    )


def written(frame: pd.DataFrame, where: Path, kind: str) -> dict[str, Any]:
    """A file of these rows, and the parameters of its data set."""
    path = where / f"rows.{kind.partition(' ')[0]}"
    params: dict[str, Any] = {"name": path.suffix[1:], "path": str(path)}
    if kind == "npz":
        others = {name: frame[name].to_numpy() for name in ("patient", "visit", "fold")}
        X, y = frame[["a", "b"]].to_numpy(), frame["answer"].to_numpy(str)
        np.savez(path, X=X, y=y, names=np.array(["a", "b"]), **others)
        return params
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "csv with an index":
        frame.to_csv(path)
    else:
        frame.to_csv(path, index=False, decimal=",", sep=";")
        params |= {"decimal": ",", "delimiter": ";"}
    return {**params, "target": "answer"}


@pytest.mark.parametrize("kind", ["csv", "csv with an index", "parquet", "npz"])
@pytest.mark.parametrize("groups", ["patient", "visit"])
def test_files_say_which_rows_belong_together(
    frame: pd.DataFrame, tmp_path: Path, kind: str, groups: str
) -> None:
    params = written(frame, tmp_path, kind)
    others = [] if kind == "npz" else [n for n in ("patient", "visit", "fold") if n != groups]
    features = {"features": ["a", "b"]} if others else {}
    dataset = register.choose("dataset", {**params, **features})
    split = register.choose("split", {"name": "kfold", "folds": 4, "groups": groups})
    rows = prepare(dataset, split, data_seed=0, split_seed=6)
    assert rows.features == ("a", "b")
    y, values = (frame["answer"] == "yes").to_numpy(int), frame[groups].to_numpy()
    wanted = [*StratifiedGroupKFold(4, shuffle=True, random_state=1).split(y, y, values)][2]
    np.testing.assert_array_equal(rows.split.train, wanted[0])
    np.testing.assert_array_equal(rows.split.test, wanted[1])


def test_a_column_of_the_split_is_no_feature(frame: pd.DataFrame, tmp_path: Path) -> None:
    params = written(frame.drop(columns="visit"), tmp_path, "csv with an index")
    split = {"name": "kfold", "folds": 3, "column": "fold", "groups": "Unnamed: 0"}
    dataset = register.choose("dataset", {**params, "features": None, "categorical": ["patient"]})
    rows = prepare(dataset, register.choose("split", split), data_seed=0, split_seed=1)
    assert rows.data.features == ("a", "b", "patient")
    assert rows.split.test.tolist() == list(range(1, 60, 3))


@pytest.mark.parametrize(
    ("params", "split", "message"),
    [
        ({}, {"groups": "patiant"}, "no column 'patiant'. Did you mean 'patient'?"),
        ({}, {"groups": "answer"}, "it is the target"),
        ({"features": ["a", "patient"]}, {"groups": "patient"}, "leave it out of `features`"),
        ({"features": ["a"], "missing": "impute"}, {"groups": "gone"}, "needs is missing in 1 of"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_of_a_file_that_cannot_be_used(
    frame: pd.DataFrame, tmp_path: Path, kind: str, params: Any, split: Any, message: str
) -> None:
    frame["gone"] = ["", *frame["patient"][1:]] if kind == "csv" else [None, *frame["patient"][1:]]
    dataset = register.choose("dataset", {**written(frame, tmp_path, kind), **params})
    chosen = register.choose("split", {"name": "holdout", **split})
    with pytest.raises(DataError) as caught:
        prepare(dataset, chosen, data_seed=0, split_seed=0)
    assert message in str(caught.value)
    if "missing" in params:
        dropped = register.choose(
            "dataset", {**written(frame, tmp_path, kind), **params, "missing": "drop"}
        )
        assert len(prepare(dropped, chosen, data_seed=0, split_seed=0).data.y) == 59


@pytest.fixture
def unregistered() -> Iterator[None]:
    """Takes what a test of this file registers out of the registry again."""
    yield
    for kind in register.kinds.values():
        for name in [n for n, each in kind.components.items() if each.module == __name__]:
            del kind.components[name]


@pytest.mark.usefixtures("unregistered")
def test_custom_data_have_columns_for_a_split(frame: pd.DataFrame) -> None:
    """As a field of `Data`, as a column of a frame, as a key of a mapping."""
    y = (frame["answer"] == "yes").to_numpy(int)
    X, patients = frame[["a", "b"]], frame["patient"]
    give: dict[str, Callable[[int], Any]] = {
        "data": lambda seed: Data.checked(
            X.to_numpy(), y, classes=["no", "yes"], columns={"patient": patients}
        ),
        "frame": lambda seed: frame[["a", "b", "patient"]].assign(target=y),
        "pair": lambda seed: (frame[["a", "b", "patient"]], y),
        "bunch": lambda seed: {"data": X.to_numpy(), "target": y, "patient": patients},
    }
    wanted = next(GroupShuffleSplit(1, test_size=0.2, random_state=5).split(y, groups=patients))
    for way, builder in give.items():
        name = f"patients_as_{way}"
        register.dataset(name)(builder)
        split = register.choose("split", {"name": "holdout", "groups": "patient"})
        rows = prepare(register.choose("dataset", name), split, data_seed=0, split_seed=5)
        assert len(rows.features) == 2
        np.testing.assert_array_equal(rows.split.train, wanted[0])
        np.testing.assert_array_equal(rows.split.test, wanted[1])
        none = register.choose("split", {"name": "holdout", "groups": "patent"})
        near = "" if way == "bunch" else ". Did you mean 'patient'"
        with pytest.raises(DataError, match=f"unknown column 'patent'{near}"):
            prepare(register.choose("dataset", name), none, data_seed=0, split_seed=5)


@pytest.mark.usefixtures("unregistered")
def test_a_custom_split_is_given_the_columns(frame: pd.DataFrame, tmp_path: Path) -> None:
    @register.split("one_patient")
    def one_patient(labels: Any, seed: int, columns: Any, *, groups: str = "patient") -> Split:
        """Tests on one group."""
        of = columns[groups]
        tested = of == np.unique(of)[seed]
        return Split(np.flatnonzero(~tested), np.flatnonzero(tested))

    params = written(frame.drop(columns=["visit", "fold"]), tmp_path, "csv")
    rows = prepare(
        register.choose("dataset", params),
        register.choose("split", {"name": "one_patient"}),
        data_seed=0,
        split_seed=2,
    )
    patient = sorted(set(frame["patient"]))[2]
    assert rows.split.test.tolist() == np.flatnonzero(frame["patient"] == patient).tolist()
    assert rows.features == ("a", "b")


def test_folds_of_numbers() -> None:
    """The target is a number: no shares of classes, but folds and groups."""
    _, group = table(50, 9)
    numbers = np.random.default_rng(0).normal(size=50).astype(np.float32)
    chosen = register.choose(
        "split", {"name": "kfold", "folds": 3, "stratify": False, "groups": "g", "inner_folds": 2}
    )
    split = chosen.build(numbers, 4, columns={"g": group})
    wanted = [*GroupKFold(3, shuffle=True, random_state=0).split(numbers, groups=group)][1]
    np.testing.assert_array_equal(split.test, wanted[1])
    assert whole(group, split)


def test_a_classifier_takes_groups(frame: pd.DataFrame) -> None:
    X, y, groups = frame[["a", "b"]], frame["answer"], frame["patient"]
    options = {"epochs": 3, "validation": 0.3, "seed": 4}
    fitted = exp.Classifier(**options).fit(X, y, groups=groups)
    shuffle = GroupShuffleSplit(1, test_size=int(np.ceil(0.3 * 12)), random_state=4)
    train, _ = next(shuffle.split(X, groups=groups))
    alone = exp.Classifier(epochs=3, seed=4).fit(X.iloc[train], y.iloc[train])
    for name, weights in fitted.weights_.items():
        np.testing.assert_array_equal(weights, alone.weights_[name])
    with pytest.raises(ValueError, match=r"split\.groups"):
        exp.Classifier(overrides=["split.groups=patient"]).fit(X, y)


def test_runs_of_groups_are_repeated_and_used(frame: pd.DataFrame, in_tmp: Path) -> None:
    frame.drop(columns=["visit", "fold"]).to_csv("rows.csv", index=False)
    frame.drop(columns=["visit", "fold", "patient", "answer"]).to_csv("new.csv", index=False)
    few = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=answer", "figures=none")
    words = (*few, "split=kfold", "split.folds=3", "split.inner_folds=2", "split.groups=patient")
    words = (*words, "split.standardize=true", "trainer.epochs=4", "seed=4")
    assert inside(in_tmp, *words, "hydra.run.dir=run").code == 0
    found = read_csv(in_tmp / "run/predictions.csv")
    assert list(found)[:4] == ["split", "row", "a", "b"]
    group = frame["patient"].to_numpy()[found["row"].astype(int)]
    parts = [set(group[found["split"] == part]) for part in ("train", "validation", "test")]
    assert all(parts)
    assert len(set.union(*parts)) == sum(map(len, parts)) == 12
    again = inside(in_tmp, "rerun", "run")
    assert again.code == 0, again.err
    assert again.out.rstrip().splitlines()[-1] == "bit-identical"
    # A new row needs no group.
    assert inside(in_tmp, "predict", "run", "new.csv", "--output", "answers.csv").code == 0
    assert len(read_csv(in_tmp / "answers.csv")["predicted"]) == 60
    summary = json.loads((in_tmp / "run/summary.json").read_text())
    assert "validation/accuracy" in summary["final"]


def test_a_wrong_column_starts_nothing(frame: pd.DataFrame, in_tmp: Path) -> None:
    frame.to_csv("rows.csv", index=False)
    few = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=answer", "figures=none")

    def refused(*words: str) -> Ended:
        ended = inside(in_tmp, *few, *words)
        assert ended.code == 2
        assert "Traceback" not in ended.err
        return ended

    assert "Did you mean 'patient'?" in refused("split.groups=patien").err
    wanted = "split.folds is 10, and column 'fold' has 3 folds (0, 1, 2): split.folds=3"
    assert f"split.column: {wanted}" in refused("split=kfold", "split.column=fold").err
    # A sweep reports it as a fault of the split, not of the data set.
    of_sweep = refused("-m", "split=kfold", "split.column=fold", "seed=0,1").err
    assert f"  split.column  {wanted}" in of_sweep
    few_rows = refused("-m", "split=kfold", "split.folds=500", "seed=0,1").err
    assert "  split  expected at least one row per fold, found 500 folds of 60 rows" in few_rows
    assert sorted(path.name for path in in_tmp.iterdir()) == ["rows.csv"]


def test_a_round_of_folds_that_is_not_complete_is_reported(in_tmp: Path) -> None:
    few = ("-m", "dataset=wine", "split=kfold", "split.folds=3", "trainer.epochs=1")
    few = (*few, "figures=none", "sweep.n_jobs=1")
    line = "split=kfold: the {} seeds do not test on each of the 3 folds equally often"
    for seeds, wanted in (("0,1", 2), ("0,1,2,3", 4), ("0,1,2", 0), ("0,3", 0), ("range(0,6)", 0)):
        ended = inside(in_tmp, *few, f"seed={seeds}")
        assert ended.code == 0, ended.err
        assert (line.format(wanted) in ended.out) == bool(wanted)
        assert ("equally often" in ended.out) == bool(wanted)


def test_choosing_by_test_rows_is_warned_of(in_tmp: Path) -> None:
    warned = "This ranking uses the test rows"
    few = ("-m", "figures=none", "dataset.n_samples=40", "trainer.epochs=2", "sweep.n_jobs=1")
    for words, wanted in (
        (("optimizer=sgd,adam", "seed=0,1"), True),
        (("optimizer=sgd,adam",), True),
        (("optimizer=sgd", "seed=0,1"), False),
        (("optimizer=sgd,adam", "seed=0,1", "split.validation=0.2"), False),
        (("split.validation=0,0.2", "seed=0,1"), False),
    ):
        place = f"sweep{len(list(in_tmp.iterdir()))}"
        ended = inside(in_tmp, *few, *words, f"sweep.dir={place}")
        assert ended.code == 0, ended.err
        assert (warned in ended.out) == wanted
        assert (warned in inside(in_tmp, "results", place).out) == wanted
    assert warned not in inside(in_tmp, "results", "sweep0", "--metric", "train/loss").out
    # Where only some of the groups have validation rows, the others are chosen by test rows.
    for place, wanted in (("sweep3", False), ("sweep4", True)):
        ended = inside(in_tmp, "results", place, "--metric", "test/accuracy")
        assert ended.code == 0, ended.err
        assert (warned in ended.out) == wanted


def test_groups_beside_a_file_of_test_rows(frame: pd.DataFrame, in_tmp: Path) -> None:
    """The groups divide the first file only; the second needs no such column."""
    frame[["a", "b", "patient", "answer"]][:40].to_csv("rows.csv", index=False)
    frame[["a", "b", "answer"]][40:].to_csv("test.csv", index=False)
    params = {"path": "rows.csv", "test_path": "test.csv", "target": "answer"}
    dataset = register.choose("dataset", {"name": "csv", **params})
    split = register.choose("split", {"name": "holdout", "groups": "patient", "validation": 0.3})
    rows = prepare(dataset, split, data_seed=0, split_seed=2)
    group = frame["patient"].to_numpy()[:40]
    size = int(np.ceil(0.3 * len(set(group))))
    shuffle = GroupShuffleSplit(1, test_size=size, random_state=2)
    train, validated = next(shuffle.split(group, groups=group))
    np.testing.assert_array_equal(rows.split.train, train)
    np.testing.assert_array_equal(rows.split.validation, validated)
    assert rows.split.test.tolist() == list(range(40, 60))
    assert rows.features == ("a", "b")


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated:DeprecationWarning")
def test_a_run_of_groups_is_exported(frame: pd.DataFrame, in_tmp: Path) -> None:
    frame[["a", "b", "patient", "answer"]].to_csv("rows.csv", index=False)
    few = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=answer", "figures=none")
    words = (*few, "split.groups=patient", "trainer.epochs=2", "hydra.run.dir=run")
    assert inside(in_tmp, *words).code == 0
    ended = inside(in_tmp, "export", "run", "--to", "torchscript")
    assert ended.code == 0, ended.err
    (file,) = (path for path in in_tmp.rglob("*.pt") if "checkpoints" not in path.parts)
    found = torch.jit.load(file)(torch.tensor(frame[["a", "b"]].to_numpy(), dtype=torch.float32))
    wanted = read_csv(in_tmp / "run/predictions.csv")["row"].astype(int)
    first = found[0] if isinstance(found, tuple) else found
    assert len(first) == len(wanted) == 60

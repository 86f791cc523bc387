"""Splits in the order of time, compared with scikit-learn."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit, train_test_split

from commands import inside, runs
from exp.data.dataset import Data, Split
from exp.engine.prepare import prepare
from exp.registry.registry import register
from exp.util.errors import ConfigError, DataError
from test_split_columns import split_of

SEEDS = st.integers(0, 10_000)
FORMS = st.sampled_from(["whole", "numbers", "texts of numbers", "dates", "moments"])


def written(times: np.ndarray, form: str) -> Any:
    """Times [rows] from 0 in several ways to write them."""
    days = np.datetime64("2024-02-27") + times
    return {
        "whole": times,
        "numbers": times / 4,
        "texts of numbers": (times / 4).astype(str),
        "dates": days.astype(str),
        "moments": (days.astype("datetime64[s]") + 1800).astype(str),
    }[form]


@given(rows=st.integers(20, 90), seed=SEEDS, form=FORMS, test=st.floats(0.1, 0.5))
def test_the_newest_rows_are_held_out(rows: int, seed: int, form: str, test: float) -> None:
    times = np.random.default_rng(seed).permutation(rows)
    order = np.argsort(times)
    options = {"time": "t", "test": test, "validation": 0.2}
    split = split_of("holdout", times % 2, seed, {"t": written(times, form)}, **options)
    rest, tested = train_test_split(order, test_size=test, shuffle=False)
    train, validated = train_test_split(rest, test_size=int(np.ceil(0.2 * rows)), shuffle=False)
    np.testing.assert_array_equal(split.train, train)
    np.testing.assert_array_equal(split.validation, validated)
    np.testing.assert_array_equal(split.test, tested)


@given(rows=st.integers(20, 90), seed=SEEDS, form=FORMS, folds=st.integers(2, 6))
def test_folds_are_those_of_time_series_split(rows: int, seed: int, form: str, folds: int) -> None:
    times = np.random.default_rng(seed).permutation(rows)
    order = np.argsort(times)
    options: dict[str, Any] = {"time": "t", "folds": folds}
    columns = {"t": written(times, form)}
    split = split_of("kfold", times % 2, seed, columns, **options)
    train, tested = [*TimeSeriesSplit(folds).split(order)][seed % folds]
    np.testing.assert_array_equal(split.train, order[train])
    np.testing.assert_array_equal(split.test, order[tested])
    share = split_of("kfold", times % 2, seed, columns, **options, validation=0.25)
    size = int(np.ceil(0.25 * len(train)))
    np.testing.assert_array_equal(share.train, order[train[:-size]])
    np.testing.assert_array_equal(share.validation, order[train[-size:]])
    np.testing.assert_array_equal(share.test, split.test)
    if len(train) < 4:
        return
    inner = split_of("kfold", times % 2, seed, columns, **options, inner_folds=3)
    kept, validated = [*TimeSeriesSplit(3).split(train)][seed // folds % 3]
    np.testing.assert_array_equal(inner.train, order[train[kept]])
    np.testing.assert_array_equal(inner.validation, order[train[validated]])
    np.testing.assert_array_equal(inner.test, split.test)


@given(
    times=st.lists(st.integers(0, 12), min_size=12, max_size=60).filter(lambda t: len(set(t)) > 6),
    seed=SEEDS,
    folded=st.booleans(),
)
def test_equal_times_are_not_divided(times: list[int], seed: int, folded: bool) -> None:
    values = np.array(times)
    name, options = ("kfold", {"folds": 4}) if folded else ("holdout", {"test": 0.3})
    # Before the first fold there may be rows of one time only.
    options["validation"] = 0 if folded and seed % 4 == 0 else 0.2
    split = split_of(name, values % 2, seed, {"t": values}, time="t", **options)
    parts = [values[rows] for rows in (split.train, split.validation, split.test) if len(rows)]
    assert len(parts) == (3 if options["validation"] else 2)
    for older, newer in itertools.pairwise(parts):
        assert older.max() < newer.min()


@pytest.mark.parametrize(
    ("times", "share", "expected"),
    [
        ([1] * 7 + [2] * 3, 0.2, 3),
        ([1] * 5 + [2] * 4 + [3], 0.2, 1),
        ([1] * 5 + [2] * 2 + [3], 0.5, 3),
    ],
)
def test_shares_are_rounded_to_the_nearest_time(
    times: list[int], share: float, expected: int
) -> None:
    labels = np.arange(len(times)) % 2
    split = split_of("holdout", labels, 0, {"t": times}, time="t", test=share)
    assert len(split.test) == expected


@pytest.mark.parametrize(
    ("times", "options", "message"),
    [
        ([1, 1, 1, 1], {"test": 0.25}, "training and test rows need 2 different times"),
        ([1, 1, 2, 2], {"test": 0.25, "validation": 0.25}, "need 3 different times, and the rows"),
        (["2026-01-01", "2026-01-02", "soon", "2026-01-03"], {}, "row 2: 'soon' is neither"),
        (["28.11.2026", "27.11.2026", "1.1.2026", "2.2.2026"], {}, r"dataset.dates={t: \"%d.%m"),
        ([1, 2, 3, 4], {"groups": "g"}, "split.groups  expected null with split.time"),
        ([1, 2, 3, 4], {"column": "g"}, "split.column  expected null with split.time"),
        ([1, 2, 3, 4], {"stratify": True}, "split.stratify  expected false with split.time"),
    ],
)
def test_what_cannot_be_in_order(times: Any, options: Any, message: str) -> None:
    columns = {"t": times, "g": ["train", "test"] * 2}
    with pytest.raises((ConfigError, DataError), match=message):
        split_of("holdout", [0, 1, 0, 1], 0, columns, time="t", **options)


@pytest.mark.parametrize("other", ["groups", "column"])
def test_folds_in_time_are_not_those_of_a_column(other: str) -> None:
    with pytest.raises(ConfigError, match=f"split.{other}  expected null with split.time"):
        split_of("kfold", [0, 1] * 4, 0, {"t": range(8)}, time="t", folds=2, **{other: "g"})


@pytest.fixture
def sales() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.date_range("2026-01-01", periods=20).repeat(3)
    frame = pd.DataFrame({"day": days, "a": rng.normal(size=60), "b": rng.normal(size=60)})
    frame["sold"] = np.where(frame["a"] + rng.normal(size=60) > 0, "yes", "no")
    return frame.sample(frac=1, random_state=1, ignore_index=True)


@pytest.mark.parametrize("kind", ["csv", "german csv", "parquet", "npz"])
def test_times_of_a_file(sales: pd.DataFrame, in_tmp: Path, kind: str) -> None:
    params: dict[str, Any] = {"name": kind.split()[-1], "path": "t", "target": "sold"}
    if kind == "csv":
        sales.to_csv("t", index=False)
    elif kind == "german csv":
        sales.assign(day=sales["day"].dt.strftime("%d.%m.%Y")).to_csv("t", index=False)
        params["dates"] = {"day": "%d.%m.%Y"}
    elif kind == "parquet":
        sales.to_parquet("t")
    else:
        X, y = sales[["a", "b"]].to_numpy(), sales["sold"].to_numpy(str)
        day = sales["day"].dt.strftime("%Y-%m-%d").to_numpy(str)
        with open("t", "wb") as file:
            np.savez(file, X=X, y=y, names=["a", "b"], day=day)
        del params["target"]
    split = register.choose("split", {"name": "holdout", "time": "day", "validation": 0.2})
    rows = prepare(register.choose("dataset", params), split, data_seed=0, split_seed=7)
    assert rows.features == ("a", "b")
    days = sales["day"].dt.day_of_year.to_numpy()
    assert set(days[rows.split.train]) == set(range(1, 13))
    assert set(days[rows.split.validation]) == set(range(13, 17))
    assert set(days[rows.split.test]) == set(range(17, 21))
    (note,) = rows.data.notes
    reach = note.replace(" 00:00:00", "")
    assert "train from 2026-01-01 to 2026-01-12" in reach
    assert "validation from 2026-01-13 to 2026-01-16" in reach
    assert "test from 2026-01-17 to 2026-01-20" in reach


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_time_can_be_a_feature_too(sales: pd.DataFrame, in_tmp: Path, kind: str) -> None:
    sales.to_csv("t.csv", index=False)
    sales.to_parquet("t.parquet")
    params = {"name": kind, "path": f"t.{kind}", "target": "sold"}
    chosen = {**params, "features": ["day", "a"], "dates": ["day"]}
    split = register.choose("split", {"name": "holdout", "time": "day"})
    rows = prepare(register.choose("dataset", chosen), split, data_seed=0, split_seed=0)
    assert rows.features == ("day", "a")
    assert rows.X[rows.split.train, 0].max() < rows.X[rows.split.test, 0].min()
    unused = {**params, "features": ["a", "b"], "dates": ["day"]}
    prepare(register.choose("dataset", unused), split, data_seed=0, split_seed=0)
    with pytest.raises(DataError, match="not among the features"):
        prepare(
            register.choose("dataset", unused),
            register.choose("split", "holdout"),
            data_seed=0,
            split_seed=0,
        )


@pytest.mark.parametrize(
    ("day", "words", "message"),
    [
        ("", [], "line 3, column 'day'  a value that the split needs is missing in 1 of 8 rows"),
        ("soon", ["dataset.dates=[day]"], "line 3, column 'day'  'soon' is not a date"),
        ("soon", [], "column 'day', row 1: 'soon' is neither a number nor a date"),
    ],
)
def test_times_that_are_none(in_tmp: Path, day: str, words: list[str], message: str) -> None:
    days = ["2026-01-01", day, *(f"2026-01-{n:02}" for n in range(3, 9))]
    lines = [f"{each},{n},{'xy'[n % 2]}" for n, each in enumerate(days)]
    (in_tmp / "t.csv").write_text("\n".join(["day,a,kind", *lines]) + "\n")
    chosen = ["dataset=csv", "dataset.path=t.csv", "dataset.target=kind", "split.time=day"]
    ended = inside(in_tmp, *chosen, *words, "trainer.epochs=2", "figures=none")
    assert ended.code == 2
    assert message in ended.err


def test_a_run_says_from_when_to_when(sales: pd.DataFrame, in_tmp: Path) -> None:
    sales.to_csv("t.csv", index=False)
    chosen = ["dataset=csv", "dataset.path=t.csv", "dataset.target=sold", "split.time=day"]
    ended = inside(in_tmp, *chosen, "trainer.epochs=2", "figures=none")
    assert ended.code == 0, ended.err
    assert "test from 2026-01-17 to 2026-01-20" in ended.out
    (run,) = runs(in_tmp)
    record = json.loads((run / "run.json").read_text())
    assert any("train from 2026-01-01 to 2026-01-16" in note for note in record["data"]["notes"])


def test_times_with_zones_and_of_a_data_set_in_python() -> None:
    zones = ["2026-01-01T10:00+02:00", "2026-01-01T09:00Z", "2026-01-01 08:30", "2026-01-02"]
    split = split_of("holdout", [0, 1, 0, 1], 0, {"t": zones}, time="t", test=0.25)
    assert split.train.tolist() == [0, 2, 1]
    moments = np.array(["2026-01-03", "2026-01-01", "2026-01-02"], "datetime64[ns]")
    data = Data.checked(np.eye(3), [0, 1, 0], classes=["a", "b"], columns={"t": moments})
    found: Split = register.choose("split", {"name": "holdout", "time": "t"}).build(
        data.y, 0, columns=data.columns
    )
    assert found.train.tolist() == [1, 2]

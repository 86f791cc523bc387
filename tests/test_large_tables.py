"""Tables that fill the memory: how often their rows are in it, and that nothing else changes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import make_plan
from exp.data import prepared, read_table, readers
from exp.data.dataset import Data
from exp.engine import Job, train
from exp.registry.registry import register
from exp.runs import result_files
from exp.runs.result_files import Answers
from test_same_bits import assert_same

ROWS, COLUMNS = 4000, 100


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes parts so small that these tables are large ones."""
    monkeypatch.setattr(read_table, "AT_ONCE", 1 << 14)
    monkeypatch.setattr(prepared, "AT_ONCE", 1 << 14)
    monkeypatch.setattr(readers, "FIELDS", 5000)
    monkeypatch.setattr(result_files, "CELLS", 5000)


def written(kind: str, dtype: type) -> np.ndarray:
    """A table `t.KIND` of numbers and labels; its numbers."""
    X = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype(dtype)
    y = np.where(X[:, 0] > 0, "yes", "no")
    if kind == "npz":
        np.savez("t.npz", X=X, y=y)
        return X
    frame = pd.DataFrame(X, columns=[f"x{n}" for n in range(COLUMNS)])
    frame["y"] = y
    if kind == "csv":
        frame.to_csv("t.csv", index=False)
    else:
        frame.to_parquet("t.parquet")
    return X


def chosen(kind: str, **params: Any) -> Any:
    target = {} if kind == "npz" else {"target": "y"}
    return register.choose("dataset", {"name": kind, "path": f"t.{kind}", **target, **params})


@pytest.mark.usefixtures("small_parts", "in_tmp")
@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_reading_takes_three_times_the_rows_at_most(kind: str, dtype: type) -> None:
    X = written(kind, dtype)
    dataset = chosen(kind)
    dataset.build(0)  # what is imported and kept does not count
    tracemalloc.start()
    try:
        data: Data = dataset.build(0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(data.X, X.astype(np.float32))
    # Beside them labels, lines, names, and the fields that are read at a time.
    assert peak < 3 * data.X.nbytes + (1 << 20)


def table(rows: int = 300) -> pd.DataFrame:
    """Columns whose texts show late what they are, with gaps."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"plain": rng.normal(size=rows), "whole": np.arange(rows) % 7})
    frame["gaps"] = [str(n) if n % 5 else ["", "NA", " ? ", "-999"][n % 4] for n in range(rows)]
    frame["late gaps"] = [str(n / 4) if n < 250 else "" for n in range(rows)]
    frame["late text"] = [str(n % 3) if n < 200 else "abc"[n % 3] for n in range(rows)]
    frame["words"] = [["red", "blue", "none"][n % 3] for n in range(rows)]
    frame["day"] = pd.date_range("2026-01-01", periods=rows).strftime("%Y-%m-%d")
    frame["large"] = 1e6 + np.arange(rows) / 1000
    frame["y"] = np.where(np.arange(rows) % 2, "yes", "no")
    return frame


@pytest.mark.parametrize("missing", ["impute", "drop"])
@pytest.mark.parametrize("features", [None, ["plain", "gaps", "words"]])
def test_rows_are_the_same_however_few_are_read_at_a_time(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, missing: str, features: Any
) -> None:
    table().to_csv("t.csv", index=False)
    params = {"missing": missing, "na_values": ["NA", "?", -999], "features": features}
    if features is None:
        params |= {"dates": ["day"], "categorical": ["late text"]}
    whole: Data = chosen("csv", **params).build(0)
    assert whole.X.dtype == (np.float32 if features else np.float64)
    monkeypatch.setattr(read_table, "AT_ONCE", 0)
    for fields in (1000, 2000):
        monkeypatch.setattr(readers, "FIELDS", fields)
        parts: Data = chosen("csv", **params).build(0)
        assert parts.fingerprint == whole.fingerprint
        assert parts.notes == whole.notes
        assert parts.X.dtype == whole.X.dtype


def test_a_text_that_comes_late_is_found_with_its_line(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "FIELDS", 300)
    frame = table()[["plain", "y"]].astype(str)
    frame.loc[270, "plain"] = "1,5"
    frame.to_csv("t.csv", index=False)
    with pytest.raises(Exception, match="line 272, column 'plain'  '1,5' is not a number"):
        chosen("csv").build(0)


@pytest.mark.parametrize("name", ["numbers", "minmax", "encoded"])
def test_a_run_has_the_same_bits_whether_its_rows_are_large(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    table().drop(columns=["late text", "day"]).to_csv("t.csv", index=False)
    features = None if name == "encoded" else ["plain", "whole", "large"]
    dataset = {"name": "csv", "path": "t.csv", "target": "y", "features": features}
    dataset |= {"missing": "impute", "na_values": ["NA", "?", -999]}
    standardize = "minmax" if name == "minmax" else True
    parts: dict[str, Any] = {
        "dataset": dataset,
        "split": {"standardize": standardize, "validation": 0.2},
        "trainer": {"epochs": 4, "batch_size": 32},
    }

    def job() -> Job:
        return Job.of(make_plan(seed=3, **parts))

    (whole,) = train([job()])
    monkeypatch.setattr(prepared, "AT_ONCE", 512)
    large = job()
    assert large.data.large
    (found,) = train([large])
    assert "X" not in vars(large.data)
    assert_same(found, whole)
    one, other = Answers(whole), Answers(found)
    monkeypatch.setattr(result_files, "CELLS", 70)
    parts_of_text = list(other.predictions_text())
    monkeypatch.setattr(result_files, "CELLS", 10**6)
    assert "".join(parts_of_text) == "".join(one.predictions_text())
    assert one.scores() == other.scores()


@pytest.mark.usefixtures("small_parts", "in_tmp")
def test_predictions_are_written_in_parts() -> None:
    written("npz", np.float32)
    dataset = {"name": "npz", "path": "t.npz"}
    (result,) = train([Job.of(make_plan(dataset=dataset, trainer={"epochs": 1}))])
    answers = Answers(result)
    size = result.job.data.data.X.nbytes
    tracemalloc.start()
    try:
        texts = sum(len(part) for part in answers.predictions_text())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert texts > 2 * size
    # A thousand lines at a time, which are a quarter of these.
    assert peak < 2 * size

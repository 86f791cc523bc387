"""A user's own rows: categories, gaps, a file of test rows, Parquet, npz, scikit-learn by name."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets as bundled
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.class_weight import compute_class_weight

import exp.registry.kinds  # noqa: F401 - declares the kinds
from commands import inside, read_csv
from exp.components.losses.loss_choice import loss_for
from exp.data.dataset import Data
from exp.data.prepared import Prepared
from exp.engine.prepare import prepare
from exp.registry.registry import register
from exp.util.errors import ConfigError, DataError, ExpError

ROWS = """age,colour,size,kind
1,red,small,x
2,blue,big,y
3,,big,y
NA,red,small,x
5,green,big,x
6,blue,?,y
7,red,small,x
8,blue,big,y
9,red,big,x
10,blue,small,y
"""
FAST = ("trainer.epochs=3", "trainer.print_every=3", "figures=none")


def load(name: str = "csv", **params: Any) -> Data:
    if name != "npz":
        params = {"target": "kind", **params}
    data: Data = register.choose("dataset", {"name": name, "path": f"rows.{name}", **params}).build(
        0
    )
    return data


def prepared(split: Any = "holdout", seed: int = 0, **params: Any) -> Prepared:
    dataset = {"name": "csv", "path": "rows.csv", "target": "kind", **params}
    chosen = register.choose("dataset", dataset), register.choose("split", split)
    return prepare(*chosen, data_seed=seed, split_seed=seed)


@pytest.fixture
def here(in_tmp: Path) -> Path:
    (in_tmp / "rows.csv").write_text(ROWS)
    return in_tmp


def test_columns_of_text_are_categories_in_sorted_order(here: Path) -> None:
    data = load(missing="drop")
    assert data.features == ("age", "colour", "size")
    assert data.categories == (None, ("blue", "green", "red"), ("big", "small"))
    assert data.X.tolist()[0] == [1, 2, 1]
    assert data.notes == ("3 rows of rows.csv left out: a value is missing",)
    assert len(data.y) == 7


def test_missing_values_are_refused_with_their_number(here: Path) -> None:
    with pytest.raises(DataError) as caught:
        load()
    assert str(caught.value) == (
        "3 faults in rows.csv; no row was used\n"
        "  line 4, column 'colour'  missing value in 1 of 10 rows, here first\n"
        "  line 5, column 'age'     missing value in 1 of 10 rows, here first\n"
        "  line 7, column 'size'    missing value in 1 of 10 rows, here first\n"
        "dataset.missing=drop leaves such rows out, dataset.missing=impute fills in the median or "
        "the most frequent value of the training rows"
    )


@pytest.mark.parametrize("standardize", [False, True])
def test_transformers_know_the_training_rows_only(here: Path, standardize: bool) -> None:
    split = {"name": "holdout", "test": 0.3, "standardize": standardize}
    for seed in range(5):
        found = prepared(split, seed, missing="impute")
        raw, train = found.data.X.astype(np.float64), found.split.train
        numbers = [SimpleImputer(strategy="median"), *([StandardScaler()] if standardize else [])]
        texts = SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
        twin = make_column_transformer(
            (make_pipeline(*numbers), [0]), (make_pipeline(*texts), [1, 2]), sparse_threshold=0
        ).fit(raw[train])
        np.testing.assert_allclose(found.X, twin.transform(raw), rtol=1e-6)
        assert found.features[0] == "age"
        assert all("=" in name for name in found.features[1:])


def test_columns_say_where_values_are_missing(here: Path) -> None:
    (here / "rows.csv").write_text(
        "age,size,colour,kind\n1,2,red,x\n,3,blue,y\n4,5,,x\n2,1,red,y\n3,,red,x\n,2,blue,y\n"
    )
    split = {"name": "holdout", "test": 0.0}
    for name, marked in (("indicate", True), ("impute", False)):
        found = prepared(split, 0, missing=name)
        more = {"age=(missing)", "size=(missing)", "colour=(missing)"}
        assert more & set(found.features) == (more if marked else set())
    indicated = prepared(split, 0, missing="indicate")
    raw = indicated.data.X.astype(np.float64)
    numbers = SimpleImputer(strategy="median", add_indicator=True).fit_transform(raw[:, :2])
    columns = {name: indicated.X[:, at] for at, name in enumerate(indicated.features)}
    named = ("age", "size", "age=(missing)", "size=(missing)")
    np.testing.assert_array_equal(np.column_stack([columns[name] for name in named]), numbers)
    assert columns["colour=(missing)"].tolist() == [0, 0, 1, 0, 0, 0]
    assert columns["colour=red"].tolist() == [1, 0, 0, 1, 1, 0]


def test_a_category_that_training_has_not_met_is_zero_everywhere(here: Path) -> None:
    for seed in range(20):
        found = prepared({"name": "holdout", "test": 0.3}, seed, missing="impute")
        green = np.flatnonzero(found.data.X[:, 1] == 1)
        if not np.isin(green, found.split.train).any():
            assert "colour=green" not in found.features
            columns = [n for n, name in enumerate(found.features) if name.startswith("colour=")]
            assert (found.X[green][:, columns] == 0).all()
            return
    raise AssertionError("no seed held green out")


def test_numbers_can_be_named_as_categories(here: Path) -> None:
    (here / "rows.csv").write_text("zip,kind\n8000,x\n9000,y\n8000,x\n10000,y\n")
    assert load().categories == ()
    assert load(categorical=["zip"]).categories == (("8000", "9000", "10000"),)


def test_a_column_of_names_is_no_category(here: Path) -> None:
    rows = "".join(f"person {n},{n % 2}\n" for n in range(30))
    (here / "rows.csv").write_text(f"who,kind\n{rows}")
    with pytest.raises(DataError) as caught:
        load()
    assert str(caught.value) == (
        "1 fault in rows.csv; no row was used\n"
        "  line 2, column 'who'  it seems to identify the rows (30 different texts in 30 rows, "
        "such as 'person 0'); leave it out with dataset.exclude=[who], or name it "
        "in `categorical` if it contains "
        "categories"
    )
    assert len(load(categorical=["who"]).categories[0] or ()) == 30


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_columns_left_out(here: Path, kind: str) -> None:
    frame = pd.read_csv(here / "rows.csv", na_values=["?"])
    frame.insert(0, "id", range(10))
    if kind == "csv":
        frame.to_csv("rows.csv")  # with an index that has no name
    elif kind == "parquet":
        frame.to_parquet("rows.parquet")
    else:
        X = frame[["id", "age"]].to_numpy()
        np.savez("rows.npz", X=X, y=frame["kind"].to_numpy(str), names=["id", "age"])
    names = ["id"] if kind == "npz" else ["size", "id", "colour"]
    data = load(kind, exclude=names, missing="impute")
    assert data.features == ("age",)
    wanted = load(kind, features=["age"], missing="impute")
    assert data.fingerprint == wanted.fingerprint
    if kind == "csv":
        quiet = load(exclude=[*names, "Unnamed: 0"], missing="impute")
        assert any("index of a pandas table" in note for note in data.notes)
        assert quiet.notes == wanted.notes
        assert quiet.fingerprint == data.fingerprint


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"exclude": ["sise"]}, "no column 'sise'. Did you mean 'size'?"),
        ({"exclude": ["age", "colour", "size"]}, "besides 'kind' and the columns of dataset.excl"),
        ({"exclude": ["kind"]}, "exclude  names 'kind', which is the target"),
        ({"exclude": ["age", "age"]}, "exclude  names 'age' 2 times"),
        ({"exclude": ["age"], "features": ["age"]}, "names 'age', which `features` names too"),
        ({"exclude": ["size"], "categorical": ["size"]}, "'size', which `categorical` names too"),
        ({"exclude": []}, "expected a list of at least 1 item"),
    ],
)
def test_columns_that_cannot_be_left_out(here: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, DataError)) as caught:
        load(**params)
    assert message in str(caught.value)


def test_a_column_of_the_split_is_no_feature_and_cannot_be_excluded(here: Path) -> None:
    split = {"name": "holdout", "groups": "colour"}
    with pytest.raises(DataError, match="the split uses this column"):
        prepared(split, exclude=["colour"], missing="drop")


def test_a_column_without_any_value_cannot_be_imputed(here: Path) -> None:
    (here / "rows.csv").write_text("a,b,kind\n1,,x\n2,NA,y\n3,,x\n4,,y\n5,,x\n")
    with pytest.raises(DataError) as caught:
        prepared({"name": "holdout", "test": 0.2}, missing="impute")
    assert str(caught.value) == (
        "dataset.missing=impute: column 'b' has no value in the training rows"
    )


@pytest.mark.parametrize("missing", ["drop", "impute"])
def test_rows_without_a_label_are_left_out(here: Path, missing: str) -> None:
    (here / "rows.csv").write_text("a,kind\n1,x\n2,\n3,y\n4,y\n")
    with pytest.raises(DataError) as caught:
        load(missing="refuse")
    assert "line 3, column 'kind'  the label is missing in 1 of 4 rows" in str(caught.value)
    data = load(missing=missing)
    assert data.y.tolist() == [0, 1, 1]
    assert data.X[:, 0].tolist() == [1, 3, 4]
    (note,) = data.notes
    assert note.startswith("1 row of rows.csv left out: ")


def test_a_file_of_test_rows(here: Path) -> None:
    (here / "test.csv").write_text("kind,size,age,colour\ny,big,20,pink\nx,small,,red\n")
    split = {"name": "holdout", "test": 0.2, "validation": 0.3}
    found = prepared(split, missing="impute", test_path="test.csv")
    assert found.split.test.tolist() == [10, 11]
    assert len(found.split.validation) == 3
    assert sorted([*found.split.train, *found.split.validation]) == list(range(10))
    assert found.data.categories[1] == ("blue", "green", "pink", "red")
    assert "colour=pink" not in found.features
    assert found.data.notes == ("the test rows are those of test.csv; split.test is not used",)
    alone = prepared({**split, "test": 0}, missing="impute")
    assert found.split.train.tolist() == alone.split.train.tolist()
    assert found.fingerprint != alone.fingerprint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("age,colour,kind\n1,red,x\n", "no column 'size'"),
        ("age,colour,size,kind\nold,red,big,x\n", "line 2, column 'age'  'old' is not a number"),
        (
            "age,colour,size,kind\n1,red,big,z\n",
            (
                "test.csv, column 'kind' (the target): no row of rows.csv has the label 'z'; its "
                "labels are 'x', 'y'"
            ),
        ),
    ],
)
def test_test_rows_that_do_not_fit(here: Path, content: str, message: str) -> None:
    (here / "test.csv").write_text(content)
    with pytest.raises(DataError) as caught:
        load(missing="drop", test_path="test.csv")
    assert message in str(caught.value)


def test_test_rows_and_a_split_with_test_rows_of_its_own(here: Path) -> None:
    (here / "test.csv").write_text(ROWS)
    with pytest.raises(DataError) as caught:
        prepared({"name": "kfold", "folds": 2}, missing="drop", test_path="test.csv")
    assert "dataset.test_path names a file of test rows: use one of the two" in str(caught.value)


def test_a_run_keeps_the_texts(here: Path) -> None:
    ended = inside(
        here, "dataset=csv", "dataset.path=rows.csv", "dataset.target=kind",
        "dataset.missing=impute", *FAST[:2], "figures=all", 'figures.plane=[age,"size=big"]',
        "figures.draw=[data,boundary]",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "10 rows (8 train, 2 test), 3 features as" in ended.out
    columns = read_csv(ended.run / "predictions.csv")
    at = np.argsort(columns["row"].astype(int))
    lines = [line.split(",") for line in ROWS.splitlines()[1:]]
    assert columns["colour"][at].tolist() == [line[1] for line in lines]
    assert columns["size"][at].tolist() == [line[2].replace("?", "") for line in lines]
    assert columns["age"][at].tolist()[:5] == ["1.0", "2.0", "3.0", "", "5.0"]
    record = json.loads((ended.run / "run.json").read_text())
    assert record["data"]["features"] == ["age", "colour", "size"]
    assert (ended.run / "figures" / "boundary.png").stat().st_size > 1000
    again = inside(here, "rerun", str(ended.run))
    assert again.code == 0
    assert "bit-identical" in again.out


def test_same_bits_in_a_stack(here: Path) -> None:
    words = (
        "dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "dataset.missing=impute",
        "dataset.features=[age,size]", "split.stratify=true", "loss.class_weights=balanced",
        *FAST,
    )  # fmt: skip
    (here / "alone").mkdir()
    (here / "stack").mkdir()
    (here / "alone" / "rows.csv").write_text(ROWS)
    (here / "stack" / "rows.csv").write_text(ROWS)
    stack = inside(here / "stack", "-m", *words, "seed=range(1,6)", "sweep.n_jobs=1")
    assert stack.code == 0, stack.err
    alone = inside(here / "alone", *words, "seed=3")
    found = [path for path in (here / "stack").rglob("metrics.csv") if "seed=3" in str(path)]
    assert found[0].read_bytes() == (alone.run / "metrics.csv").read_bytes()


# Parquet and npz


def test_parquet_is_read_as_csv_is(here: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines = [line.split(",") for line in ROWS.splitlines()[1:]]
    age, colour, size, kind = (list(column) for column in zip(*lines, strict=True))
    table = {
        "age": pa.array([None if text == "NA" else int(text) for text in age]),
        "colour": pa.array([text or None for text in colour]).dictionary_encode(),
        "size": pa.array(size, pa.large_string()),
        "kind": kind,
    }
    pq.write_table(pa.table(table), here / "rows.parquet")
    for missing in ("drop", "impute"):
        assert load("parquet", missing=missing).fingerprint == load(missing=missing).fingerprint
    with pytest.raises(DataError) as caught:
        load("parquet")
    assert "row 2, column 'colour'  missing value in 1 of 10 rows, here first" in str(caught.value)
    with pytest.raises(DataError, match=r"no column 'kinds'. Did you mean 'kind'"):
        load("parquet", target="kinds")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 10, ROWS.encode(), bytes(1000)])
def test_bytes_that_are_no_parquet(here: Path, content: bytes) -> None:
    (here / "rows.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"^rows.parquet is not a readable Parquet file: "):
        load("parquet")


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_damaged_parquet_file(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(pa.table({"a": [1.0, 2, 3, 4], "kind": ["x", "y", "x", "y"]}), stream)
    raw = bytearray(stream.getvalue())
    raw[at % len(raw)] = value
    path = tmp_path_factory.getbasetemp() / "any.parquet"
    path.write_bytes(bytes(raw))
    with contextlib.suppress(DataError):
        load("parquet", path=str(path))


def test_parquet_types_that_are_no_feature(here: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = pa.table({"a": [[1], [2]], "kind": ["x", "y"]})
    pq.write_table(lists, here / "rows.parquet")
    with pytest.raises(DataError, match=r"column 'a'  expected numbers, truth values, dates"):
        load("parquet")


def test_without_pyarrow_the_install_line_is_given(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exp.data.readers.find_spec", lambda name: None)
    with pytest.raises(ExpError) as caught:
        load("parquet")
    assert str(caught.value) == (
        "dataset parquet: pyarrow is not installed: pip install 'exp[parquet]'"
    )


X = np.array([[1, 2], [3, np.nan], [5, 6], [7, 8]])


def test_npz(here: Path) -> None:
    np.savez(here / "rows.npz", X=X, y=np.array(["b", "a", "b", "a"]))
    assert load("npz", missing="drop").X.tolist() == [[1, 2], [5, 6], [7, 8]]
    data = load("npz", missing="impute", features=["x2"])
    assert data.features == ("x2",)
    assert data.classes == ("a", "b")
    assert data.y.tolist() == [1, 0, 1, 0]
    np.savez_compressed(here / "rows.npz", X=X[:, :1], y=[10, 9, 9, 10], names=["age"])
    data = load("npz")
    assert (data.features, data.classes) == (("age",), ("9", "10"))
    with pytest.raises(DataError) as caught:
        load("npz", features=["aga"])
    assert "no column 'aga'. Did you mean 'age'? The columns are 'age'" in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": X}, "expected arrays 'X' and 'y', and maybe 'names'; found 'X'"),
        ({"X": X, "y": np.zeros(4, complex)}, "found X of float64 and y of complex128"),
        ({"X": X, "y": np.zeros(3, int)}, "found X [4, 2] and y [3]"),
        ({"X": X, "y": np.arange(4), "names": ["a"]}, "expected names of 2 texts"),
        ({"X": X, "y": np.arange(4)}, "row 1, column 'x2'  missing value in 1 of 4 rows"),
        ({"X": X * np.inf, "y": np.arange(4)}, "row 0, column 'x1'  inf is not finite"),
        ({"X": X * 1e300, "y": np.arange(4)}, "row 0, column 'x1'  1e+300 does not fit float32"),
        ({"X": X, "y": np.array([1, {}, 3, 4])}, "expected texts or numbers: y.astype(str)"),
        ({"X": X, "y": np.array([Path(), 1, 3, 4])}, "it contains objects of pathlib."),
        ({"X": X, "y": np.array([10**400, "a", "b", "c"])}, "x2"),
        ({"X": np.full((4, 1), 10**400, object), "y": np.arange(4)}, "too large"),
        ({"X": X.astype(complex), "y": np.arange(4)}, "found X of complex128"),
    ],
)
def test_npz_that_cannot_be_used(here: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(here / "rows.npz", **arrays)
    with pytest.raises(DataError) as caught:
        load("npz")
    assert message in str(caught.value)


def test_npz_of_objects_as_pandas_gives_them(here: Path) -> None:
    table = pd.DataFrame({"age": [1, 2, 3, 4], "city": ["Bern", None, "Zug", "Bern"]}, dtype=object)
    kind = np.array(["x", "y", "x", "y"], dtype=object)
    names = np.array(list(table.columns), dtype=object)
    np.savez(here / "rows.npz", X=table.to_numpy(), y=kind, names=names)
    data = load("npz", missing="impute")
    assert data.features == ("age", "city")
    assert data.categories == (None, ("Bern", "Zug"))
    assert data.classes == ("x", "y")
    np.testing.assert_array_equal(data.X, [[1, 0], [2, np.nan], [3, 1], [4, 0]])
    np.savez(here / "rows.npz", X=np.asfortranarray(table[["age"]].to_numpy()), y=kind)
    assert load("npz").X[:, 0].tolist() == [1, 2, 3, 4]


class Trap:
    """An object whose pickle makes a file when it is read."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("trap"),)


def test_nothing_that_a_pickle_names_is_run(here: Path) -> None:
    for y in (np.array([Trap(), "a", "b", "c"], object), np.array([Trap()] * 4, object)):
        np.savez(here / "rows.npz", X=X, y=y)
        with pytest.raises(DataError, match=r"^rows.npz cannot be read: it contains objects of"):
            load("npz")
    assert not (here / "trap").exists()


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_damaged_pickle_in_npz(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.array(["a", "b", "a", None], object))
    raw = bytearray(stream.getvalue())
    raw[at % len(raw)] = value
    rows = io.BytesIO()
    np.lib.format.write_array(rows, np.arange(4.0)[:, None])
    path = tmp_path_factory.getbasetemp() / "pickled.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", rows.getvalue())
        archive.writestr("y.npy", bytes(raw))
    with contextlib.suppress(DataError):
        load("npz", path=str(path))


def test_npz_that_claims_more_than_it_holds(here: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(here / "rows.npz", "w") as archive:
        archive.writestr("X.npy", header.getvalue())
    with pytest.raises(DataError, match="match its header"):
        load("npz")


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 2000))
def test_any_bytes_are_npz_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, cut: int
) -> None:
    stream = io.BytesIO()
    np.savez(stream, X=np.arange(8.0).reshape(4, 2), y=[0, 1, 0, 1])
    raw = bytearray(stream.getvalue())
    raw[at % len(raw)] = value
    path = tmp_path_factory.getbasetemp() / "any.npz"
    path.write_bytes(bytes(raw[: len(raw) - cut if cut < 50 else len(raw)]))
    with contextlib.suppress(DataError):
        load("npz", path=str(path))


# Classes that are not alike


@pytest.mark.parametrize("counts", [(3, 9), (1, 2, 30), (5, 5)])
def test_balanced_weights_are_those_of_scikit_learn(counts: tuple[int, ...]) -> None:
    loss = register.choose("loss", {"name": "auto", "class_weights": "balanced"})
    labels = np.repeat(np.arange(len(counts)), counts)
    wanted = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    np.testing.assert_allclose(loss_for(loss, counts).params["class_weights"], wanted, rtol=1e-12)


# scikit-learn by name


@pytest.mark.parametrize(
    ("generator", "params"),
    [
        ("make_moons", {"noise": 0.1, "n_samples": [20, 30]}),
        ("make_circles", {"noise": 0.1}),
        ("make_blobs", {"centers": 5, "n_features": 3, "center_box": [0.0, 1.0]}),
        ("make_classification", {"n_samples": 50, "n_informative": 3, "weights": [0.3, 0.7]}),
        ("make_gaussian_quantiles", {"n_classes": 4, "cov": 2.0}),
        ("make_hastie_10_2", {"n_samples": 60}),
    ],
)
def test_generators_by_name(generator: str, params: dict[str, Any]) -> None:
    chosen = {"name": "sklearn", "generator": generator, "params": params}
    data: Data = register.choose("dataset", chosen).build(7)
    tuples = {key: tuple(v) if type(v) is list else v for key, v in params.items()}
    if generator == "make_classification":
        tuples = params
    X, y = getattr(bundled, generator)(**tuples, random_state=7)
    np.testing.assert_array_equal(data.X, X.astype(np.float32))
    np.testing.assert_array_equal(data.y, np.unique(y, return_inverse=True)[1])


def test_bundled_by_name() -> None:
    five = {"name": "sklearn", "generator": "load_digits", "params": {"n_class": 5}}
    data: Data = register.choose("dataset", five).build(0)
    assert data.classes == ("0", "1", "2", "3", "4")
    same = {"name": "sklearn", "generator": "load_wine"}
    wine = register.choose("dataset", "wine").build(0)
    assert register.choose("dataset", same).build(0).fingerprint == wine.fingerprint


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"generator": "make_swiss_roll"}, "dataset.generator"),
        ({"generator": "os.system"}, "dataset.generator"),
        (
            {"params": {"nois": 0.1}},
            "unknown parameter 'nois'. Did you mean 'noise'? It takes: n_samples, noise, shuffle",
        ),
        ({"params": {"random_state": 1}}, "exp sets it: the seed is seeds.data"),
        ({"params": {"noise": {"a": 1}}}, "dataset.params.noise  expected numbers"),
        ({"params": {"n_samples": 10**9}}, "expected rows * features of at most 1000000000"),
        ({"generator": "make_blobs", "params": {"centers": 10**8}}, "integers up to 1000000"),
    ],
)
def test_generators_that_are_refused(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        register.choose("dataset", {"name": "sklearn", **chosen})
    assert message in str(caught.value)


def test_what_scikit_learn_says_is_told() -> None:
    chosen = {"name": "sklearn", "generator": "make_circles", "params": {"factor": 2.0}}
    with pytest.raises(DataError, match=r"^dataset.params: make_circles: The 'factor' param"):
        register.choose("dataset", chosen).build(0)


# Cross-validation


def test_folds_are_those_of_scikit_learn() -> None:
    labels = np.arange(53) % 3
    chosen = register.choose("split", {"name": "kfold", "folds": 5})
    for repeat in (0, 3):
        twin = StratifiedKFold(5, shuffle=True, random_state=repeat).split(labels, labels)
        for fold, (train, test) in enumerate(twin):
            found = chosen.build(labels, repeat * 5 + fold)
            assert found.train.tolist() == train.tolist()
            assert found.test.tolist() == test.tolist()


def test_a_class_too_small_for_the_folds() -> None:
    with pytest.raises(DataError, match="stratify needs 5 rows of each class for 5 folds"):
        register.choose("split", {"name": "kfold", "folds": 5}).build(np.array([0] * 9 + [1]), 0)
    with pytest.raises(DataError, match="5 folds of 3 rows"):
        register.choose("split", {"name": "kfold", "folds": 5}).build(np.array([0, 1, 0]), 0)

"""Tables of one's own: what a column holds is read right, or asked about; never guessed."""

from __future__ import annotations

import io
import json
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import exp
import exp.registry.kinds
from commands import inside, read_csv
from exp.data.dataset import Data
from exp.data.labels import key
from exp.data.prepared import Prepared
from exp.data.reading_settings import Notation
from exp.data.text_parsing import days
from exp.engine.prepare import prepare
from exp.registry.registry import register
from exp.util.errors import ConfigError, DataError

CSV = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=kind")
SHORT = ("figures=none", "trainer.epochs=3", "trainer.print_every=3")


@pytest.fixture
def here(in_tmp: Path) -> Path:
    return in_tmp


def load(path: str = "rows.csv", **params: Any) -> Data:
    name = path.rpartition(".")[2]
    chosen = {"name": name, "path": path, "target": "kind", **params}
    data: Data = register.choose("dataset", chosen).build(0)
    return data


def read(text: str, **params: Any) -> Data:
    Path("rows.csv").write_text(text)
    return load(**params)


def refused(text: str, **params: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(text, **params)
    return str(caught.value)


def columns(name: str, texts: list[str], more: int = 1) -> str:
    """A csv table of a column, each text `more` times, and a target of two classes."""
    rows = [text for text in texts for _ in range(more)]
    quoted = (f'"{text}"' if "," in text else text for text in rows)
    return f"{name},kind\n" + "".join(f"{text},{'xy'[n % 2]}\n" for n, text in enumerate(quoted))


# The index of a pandas table


def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"a": random.normal(size=60), "b": random.normal(size=60)})
    table["kind"] = np.repeat(["x", "y"], 30)
    return table


INDICES = {
    "a range": frame(),
    "rows left out": frame().drop([3, 7]),
    "sorted": frame().sort_values("a"),
    "named": frame().drop([3]).rename_axis("number"),
    "texts": frame().set_index(pd.Index([f"row {n}" for n in range(60)])),
    "two levels": frame().set_index([pd.Index(range(60)), pd.Index(range(60, 0, -1))]),
    "levels with names": frame().set_index(
        pd.MultiIndex.from_product([range(30), ["u", "v"]], names=["n", "side"])
    ),
    "dates": frame().set_index(pd.date_range("2026-01-01", periods=60)),
    "twice": pd.concat([frame().iloc[:30], frame().iloc[:30].assign(kind="y")]),
}


@pytest.mark.parametrize("name", INDICES)
def test_an_index_in_parquet_is_no_feature(here: Path, name: str) -> None:
    table = INDICES[name]
    table.to_parquet("rows.parquet")
    data = load("rows.parquet")
    assert data.features == ("a", "b")
    np.testing.assert_array_equal(data.X, table[["a", "b"]].to_numpy(np.float32))
    assert any("index" in note for note in data.notes) == (name != "a range")


@pytest.mark.parametrize(
    "name", [name for name in INDICES if name not in ("named", "levels with names")]
)
def test_an_index_in_csv_is_no_feature(here: Path, name: str) -> None:
    table = INDICES[name]
    table.to_csv("rows.csv")
    data = load()
    assert data.features == ("a", "b")
    np.testing.assert_array_equal(data.X, table[["a", "b"]].to_numpy(np.float32))
    assert "is the index of a pandas table" in data.notes[0]


def test_an_index_that_was_read_as_a_column(here: Path) -> None:
    frame().to_csv("once.csv")
    pd.read_csv("once.csv").to_csv("rows.csv", index=False)
    assert load().features == ("a", "b")
    assert load(features=["Unnamed: 0", "a"]).features == ("Unnamed: 0", "a")


def test_an_index_can_be_asked_for(here: Path) -> None:
    INDICES["named"].to_parquet("rows.parquet")
    data = load("rows.parquet", features=["number", "a"])
    assert data.features == ("number", "a")
    assert load("rows.parquet", categorical=["number"]).features == ("a", "b", "number")


def test_an_index_without_metadata_and_other_indices(here: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    bare = pa.Table.from_pandas(INDICES["sorted"]).replace_schema_metadata(None)
    pq.write_table(bare, "rows.parquet")
    assert load("rows.parquet").features == ("a", "b")
    for metadata in (b"[]", b"{", b'{"index_columns": 3}', b'{"index_columns": [["a"]]}'):
        pq.write_table(bare.replace_schema_metadata({b"pandas": metadata}), "rows.parquet")
        assert load("rows.parquet").features == ("a", "b")


def test_a_column_that_counts_the_rows_is_mentioned(here: Path) -> None:
    frame().to_csv("rows.csv", index_label="PassengerId")
    (note,) = load().notes
    assert "'PassengerId' only numbers the rows" in note
    assert load(features=["PassengerId", "a"]).notes == ()
    gaps = frame().assign(a=frame()["a"].where(frame().index % 3 > 0))
    gaps.to_csv("rows.csv", index_label="id")
    assert any("'id' only numbers the rows" in note for note in load(missing="drop").notes)


def test_a_first_column_without_a_name_that_is_no_index(here: Path) -> None:
    assert "column 1 has no name" in refused(",a,kind\nm,1,x\nf,2,y\nm,3,x\n")


def test_noise_behind_a_sorted_index_scores_as_noise(here: Path) -> None:
    random = np.random.default_rng(1)
    table = pd.DataFrame(random.normal(size=(200, 2)), columns=["a", "b"])
    table["kind"] = np.repeat(["x", "y"], 100)
    table.drop([0]).to_parquet("rows.parquet")
    ended = inside(
        here, "dataset=parquet", "dataset.path=rows.parquet", "dataset.target=kind",
        "model=linear", "split.standardize=true", "figures=none", "trainer.epochs=200",
    )  # fmt: skip
    final = json.loads((ended.run / "summary.json").read_text())["final"]
    assert final["test/accuracy"] < 0.8
    assert json.loads((ended.run / "run.json").read_text())["data"]["features"] == ["a", "b"]


# Numbers in another notation, units, dates


@pytest.mark.parametrize(
    ("texts", "setting"),
    [
        (["37,5", "38,2", "39,1"], "dataset.decimal=comma"),
        (["37,5", "38", "39,1"], "dataset.decimal=comma"),
        (["3,750", "12,500"], "dataset.decimal=comma or dataset.thousands=comma"),
        (["3,750", "1,250,000"], "dataset.thousands=comma"),
        (["3.750,5", "12.500,0"], "dataset.decimal=comma and dataset.thousands=point"),
        (["3'750", "12'500"], "dataset.thousands=apostrophe"),
        (["3 750", "12\u00a0500"], "dataset.thousands=space"),
        (["39.1 mm", "38 mm"], "'mm'"),
        (["5 %", "12 %"], "'%'"),
        (["5%", "12%"], "'%'"),
        (["$3,750", "$12"], "'$'"),
        (["36.6°C", "37.1°C"], "'°C'"),
        (["2026-11-28", "2026-11-29"], "dataset.dates"),
        (["2026-11-28 12:30:00", "2026-11-29T08:00:00Z"], "dataset.dates"),
        (["28.11.2026", "29.11.2026"], "%d.%m.%Y"),
        (["11/28/2026", "11/29/2026"], "%m/%d/%Y"),
        (["28 Nov 2026", "29 Nov 2026"], "%d %b %Y"),
        (["12:30", "8:05"], "times of day"),
    ],
)
def test_a_column_that_looks_like_numbers_or_dates_is_asked_about(
    here: Path, texts: list[str], setting: str
) -> None:
    for more in (1, 7):
        message = refused(columns("size", texts, more))
        assert setting in message, message
        assert "column 'size'" in message
        assert "line " in message
    data = read(columns("size", texts), categorical=["size"])
    assert data.categories == (tuple(sorted(texts)),)


@pytest.mark.parametrize(
    "texts",
    [
        ["1st", "2nd", "3rd"],
        ["4WD", "2WD"],
        ["2B", "3B"],
        ["C85", "E46", "B28"],
        ["18-25", "26-40"],
        ["<=50K", ">50K"],
        ["v1.2", "v1.3"],
        ["10.0.0.1", "10.0.0.2"],
        ["5a", "5b"],
        ["Mon", "Tue"],
        ["+41 79 000 00 00 x", "n-1"],
    ],
)
def test_names_with_digits_are_categories(here: Path, texts: list[str]) -> None:
    assert read(columns("size", texts, 4)).categories == (tuple(sorted(texts)),)


@pytest.mark.parametrize(
    ("text", "number", "settings"),
    [
        ("37,5", 37.5, {"decimal": ","}),
        ("-,5", -0.5, {"decimal": ","}),
        ("1,5e3", 1500.0, {"decimal": ","}),
        ("3,750", 3.75, {"decimal": ","}),
        ("3,750", 3750.0, {"thousands": ","}),
        ("1,250,000.5", 1250000.5, {"thousands": ","}),
        ("12,50,000", 1250000.0, {"thousands": ","}),
        ("1.250.000,5", 1250000.5, {"decimal": ",", "thousands": "."}),
        ("1 250", 1250.0, {"thousands": " "}),
        ("1\u202f250", 1250.0, {"thousands": " "}),
        ("1\u2019250", 1250.0, {"thousands": "'"}),
        ("1250", 1250.0, {"thousands": ","}),
    ],
)
def test_numbers_in_other_notations(
    here: Path, text: str, number: float, settings: dict[str, str]
) -> None:
    data = read(f"a;kind\n{text};x\n7;y\n", delimiter=";", **settings)
    assert data.X[:, 0].tolist() == [number, 7.0]


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("37.5", {"decimal": ","}),
        ("3,75", {"thousands": ","}),
        ("1,2345", {"thousands": ","}),
        ("1.2.3", {"decimal": ",", "thousands": "."}),
        (",", {"decimal": ","}),
        ("1,5,", {"decimal": ","}),
    ],
)
def test_what_is_no_number_in_a_notation(here: Path, text: str, settings: dict[str, str]) -> None:
    message = refused(f"a;kind\n7;x\n{text};y\n", delimiter=";", **settings)
    assert "line 3, column 'a'" in message
    assert "is not a number" in message


@settings(max_examples=200, deadline=None)
@given(
    number=st.floats(-1e12, 1e12).map(lambda x: round(x, 3)),
    pair=st.sampled_from(
        [(",", "."), (".", ","), (",", " "), (".", "'"), (",", None), (".", None)]
    ),
)
def test_numbers_are_read_as_pandas_reads_them(number: float, pair: tuple[str, str | None]) -> None:
    decimal, thousands = pair
    text = f"{number:,.3f}".replace(",", "T").replace(".", decimal).replace("T", thousands or "")
    stream = io.StringIO(f"a;\n{text};")
    found = pd.read_csv(stream, sep=";", decimal=decimal, thousands=thousands)
    assert Notation(decimal, thousands).numbers([text])[0] == number == found["a"][0]


def test_the_same_sign_twice(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"dataset.thousands"):
        read("a,kind\n1,x\n", thousands=".")


def test_dates_are_days_since_1970(here: Path) -> None:
    texts = [
        "1970-01-01",
        "2026-11-28",
        "1969-12-31",
        "2026-11-28 12:00",
        "2026-11-28T13:00:00+01:00",
    ]
    moments = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True)
    wanted = (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    text = columns("day", texts)
    for dates in (["day"], True):
        data = read(text, dates=dates)
        np.testing.assert_allclose(data.X[:, 0], wanted, rtol=1e-6)
    form = "day,kind\n28.11.2026,x\n1.1.1970,y\n"
    assert read(form, dates={"day": "%d.%m.%Y"}).X[:, 0].tolist() == [20785.0, 0.0]
    message = refused(text + "soon,x\n", dates=["day"])
    assert "line 7, column 'day'  'soon' is not a date" in message
    with pytest.raises(ConfigError, match=r"dataset\.dates"):
        read(text, dates=["kind"], task="classes")


@settings(max_examples=100, deadline=None)
@given(moment=st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)))
def test_dates_are_read_as_pandas_reads_them(moment: datetime) -> None:
    wanted = (pd.Timestamp(moment) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    assert days([str(moment)])[0] == pytest.approx(wanted, abs=1e-9)
    assert days([moment.isoformat() + "Z"])[0] == pytest.approx(wanted, abs=1e-9)


def test_types_of_parquet(here: Path) -> None:
    import decimal

    kind = ["x", "y", "x", "y"]
    stamps = pd.to_datetime(
        ["2026-11-28", "2026-11-29", None, "2026-11-30 12:00"], format="ISO8601"
    )
    table = pd.DataFrame(
        {
            "whole": pd.array([1, 2, None, 2**40], dtype="Int64"),
            "exact": [decimal.Decimal("1.50"), decimal.Decimal("2.25"), None, decimal.Decimal(3)],
            "yes": pd.array([True, False, None, True], dtype="boolean"),
            "text": pd.array(["a", "b", None, "a"], dtype="string"),
            "group": pd.Categorical([3, 1, None, 3]),
            "zip": pd.Categorical(["08001", "08002", None, "08001"]),
            "stamp": stamps.tz_localize("Europe/Zurich"),
            "day": stamps.date,
            "kind": kind,
        }
    )
    table.to_parquet("rows.parquet")
    with pytest.raises(DataError, match=r"row 0, column 'stamp' +the column contains dates"):
        load("rows.parquet", missing="impute")
    data = load("rows.parquet", missing="impute", dates=True)
    assert data.categories == (
        None, None, ("False", "True"), ("a", "b"), ("1", "3"), ("08001", "08002"), None, None,
    )  # fmt: skip
    apart = (stamps.tz_localize("Europe/Zurich") - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    np.testing.assert_allclose(data.X[:, 6], apart, rtol=1e-7)
    np.testing.assert_array_equal(data.X[:, 0], [1, 2, np.nan, 2.0**40])
    np.testing.assert_array_equal(data.X[:, 1], [1.5, 2.25, np.nan, 3])


def test_numbers_as_texts_in_parquet_are_asked_about(here: Path) -> None:
    table = pd.DataFrame({"a": ["1.5", "2.5", "3"], "kind": ["x", "y", "x"]})
    table.to_parquet("rows.parquet")
    with pytest.raises(DataError, match=r"column 'a' .*most values are numbers"):
        load("rows.parquet")
    assert load("rows.parquet", categorical=["a"]).categories == (("1.5", "2.5", "3"),)
    table.assign(a=["1,5", "2,5", "3"]).to_parquet("rows.parquet")
    assert load("rows.parquet", decimal=",").X[:, 0].tolist() == [1.5, 2.5, 3.0]


def test_large_integers_stay_apart(here: Path) -> None:
    ids = [2**60, 2**60 + 1]
    table = pd.DataFrame({"id": [*ids, ids[0]], "kind": [*ids, ids[1]]})
    table.to_parquet("rows.parquet")
    data = load("rows.parquet", categorical=["id"])
    assert data.classes == (str(ids[0]), str(ids[1]))
    assert data.categories == ((str(ids[0]), str(ids[1])),)
    assert data.X[:, 0].tolist() == [0, 1, 0]


def test_what_a_column_holds_does_not_depend_on_where_it_shows(here: Path) -> None:
    texts = "word,kind\n" + "".join(f"{'ab'[n % 2]},{'xy'[n % 2]}\n" for n in range(10_050))
    assert "line 10052, column 'word'  '5' is a number in a column of texts" in refused(
        texts + "5,x\n"
    )
    late = "word,kind\n" + ",x\n" * 10_050 + "a,y\nb,x\n"
    assert read(late, missing="drop").categories == (("a", "b"),)


# Categories in another spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", "1."),
        ("-3", "-3.0"),
        ("true", "TRUE"),
        ("False", "false"),
        ("1e3", "1000"),
    ],
)
def test_one_category_in_two_spellings(here: Path, one: str, other: str) -> None:
    Path("test.csv").write_text(f"c,kind\n{other},x\n2,y\n")
    data = read(f"c,kind\n{one},x\n2,y\n{one},x\n2,y\n", categorical=["c"], test_path="test.csv")
    assert data.X[:, 0].tolist()[4:] == data.X[:, 0].tolist()[:2]
    assert len(data.categories[0] or ()) == 2
    mixed = read(f"c,kind\n{one},x\n{other},y\n{one},x\n2,y\n", categorical=["c"])
    assert set(mixed.categories[0] or ()) == {one, "2"}


@pytest.mark.parametrize(("one", "other"), [("1", "01"), ("1.1", "1.10"), ("a", "A"), ("1", "1 2")])
def test_categories_that_are_not_the_same(here: Path, one: str, other: str) -> None:
    assert key(one) != key(other)
    assert len(read(f"c,kind\n{one},x\n{other},y\n", categorical=["c"]).categories[0] or ()) == 2


def test_labels_in_two_spellings(here: Path) -> None:
    Path("test.csv").write_text("a,kind\n5,1.0\n6,0.0\n")
    data = read("a,kind\n1,0\n2,1\n3,0\n4,1\n", test_path="test.csv")
    assert data.classes == ("0", "1")
    assert data.y.tolist() == [0, 1, 0, 1, 1, 0]


CATEGORIES = "zip,city,kind\n" + "8000,Bern,x\n9000,Basel,y\n" * 10


def trained(where: Path, *words: str) -> Path:
    ended = inside(
        where, "dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", *words, *SHORT
    )
    assert ended.code == 0, ended.err
    return ended.run


def test_a_spelling_in_exp_predict(here: Path) -> None:
    Path("rows.csv").write_text(CATEGORIES)
    run = trained(here, "dataset.categorical=[zip]")
    for name, text in (("one", "8000,Bern\n9000,Basel\n"), ("two", "8000.0,Bern\n9000.0,Basel\n")):
        Path(f"{name}.csv").write_text("zip,city\n" + text)
        ended = inside(here, "predict", str(run), f"{name}.csv", "--output", f"{name}.out.csv")
        assert (ended.code, ended.err) == (0, "")
    one, two = (read_csv(here / f"{name}.out.csv") for name in ("one", "two"))
    assert one["probability:x"].tolist() == two["probability:x"].tolist()
    model = exp.load(run)
    frames = [
        pd.DataFrame({"zip": zips, "city": ["Bern", "Basel"]})
        for zips in ([8000, 9000], [8e3, 9e3])
    ]
    assert np.array_equal(model.predict_proba(frames[0]), model.predict_proba(frames[1]))
    assert (
        model.predict_proba(frames[0])[:, 0].astype(str).tolist() == one["probability:x"].tolist()
    )


def test_new_files_are_read_as_the_run_read_its_own(here: Path) -> None:
    Path("rows.csv").write_text("t;day;kind\n" + "37,5;2026-01-01;x\n1.038,2;2026-02-01;y\n" * 8)
    words = (
        "dataset.delimiter=';'", "dataset.decimal=comma", "dataset.thousands=.",
        "dataset.dates=[day]", "split.standardize=true",
    )  # fmt: skip
    run = trained(here, *words)
    Path("new.csv").write_text("day;t\n2026-01-01;37,5\n2026-02-01;1.038,2\n")
    ended = inside(here, "predict", str(run), "new.csv")
    assert ended.code == 0, ended.err
    assert inside(here, "predict", str(run), "new.csv", "--delimiter", "semicolon").out == ended.out
    refused = inside(here, "predict", str(run), "new.csv", "--delimiter", "comma")
    assert refused.code == 2
    assert "new.csv" in refused.err
    Path("tabs.csv").write_text(Path("new.csv").read_text().replace(";", "\t"))
    other = inside(here, "predict", str(run), "tabs.csv", "--delimiter", "tab")
    assert other.out == ended.out
    model = exp.load(run)
    table = pd.DataFrame({"t": [37.5, 1038.2], "day": pd.to_datetime(["2026-01-01", "2026-02-01"])})
    found = [line.split(",")[-3] for line in ended.out.splitlines()[1:]]
    assert found == model.predict_proba(table)[:, 0].astype(str).tolist()


# What is missing


def test_one_list_for_features_and_target(here: Path) -> None:
    text = "a,c,kind\n1,none,x\n2,low,none\n3,high,NA\n4,low,?\n5,high,x\n6,low,y\n"
    message = refused(text)
    assert "column 'kind'  the label is missing in 3 of 6 rows" in message
    assert "column 'c'     missing value in 1 of 6 rows" in message
    assert "'NA' and 'none' stand for a missing value here. Set dataset.na_values" in message
    dropped = read(text, missing="drop")
    assert dropped.classes == ("x", "y")
    assert len(dropped.y) == 2
    assert any("column 'c': read as missing: 'none' in 1 row" in note for note in dropped.notes)
    kept = read(text, na_values=[])
    assert kept.classes == ("?", "NA", "none", "x", "y")
    assert kept.categories[1] == ("high", "low", "none")
    some = read(text, na_values=["NA", "?"], missing="drop")
    assert some.classes == ("none", "x", "y")


def test_numbers_that_stand_for_a_missing_value(here: Path) -> None:
    text = "a,b,kind\n-999,1,x\n2,-999.0,y\n3,5,x\n4,6,y\n"
    data = read(text, na_values=[-999], missing="impute")
    assert np.isnan(data.X).tolist() == [
        [True, False],
        [False, True],
        [False, False],
        [False, False],
    ]
    wanted = pd.read_csv("rows.csv", na_values=[-999])[["a", "b"]].to_numpy(np.float32)
    np.testing.assert_array_equal(data.X, wanted)
    pd.read_csv("rows.csv").to_parquet("rows.parquet")
    np.testing.assert_array_equal(
        load("rows.parquet", na_values=[-999], missing="impute").X, wanted
    )
    assert "nan" in refused("a,kind\n1,x\nnan,y\n", na_values=[])


@pytest.mark.parametrize("text", sorted(pd._libs.parsers.STR_NA_VALUES - {""}))  # type: ignore[attr-defined]
def test_what_pandas_takes_for_missing(here: Path, text: str) -> None:
    data = read(f"a,c,kind\n1,u,x\n{text},v,y\n3,{text},x\n4,v,y\n", missing="drop")
    assert len(data.y) == 2


# Categories that only other rows have


def test_categories_that_training_does_not_know_are_counted(here: Path) -> None:
    Path("rows.csv").write_text(CATEGORIES)
    Path("test.csv").write_text("zip,city,kind\n8000,Genf,x\n8000,Zug,y\n8000,Bern,y\n")
    words = ("dataset.categorical=[zip]", "dataset.test_path=test.csv")
    ended = inside(
        here, "dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", *words, *SHORT
    )
    said = (
        "column 'city': 2 of 3 test rows have a category that no training row has ('Genf', 'Zug')"
    )
    assert said in ended.out
    notes = json.loads((ended.run / "run.json").read_text())["data"]["notes"]
    assert any(said in note for note in notes)
    Path("new.csv").write_text("zip,city\n7000,Bern\n7000,Genf\n")
    done = inside(here, "predict", str(ended.run), "new.csv")
    assert done.code == 0
    assert "column 'zip': the rows and the training rows have no category in common" in done.err
    assert "column 'city': 1 of 2 rows have a category that no training row has" in done.err
    Path("new.csv").write_text("zip,city\n8000,Bern\n9000,Basel\n")
    assert inside(here, "predict", str(ended.run), "new.csv").err == ""


# Numbers that float32 cannot tell apart


def far(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Rows around a million, whose classes lie 0.02 apart."""
    y = np.arange(rows) % 2
    random = np.random.default_rng(0)
    x = 1e6 + 0.02 * (y - 0.5) + random.normal(scale=0.004, size=rows)
    return np.column_stack([x, random.normal(size=rows)]), y


LINEAR = ("model=linear", "optimizer=adam", "optimizer.lr=0.1", "trainer.epochs=100")


def test_far_numbers_are_standardized_before_they_are_rounded(here: Path) -> None:
    X, y = far()
    table = pd.DataFrame(X, columns=["far", "noise"]).assign(kind=np.array(["x", "y"])[y])
    table.to_csv("rows.csv", index=False)
    table.to_parquet("rows.parquet")
    np.savez("rows.npz", X=X, y=y)
    for name in ("csv", "parquet", "npz"):
        target = () if name == "npz" else ("dataset.target=kind",)
        words = (f"dataset={name}", f"dataset.path=rows.{name}", *target, *LINEAR)
        (here / name).mkdir()
        for file in here.glob("rows.*"):
            (here / name / file.name).write_bytes(file.read_bytes())
        ended = inside(here / name, *words, "split.standardize=true", "figures=none")
        assert ended.code == 0, ended.err
        final = json.loads((ended.run / "summary.json").read_text())["final"]
        assert final["test/accuracy"] > 0.97
        if name != "npz":
            again = exp.load(ended.run).predict(table[["far", "noise"]])
            assert (again == table["kind"]).mean() > 0.97
    predicted = read_csv(ended.run / "predictions.csv")
    np.testing.assert_array_equal(predicted["x1"].astype(float), X[predicted["row"].astype(int), 0])


def test_far_numbers_of_the_estimator() -> None:
    X, y = far()
    model = exp.Classifier(standardize=True, model="linear", optimizer="adam", lr=0.1, epochs=100)
    twin = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    assert model.fit(X, y).score(X, y) == pytest.approx(twin.score(X, y), abs=0.01)


def test_far_numbers_drawn_exported_and_without_a_scale(here: Path) -> None:
    X, y = far()
    np.savez("rows.npz", X=X, y=y)
    words = ("dataset=npz", "dataset.path=rows.npz", *LINEAR)
    ended = inside(here, *words, "split.standardize=true", "figures.draw=[boundary]")
    assert ended.code == 0, ended.err
    assert (ended.run / "figures" / "boundary.png").stat().st_size > 5_000
    done = inside(here, "export", str(ended.run), "--to", "torchscript", "--output", "model.pt")
    assert done.code == 0, done.err
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = torch.jit.load("model.pt")(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(found, exp.load(ended.run).predict_proba(X), atol=1e-6)
    assert 'astype("float64")' in done.out
    (here / "raw").mkdir()
    np.savez("raw/rows.npz", X=X, y=y)
    ended = inside(here / "raw", *words, "figures=none")
    assert "split.standardize=true" in ended.out


def test_numbers_that_float32_holds_stay_as_they_were() -> None:
    X = np.random.default_rng(0).normal(size=(50, 3))
    assert Data.checked(X, np.arange(50) % 2, classes="ab").X.dtype == np.float32
    assert Data.checked(X * 0 + 0.1, np.arange(50) % 2, classes="ab").X.dtype == np.float32
    wine: Data = register.choose("dataset", "wine").build(0)
    assert wine.X.dtype == np.float32


def test_targets_that_float32_cannot_tell_apart() -> None:
    with pytest.raises(DataError, match="subtract their mean"):
        Data.numbers(np.zeros((50, 1)), 1e6 + np.arange(50) / 1000)


# Many categories


def cities(rows: int = 300) -> str:
    random = np.random.default_rng(0)
    places = np.minimum(random.geometric(0.15, rows), 30)
    return "city,kind\n" + "".join(f"city {p},{'xy'[p % 2]}\n" for p in places)


@pytest.mark.parametrize("most", [2, 5, 20])
def test_rare_categories_share_a_column(here: Path, most: int) -> None:
    Path("rows.csv").write_text(cities())
    split = register.choose("split", {"name": "holdout", "test": 0.3})
    chosen = {"name": "csv", "path": "rows.csv", "target": "kind", "max_categories": most}
    found: Prepared = prepare(register.choose("dataset", chosen), split, data_seed=0, split_seed=0)
    table = pd.read_csv("rows.csv")[["city"]]
    encoder = OneHotEncoder(
        max_categories=most, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit(table.iloc[found.split.train])
    wanted = encoder.transform(table)
    assert found.X.shape[1] == most
    assert sorted(map(tuple, found.X.T)) == sorted(map(tuple, wanted.T.astype(np.float32)))
    assert found.features[-1] == "city=(rare)"
    (note,) = found.notes
    assert "rarest of" in note
    assert "'city=(rare)'" in note


def test_more_categories_than_there_is_room_for(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exp.data.encoding.LARGEST", 10_000)
    Path("rows.csv").write_text(cities())
    split = register.choose("split", "holdout")
    chosen = {"name": "csv", "path": "rows.csv", "target": "kind"}
    with pytest.raises(DataError, match=r"column 'city' has \d+ categories.*max_categories"):
        prepare(register.choose("dataset", chosen), split, data_seed=0, split_seed=0)
    chosen["max_categories"] = 10
    prepare(register.choose("dataset", chosen), split, data_seed=0, split_seed=0)


# Headers and quotes


@pytest.mark.parametrize("name", ["a b", "größe", "日本", "a=b", "a:b", "1_1", "x,y", "no"])
def test_names_of_columns(here: Path, name: str) -> None:
    table = pd.DataFrame({name: [1.0, 2, 3, 4], "kind": ["x", "y", "x", "y"]})
    table.to_csv("rows.csv", index=False, encoding="utf-8-sig")
    assert load().features == (name,)
    table.to_parquet("rows.parquet")
    assert load("rows.parquet").features == (name,)
    assert load(features=[name]).features == (name,)


def test_a_small_test_file_may_have_another_text_in_each_row(here: Path) -> None:
    names = [f"p{n}" for n in range(25)]
    Path("test.csv").write_text(columns("c", names))
    assert len(read(columns("c", names, 4), test_path="test.csv").y) == 125


# One table in every form


@settings(max_examples=40, deadline=None)
@given(
    numbers=st.lists(
        st.floats(-1e30, 1e30) | st.integers(-(10**6), 10**6) | st.none(), min_size=4, max_size=12
    ),
    words=st.lists(st.sampled_from(["red", "blue", "a, b", 'say "x"', "é", None]), min_size=12),
    moments=st.lists(st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)), min_size=12),
)
def test_the_same_table_gives_the_same_data_from_csv_and_parquet(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: list[float | None],
    words: list[str | None],
    moments: list[datetime],
) -> None:
    where, rows = tmp_path_factory.getbasetemp(), len(numbers)
    table = pd.DataFrame(
        {
            "size": pd.array(numbers, dtype="Float64"),
            "word": words[:rows],
            "moment": moments[:rows],
            "kind": ["x", "y"] * (rows // 2) + ["x"] * (rows % 2),
        }
    )
    table.to_csv(where / "same.csv", index=False)
    table.to_parquet(where / "same.parquet")
    reading = {"missing": "impute", "dates": ["moment"], "categorical": ["word"]}
    one, other = (load(str(where / f"same.{kind}"), **reading) for kind in ("csv", "parquet"))
    assert one.fingerprint == other.fingerprint
    assert one.categories == other.categories
    assert np.isnan(one.X[:, 0]).tolist() == [number is None for number in numbers]
    days_of = (table["moment"] - pd.Timestamp(0)) / pd.Timedelta(days=1)
    np.testing.assert_allclose(one.X[:, 2], days_of, rtol=1e-6)

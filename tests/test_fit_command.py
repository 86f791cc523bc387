"""`exp fit` and `exp.fit`: what people see of them, on small and odd tables, within seconds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exp
from commands import Ended, completions, inside
from exp.util.errors import DataError, ExpError, RunDirectoryError

QUICK = ("--budget", "2", "--config", "figures=none")
"""A fit that takes little more time than to import torch."""


def file_of(package: str, name: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / name


def penguins() -> pd.DataFrame:
    return pd.read_csv(file_of("palmerpenguins", "data/penguins-raw.csv"))


def fit(where: Path, *words: str, quick: tuple[str, ...] = QUICK) -> Ended:
    return inside(where, "fit", *words, *quick)


def small(rows: int = 90) -> pd.DataFrame:
    """A table of texts, numbers with gaps and dates, whose target is easy to predict."""
    random = np.random.default_rng(0)
    size = random.normal(size=rows)
    frame = pd.DataFrame(
        {
            "id": [f"row {n}" for n in range(rows)],
            "size": size.round(3),
            "city": random.choice(["Basel", "Bern"], rows),
            "day": pd.date_range("2026-01-31", periods=rows).strftime("%d.%m.%Y"),
            "y": np.where(size > 0, "large", "small"),
        }
    )
    frame.loc[::9, "size"] = np.nan
    return frame


def test_a_column_of_parts_is_no_feature_of_the_report(in_tmp: Path) -> None:
    frame = small()
    frame["part"] = ["train", "train", "test"] * 30
    frame.to_csv("rows.csv", index=False)
    ended = fit(in_tmp, "rows.csv", "--target", "y", "--config", "split.column=part")
    assert ended.code == 0, ended.err
    assert re.search(r"^part +part +2 different values; not a feature", ended.out, re.M)
    assert "The 30 test rows" in ended.out


def test_a_file_as_it_comes(in_tmp: Path) -> None:
    """With ; and decimal commas, gaps, identifiers and dates: the report, the run, its files."""
    small().to_csv("rows.csv", sep=";", decimal=",", index=False)
    ended = inside(in_tmp, "fit", "rows.csv", "--target", "y", "--budget", "3", "--output", "made",
                   "--config", "figures.dpi=40")  # fmt: skip
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "rows.csv: 90 rows, 5 columns"
    assert "the delimiter is a semicolon (dataset.delimiter=semicolon)" in lines[1]
    assert "dataset.decimal=comma" in lines[2]
    assert re.search(r"^size +number +.*10 \(the median\)", ended.out, re.M)
    assert re.search(r"^id +left out +90 different texts in 90 rows .*--keep id$", ended.out, re.M)
    assert re.search(r"^accuracy +\d\.\d+ +\d\.\d+ +\d\.\d+ to \d\.\d+ +\d\.\d+$", ended.out, re.M)
    assert "The 18 test rows took no part in training" in ended.out
    assert "By how much log_loss rises if a column is shuffled: size" in ended.out
    assert lines[-1] == f"The run: {in_tmp / 'made'}"
    made = in_tmp / "made"
    record = json.loads((made / "run.json").read_text())
    assert record["status"] == "done"
    files = {"columns.csv", "importance.csv", "model.safetensors", "candidates.csv"}
    assert files <= set(record["digests"])
    assert {"columns.png", "importance.png", "calibration.png"} <= {
        path.name for path in (made / "figures").iterdir()
    }
    columns = pd.read_csv(made / "columns.csv").set_index("column")
    assert columns.loc["day", "taken_as"] == "date"
    importance = pd.read_csv(made / "importance.csv")
    assert importance["column"][0] == "size"
    assert set(importance["column"]) == {"size", "city", "day"}
    assert (importance["low"] <= importance["importance"]).all()
    summary = json.loads((made / "summary.json").read_text())["final"]
    shown = re.search(r"^log_loss +(\S+) +(\S+)", ended.out, re.M)
    assert shown is not None
    assert float(shown[2]) == pytest.approx(summary["test/log_loss"], abs=6e-5, rel=1e-3)
    # It is a run like any other: read again, it predicts the rows of a file as it did.
    run = exp.load(made)
    answers = run.predictions[run.predictions["split"] == "test"]
    table = small()[["size", "city", "day"]].iloc[answers["row"]]
    table["day"] = pd.to_datetime(table["day"], format="%d.%m.%Y")
    assert run.predict(table).tolist() == answers["predicted"].tolist()


def test_a_number_as_target(in_tmp: Path) -> None:
    cars = pd.DataFrame(json.loads(file_of("vega_datasets", "_data/cars.json").read_text()))
    cars.to_csv("cars.csv")  # with an index, and rows without a target
    ended = fit(in_tmp, "cars.csv", "--target", "Miles_per_Gallon", "--config",
                "dataset.task=number", "--output", "made")  # fmt: skip
    assert ended.code == 0, ended.err
    assert "8 rows of cars.csv left out: the label is missing" in ended.out
    assert "is the index of a pandas table" in ended.out
    found = re.search(r"^rmse +\S+ +(\S+) +\S+ to \S+ +(\S+)$", ended.out, re.M)
    assert found is not None
    assert float(found[1]) < float(found[2])  # better than the mean
    assert "always the mean" in ended.out
    predictions = exp.load("made").predictions
    test = predictions[predictions["split"] == "test"]
    wanted = np.sqrt(np.mean((test["target"] - test["predicted"]) ** 2))
    assert float(found[1]) == pytest.approx(wanted, rel=1e-3)


def test_groups_and_columns_that_are_named(in_tmp: Path) -> None:
    frame = small().assign(patient=np.repeat(np.arange(30), 3), weight=1.5, always=3)
    frame.to_csv("rows.csv", index=False)
    ended = fit(
        in_tmp, "rows.csv", "--target", "y", "--groups", "patient", "--weights", "weight",
        "--exclude", "city", "--keep", "always", "--output", "made", "--metric", "auroc",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert re.search(r"^patient +groups +30 different values; not a feature", ended.out, re.M)
    assert re.search(r"^weight +weights +1.5 to 1.5", ended.out, re.M)
    assert re.search(r"^city +left out", ended.out, re.M)
    assert "of 6 groups took no part" in ended.out
    assert "By how much auroc falls" in ended.out
    config = exp.load("made").config
    assert config["dataset"]["weights"] == "weight"
    assert set(config["dataset"]["exclude"]) == {"id", "city"}
    predictions = exp.load("made").predictions
    parts = predictions.groupby(frame["patient"].to_numpy()[predictions["row"]])["split"]
    assert all({"test"} == set(found) or "test" not in set(found) for _, found in parts)


FRAMES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "nullable": lambda frame: frame.convert_dtypes(),
    "an index": lambda frame: frame.set_index("id"),
    "polars": lambda frame: pytest.importorskip("polars").from_pandas(frame),
    "a mapping": lambda frame: frame.to_dict("list"),
}


def typed() -> pd.DataFrame:
    """A table with a column of each type that pandas has."""
    frame = small()
    frame["day"] = pd.to_datetime(frame["day"], format="%d.%m.%Y") + pd.Timedelta(hours=6)
    frame["code"] = pd.Categorical(np.resize([3, 7, 9], len(frame)))
    frame["truth"] = np.resize([True, False, False, True], len(frame))
    frame["count"] = np.resize([1, 2, None, 4, 5, 6, 7], len(frame))
    return frame


@pytest.mark.parametrize("name", FRAMES)
def test_tables_of_pandas_and_polars(in_tmp: Path, name: str) -> None:
    frame = typed()
    run = exp.fit(FRAMES[name](frame), "y", budget=2, directory="made", overrides=["figures=none"])
    assert run.status == "done"
    assert (run.path, run.path.name) == (in_tmp / "made", "made")
    columns = pd.read_csv(run.path / "columns.csv").set_index("column")["taken_as"]
    wanted = {"size": "number", "city": "category", "day": "date", "truth": "category",
              "count": "number", "code": "category", "y": "target"}  # fmt: skip
    if name in ("polars", "a mapping"):
        wanted["code"] = "number" if name == "a mapping" else columns["code"]
    assert {key: columns[key] for key in wanted} == wanted
    saved = pd.read_csv(run.path / "table.csv")
    assert np.array_equal(saved["size"], frame["size"], equal_nan=True)
    assert saved["y"].tolist() == frame["y"].tolist()
    test = run.predictions[run.predictions["split"] == "test"]
    given = frame[["size", "city", "day", "truth", "count", "code"]].iloc[test["row"]]
    assert run.predict(given).tolist() == test["predicted"].tolist()


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        (3, "y", "expected a DataFrame"),
        (pd.DataFrame({"a": [1, 2], "y": [0, 1]}), "z", "unknown column 'z'"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["y", "y"]), "y", "2 columns have the name 'y'"),
        (pd.DataFrame({"a": [[1], [2]], "y": [0, 1]}), "y", "column 'a': expected numbers"),
        (pd.DataFrame({"a": [], "y": []}), "y", "no rows"),
        (pd.DataFrame({"a": [1, 1], "y": [0, 1]}), "y", "no column is left to learn from"),
        ("missing.csv", "y", "no such file"),
    ],
)
def test_tables_that_cannot_be_used(in_tmp: Path, data: Any, target: str, message: str) -> None:
    with pytest.raises(ExpError, match=message):
        exp.fit(data, target, budget=1, directory="made")
    assert not list(in_tmp.iterdir())


def test_what_is_wrong_is_one_error_and_nothing_is_written(in_tmp: Path) -> None:
    small().to_csv("rows.csv", index=False)
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine")
    target = ("rows.csv", "--target", "y")
    for words, message in (
        (("rows.csv",), "name the column to predict with --target COLUMN. The columns are 'id', "),
        (("rows.csv", "--target", "Y"), "no column 'Y'. Did you mean 'y'?"),
        ((*target, "--groups", "sity"), "no column 'sity'. Did you mean 'city'?"),
        ((*target, "--keep", "sity"), "Did you mean 'city'?"),
        ((*target, "--budget", "soon"), "expected a time such as 90, 90s or 2m, found 'soon'"),
        ((*target, "--budget", "0s"), "expected a time such as"),
        ((*target, "--metric", "acuracy"), "unknown score 'acuracy'. Did you mean 'accuracy'?"),
        ((*target, "--metric", "rmse"), "unknown metric 'rmse'"),
        ((*target, "--test", "1.5"), "expected a share between 0 and 1"),
        ((*target, "--config", "dataset.decmal=comma"), "Did you mean 'decimal'?"),
        ((*target, "--config", "dataset.target=id"), "use --target of exp fit"),
        ((*target, "--config", "model=mlp"), "fit chooses the model itself"),
        ((*target, "--config", "nothing"), "expected KEY=VALUE"),
        ((*target, "--output", "full"), "is not empty: choose a new one"),
        ((*target, "--bugdet", "3"), "no such option --bugdet. Did you mean '--budget'?"),
        (("row.csv", "--target", "y"), "Did you mean 'rows.csv'?"),
    ):
        ended = inside(in_tmp, "fit", *words)
        assert ended.code == 2, (words, ended.out, ended.err)
        assert message in ended.err, (words, ended.err)
        assert "Traceback" not in ended.err
    Path("header.csv").write_text("a,y\n")
    assert "has no rows" in inside(in_tmp, "fit", "header.csv", "--target", "y").err
    assert {path.name for path in in_tmp.iterdir()} == {"rows.csv", "full", "header.csv"}
    assert [path.name for path in Path("full").iterdir()] == ["notes.txt"]


def test_the_newest_rows_are_the_test_rows(in_tmp: Path) -> None:
    """With dates of another format, a delimiter that is found, and names that need quotes."""
    frame = small(100).rename(columns={"size": 'the "size", x'}).sample(frac=1, random_state=0)
    frame.to_csv("rows.tsv", sep="\t", index=False)
    ended = fit(in_tmp, "rows.tsv", "--target", "y", "--time", "day", "--output", "made")
    assert ended.code == 0, ended.err
    assert "the delimiter is a tab" in ended.out
    assert re.search(r"^day +time +100 different values; not a feature", ended.out, re.M)
    predictions = exp.load("made").predictions
    days = pd.to_datetime(frame["day"], format="%d.%m.%Y").to_numpy()[predictions["row"]]
    test = (predictions["split"] == "test").to_numpy()
    assert test.sum() == 20
    assert days[test].min() > days[~test].max()


def test_a_fit_is_repeated_with_all_its_files(in_tmp: Path) -> None:
    exp.fit(small(), "y", budget=2, directory="made", overrides=["figures.dpi=40"])
    again = inside(in_tmp, "rerun", "made", "--into", "again")
    assert again.out.splitlines()[-1] == "bit-identical", again.out + again.err
    for name in ("importance.csv", "columns.csv", "model.safetensors", "figures/columns.png"):
        assert Path("made", name).read_bytes() == Path("again", name).read_bytes()


def test_times_may_be_written_in_several_ways() -> None:
    from exp.cli.fit import Seconds

    wanted = {"90": 90.0, "90s": 90.0, "2m": 120.0, "1.5h": 5400.0, "2 min": 120.0}
    assert {text: Seconds().convert(text, None, None) for text in wanted} == wanted


def test_a_table_of_strangers_is_completed_in_the_shell(in_tmp: Path) -> None:
    assert "--target" in completions("exp fit rows.csv --t")
    assert "fit" in completions("exp fi")


def test_the_directory_of_a_table_is_refused_if_it_is_used(in_tmp: Path) -> None:
    Path("made").mkdir()
    Path("made/mine.txt").write_text("mine")
    with pytest.raises(RunDirectoryError, match="is not empty"):
        exp.fit(small(), "y", budget=1, directory="made")
    with pytest.raises(ExpError, match="exclude: expected a list of texts"):
        exp.fit(small(), "y", budget=1, exclude="id")
    assert [path.name for path in Path("made").iterdir()] == ["mine.txt"]


def test_an_odd_real_table(in_tmp: Path) -> None:
    """The raw penguins: names with blanks and brackets, dates, identifiers, comments, constants."""
    penguins().to_csv("raw.csv")
    with pytest.raises(DataError, match="Did you mean 'Species'"):
        exp.fit("raw.csv", "species", budget=1)
    ended = fit(in_tmp, "raw.csv", "--target", "Species", "--output", "made")
    assert ended.code == 0, ended.err
    taken = pd.read_csv("made/columns.csv").set_index("column")["taken_as"]
    assert taken["Individual ID"] == taken["Region"] == "left out"
    assert taken["Date Egg"] == "date"
    assert taken["Culmen Length (mm)"] == "number"
    assert exp.load("made").summary["final"]["test/accuracy"] > 0.8

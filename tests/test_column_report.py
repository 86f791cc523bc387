"""What `exp fit` takes the columns of a table for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exp.data.column_report import ColumnReport, TableReport, column_report
from exp.data.table_settings import delimiter_of, kind_of
from exp.util.errors import DataError

ROWS = 120


def report(path: str, target: str = "y", keep: tuple[str, ...] = (), **given: Any) -> TableReport:
    return column_report(path, kind_of(path), target, given, {}, keep)


def by_name(found: TableReport) -> dict[str, ColumnReport]:
    return {column.name: column for column in found.columns}


def table(**columns: Any) -> pd.DataFrame:
    """A table with a target, a column of numbers, and others."""
    random = np.random.default_rng(0)
    usual = {"y": np.resize(["no", "yes"], ROWS), "size": random.normal(size=ROWS).round(3)}
    return pd.DataFrame({**usual, **columns})


def write(frame: pd.DataFrame, form: str) -> str:
    """A table as a file."""
    path = f"rows.{form}"
    if form == "parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


BOTH = pytest.mark.parametrize("form", ["csv", "parquet"])


@BOTH
def test_each_kind_of_column(in_tmp: Path, form: str) -> None:
    random = np.random.default_rng(1)
    frame = table(
        city=np.resize(["Basel", "Bern", "Zug"], ROWS),
        stage=np.resize([1, 2, 3, 4], ROWS),
        note=[f"note {n} {n * 7 % 13}" for n in range(ROWS)],
        number=np.arange(ROWS),
        customer_id=random.permutation(ROWS) + 5000,
        always="x",
        empty=pd.Series([None] * ROWS, dtype="str"),
        zip=[f"0{n}" for n in np.resize([1234, 2345, 3456], ROWS)],
        day=pd.date_range("2024-01-31", periods=ROWS).strftime("%Y-%m-%d"),
    )
    frame.loc[:9, "size"] = np.nan
    frame.loc[5:6, "city"] = None
    found = report(write(frame, form))
    columns = by_name(found)
    assert {name: each.taken_as for name, each in columns.items()} == {
        "y": "target", "size": "number", "city": "category", "stage": "number",
        "note": "left out", "number": "left out", "customer_id": "left out", "always": "left out",
        "empty": "left out", "zip": "category", "day": "date",
    }  # fmt: skip
    assert (columns["size"].missing, columns["size"].filled_in) == (10, "the median")
    assert (columns["city"].missing, columns["city"].filled_in) == (2, "a category of its own")
    imputed = by_name(report(f"rows.{form}", missing="impute"))["city"]
    assert (imputed.missing, imputed.filled_in) == (2, "the most frequent value")
    with pytest.raises(DataError, match="missing value in 10 of 120 rows"):
        report(f"rows.{form}", missing="refuse")
    low, high = frame["size"].min(), frame["size"].max()
    assert columns["size"].details == f"{low:.6g} to {high:.6g}"
    assert columns["y"].details == "2 classes: no, yes"
    assert columns["stage"].change == "--config 'dataset.categorical=[stage]'"
    assert columns["note"].change == "--keep note"
    assert columns["day"].details == "2024-01-31 to 2024-05-29"
    assert found.settings["categorical"] == ["zip"]
    assert found.settings["dates"] == ["day"]
    assert set(found.table.kinds) == {"size", "city", "stage", "zip", "day"}


@BOTH
def test_columns_that_are_kept(in_tmp: Path, form: str) -> None:
    frame = table(name=[f"n{n}" for n in range(ROWS)], id=np.arange(ROWS), always=1)
    path = write(frame, form)
    assert [c.taken_as for c in report(path).columns] == ["target", "number", *["left out"] * 3]
    kept = by_name(report(path, keep=("name", "id", "always")))
    assert [kept[n].taken_as for n in ("name", "id", "always")] == ["category", "number", "number"]
    with pytest.raises(DataError, match=r"keep: unknown column 'nme'. Did you mean 'name'"):
        report(path, keep=("nme",))


SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("decimal", [".", ","])
def test_the_delimiter_and_the_decimal_sign_are_found(
    in_tmp: Path, sign: str, decimal: str
) -> None:
    frame = table(text=np.resize(["a, b", "c; d", "e | f"], ROWS), price=np.arange(ROWS) / 4 + 1000)
    frame.to_csv("rows.csv", index=False, sep=SIGNS[sign], decimal=decimal)
    assert delimiter_of("rows.csv") == SIGNS[sign]
    found = report("rows.csv")
    assert by_name(found)["price"].taken_as == "number"
    assert np.array_equal(found.table.frame["price"], frame["price"])
    assert np.array_equal(found.table.frame["size"], frame["size"])
    notes = "\n".join(found.notes)
    assert (f"dataset.delimiter={sign}" in notes) == (sign != "comma")
    assert ("dataset.decimal=comma" in notes) == (decimal == ",")


@pytest.mark.parametrize(("decimal", "thousands"), [(",", "."), (".", ","), (".", "'"), (",", " ")])
def test_thousands_are_found(in_tmp: Path, decimal: str, thousands: str) -> None:
    numbers = np.round(np.random.default_rng(2).lognormal(9, 1, ROWS), 2)
    swapped = str.maketrans({",": thousands, ".": decimal})
    written = [f"{number:,.2f}".translate(swapped) for number in numbers]
    table(size=[str(n) for n in range(ROWS)], price=written).to_csv("rows.csv", index=False)
    found = report("rows.csv", keep=("size",))
    assert np.array_equal(found.table.frame["price"], numbers)
    assert (found.settings["decimal"], found.settings["thousands"]) == (decimal, thousands)


def test_what_is_not_certain_is_left_to_the_user(in_tmp: Path) -> None:
    """1,250 may be a thousand or a bit more than one; 03/04 is in March or in April."""
    frame = table(price=np.resize(["1,250", "3,125"], ROWS)).drop(columns="size")
    frame.to_csv("rows.csv", index=False)
    with pytest.raises(DataError, match=r"dataset\.decimal=comma or dataset\.thousands=comma"):
        report("rows.csv")
    found = report("rows.csv", decimal=",")
    assert found.table.frame["price"].tolist()[:2] == [1.25, 3.125]
    table(day=np.resize(["03/04/2024", "05/06/2024"], ROWS)).to_csv("rows.csv", index=False)
    with pytest.raises(DataError, match=r"%d/%m/%Y"):
        report("rows.csv")


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%Y-%m-%d %H:%M"])
def test_the_format_of_dates_is_found(in_tmp: Path, form: str) -> None:
    days = pd.date_range("2024-01-31", periods=ROWS, freq="h" if "%H" in form else "D")
    table(day=days.strftime(form)).to_csv("rows.csv", index=False)
    found = report("rows.csv")
    wanted = (days - pd.Timestamp(0)) / pd.Timedelta(days=1)
    assert np.allclose(found.table.frame["day"], wanted, atol=1e-9)


def test_typing_errors_are_reported_with_their_lines(in_tmp: Path) -> None:
    frame = table(price=[str(n) for n in range(ROWS)])
    frame.loc[40, "price"] = "unknown"
    frame.to_csv("rows.csv", index=False)
    with pytest.raises(DataError, match=r"line 42, column 'price'  'unknown' is not a number"):
        report("rows.csv")


def test_codes_of_numbers_and_texts_are_categories(in_tmp: Path) -> None:
    """As the tickets of the Titanic: so many texts are no typing errors."""
    codes = [f"PC {n}" if n % 3 else str(n) for n in np.resize(np.arange(50), ROWS)]
    table(ticket=codes).to_csv("rows.csv", index=False)
    found = report("rows.csv")
    assert by_name(found)["ticket"].taken_as == "category"
    assert found.table.frame["ticket"].nunique() == 50


@pytest.mark.parametrize(
    ("start", "what"),
    [(b"PK\x03\x04", "a spreadsheet"), (b"\x1f\x8b\x08\x00", "compressed")],
)
def test_other_files(in_tmp: Path, start: bytes, what: str) -> None:
    Path("rows.xlsx").write_bytes(start + b"rest")
    with pytest.raises(DataError, match=what):
        kind_of("rows.xlsx")


def test_the_report_as_text_and_as_csv(in_tmp: Path) -> None:
    frame = table(city=np.resize(["Basel", "Bern\x1b[2J"], ROWS))
    frame.to_csv("rows.csv", index=False)
    found = report("rows.csv")
    text = found.text().splitlines()
    assert text[0] == f"rows.csv: {ROWS} rows, 3 columns"
    assert text[2].split() == ["column", "taken", "as", "details"]
    assert "Bern\\x1b[2J" in text[-1]
    Path("columns.csv").write_text(found.csv())
    again = pd.read_csv("columns.csv")
    assert again["column"].tolist() == ["y", "size", "city"]
    assert again["taken_as"].tolist() == ["target", "number", "category"]

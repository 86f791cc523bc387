"""A user's own rows: csv, Parquet and npz files, with a file of test rows where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from exp.data.dataset import Data
from exp.data.faults import repeated
from exp.data.reading_settings import Reading, sign_of
from exp.registry.registry import register
from exp.util.errors import shown

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], Field(min_length=1)]
Dates = bool | Names | Annotated[dict[Text, Text], Field(min_length=1)]
NaValues = list[str | int | float]
Decimal = Annotated[Literal[".", ","], BeforeValidator(sign_of)]
Thousands = Annotated[Literal[",", ".", " ", "'"], BeforeValidator(sign_of)]
Categories = Annotated[int, Field(ge=2, le=65_536)]
Missing = Literal["refuse", "drop", "impute", "indicate"]
Task = Literal["auto", "classes", "number"]
Delimiter = Annotated[Literal[",", ";", "\t", "|", " "], BeforeValidator(sign_of)]
APART = {
    "dates": ("categorical",),
    "exclude": ("features", "categorical", "dates"),
    "weights": ("features", "categorical", "dates", "exclude"),
}
"""Settings that name columns -> those that must not name the same ones."""


def columns_apart(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    target, features = values.get("target"), values["features"]
    dates, weights = values.get("dates", False), values["weights"]
    is_class = values["task"] == "classes"
    named = {
        "features": features or [],
        "categorical": values["categorical"] or [],
        "dates": [] if isinstance(dates, bool) else list(dates),
        "exclude": values["exclude"] or [],
        "weights": [] if weights is None else [weights],
    }
    for key, names in named.items():
        for name, count in repeated(names).items():
            yield key, f"names {shown(name)} {count} times"
        if target is not None and target in names and (key != "dates" or is_class):
            yield key, f"names {shown(target)}, which is the target"
        for other in APART.get(key, ()):
            for name in names:
                if name in named[other]:
                    yield key, f"names {shown(name)}, which `{other}` names too"
    for name in named["categorical"] if features is not None else ():
        if name not in features:
            yield "categorical", f"names {shown(name)}, which is not among the features"
    if target is None and weights in ("X", "y", "names"):
        yield "weights", f"names the array {shown(weights)}, which contains no weights"
    if values.get("thousands") == values.get("decimal", "."):
        yield "thousands", "is also the decimal sign (dataset.decimal): use another"


@register.dataset("csv", check=columns_apart)
def csv(
    seed: int,
    *,
    path: Text,
    target: Text,
    task: Task = "auto",
    features: Names | None = None,
    categorical: Names | None = None,
    max_categories: Categories | None = None,
    dates: Dates = False,
    decimal: Decimal = ".",
    thousands: Thousands | None = None,
    missing: Missing = "refuse",
    na_values: NaValues | None = None,
    test_path: Text | None = None,
    exclude: Names | None = None,
    weights: Text | None = None,
    delimiter: Delimiter = ",",
    aside: Sequence[str] = (),
) -> Data:
    """A csv file in UTF-8 with a header line, columns of numbers or texts, and a column to predict.

    Args:
        seed: not used.
        path: path of the file, relative to the working directory; ~ is your home directory.
        target: name of the column to predict. Labels are numbered in sorted order (integers by
            value), and their texts are the names of the classes.
        task: what the target holds: classes, or a number (regression). auto: a number if values
            have fractions, or if there are more different integers than classes can be.
        features: names of the columns to learn from, in this order; null: all except the target
            and the index of a pandas table.
        categorical: names of numeric columns to treat as categories; columns of text always are.
            Each category of the training rows becomes a column of 0 and 1.
        max_categories: largest number of encoded columns per column of categories; the rarest
            categories of the training rows share the last one. null: no limit.
        dates: names of columns of dates (as 2026-11-28, with or without a time), converted to
            days since 1970-01-01; true: find them; {column: "%d.%m.%Y"}: their formats.
        decimal: the decimal sign of numbers.
        thousands: the sign between groups of three digits; null: there is none.
        missing: how to treat missing values: refuse them, drop their rows, or impute the median
            (for categories, the most frequent value) of the training rows. indicate: impute
            numbers, with an encoded column of 0 and 1 that says where they are missing; missing
            categories are a category of their own. Rows without a label are dropped, unless
            missing values are refused.
        na_values: texts that mean a missing value, in features and target; null: those of pandas
            (NA, N/A, NaN, null, None, ...) and ?, in upper or lower case. An empty field is
            always missing.
        test_path: a second file with the same columns, for the test rows; `split.test` is then
            ignored.
        exclude: names of columns to leave out.
        weights: name of a column of numbers of at least 0: how much each row counts in the loss;
            it is not a feature. Scores count each row once. null: all rows count the same.
        delimiter: the sign between two fields: , ; | tab or space.

    Returns:
        X [rows, features] in the order of the file, test rows last; as many classes as there are
        labels, or none for a number.

    Raises:
        DataError: up to 10 errors, each with file, line and column.
    """
    reading = Reading(
        target=target, task=task, features=features, delimiter=delimiter, missing=missing,
        categorical=categorical or (), dates=dates, decimal=decimal, thousands=thousands,
        na_values=na_values, aside=aside, weights=weights, exclude=exclude or (),
    )  # fmt: skip
    return rows("csv", path, test_path, reading, max_categories)


@register.dataset("parquet", check=columns_apart)
def parquet(
    seed: int,
    *,
    path: Text,
    target: Text,
    task: Task = "auto",
    features: Names | None = None,
    categorical: Names | None = None,
    max_categories: Categories | None = None,
    dates: Dates = False,
    decimal: Decimal = ".",
    thousands: Thousands | None = None,
    missing: Missing = "refuse",
    na_values: NaValues | None = None,
    test_path: Text | None = None,
    exclude: Names | None = None,
    weights: Text | None = None,
    aside: Sequence[str] = (),
) -> Data:
    """A Parquet file with columns of numbers or texts and a column to predict (`exp[parquet]`).

    Args:
        seed: not used.
        path: path of the file, relative to the working directory; ~ is your home directory.
        target, task: as for `csv`.
        features: names of the columns to learn from; null: all except the target and the index
            of a pandas table.
        categorical: names of numeric columns to treat as categories, as for `csv`.
        max_categories: largest number of encoded columns per column, as for `csv`.
        dates: names of columns of dates and timestamps, converted to days since 1970-01-01 (UTC).
        decimal: the decimal sign in columns of text that contain numbers.
        thousands: the sign between groups of three digits in such columns.
        missing: how to treat missing values (null and NaN), as for `csv`.
        na_values: texts that mean a missing value, as for `csv`.
        test_path: another file with the same columns, as for `csv`.
        exclude: names of columns to leave out.
        weights: name of the column of weights, as for `csv`.
        aside: names of columns that the split needs, as for `csv`.

    Raises:
        DataError: up to 10 errors, each with file, row and column.
        ExpError: pyarrow is not installed.
    """
    reading = Reading(
        target=target, task=task, features=features, missing=missing, categorical=categorical or (),
        dates=dates, decimal=decimal, thousands=thousands, na_values=na_values, aside=aside,
        weights=weights, exclude=exclude or (),
    )  # fmt: skip
    return rows("parquet", path, test_path, reading, max_categories)


@register.dataset("npz", check=columns_apart)
def npz(
    seed: int,
    *,
    path: Text,
    task: Task = "auto",
    features: Names | None = None,
    categorical: Names | None = None,
    max_categories: Categories | None = None,
    missing: Missing = "refuse",
    na_values: NaValues | None = None,
    test_path: Text | None = None,
    exclude: Names | None = None,
    weights: Text | None = None,
    aside: Sequence[str] = (),
) -> Data:
    """An npz file with arrays X and y, and optionally names.

    X [rows, features] contains numbers, y [rows] labels or numbers, names [features] texts.

    Args:
        seed: not used.
        path: path of the file, relative to the working directory; ~ is your home directory.
        task: what y holds, as for `csv`.
        features: names of the columns to learn from (x1, x2, ... if the file has no names); null:
            all.
        categorical: names of numeric columns to treat as categories, as for `csv`.
        max_categories: largest number of encoded columns per column, as for `csv`.
        missing: how to treat missing values (NaN), as for `csv`.
        na_values: numbers and texts that mean a missing value, as for `csv`.
        test_path: another file with the same columns, as for `csv`.
        exclude: names of columns to leave out.
        weights: name of an array [rows], or of a column, of weights, as for `csv`.
        aside: names of columns that the split needs, as for `csv`.

    Raises:
        DataError: up to 10 errors, each with file, row and column.
    """
    reading = Reading(
        target="y", task=task, features=features, missing=missing, categorical=categorical or (),
        na_values=na_values, aside=aside, weights=weights, exclude=exclude or (),
    )  # fmt: skip
    return rows("npz", path, test_path, reading, max_categories)


def rows(
    kind: str, path: str, test_path: str | None, reading: Reading, max_categories: int | None
) -> Data:
    from exp.data.from_files import data_of  # pandas: only for files

    return data_of(kind, path, test_path, reading, max_categories)

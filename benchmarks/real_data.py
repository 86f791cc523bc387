"""Real data against scikit-learn's MLPClassifier: the same folds, the same network, many seeds.

    python benchmarks/real_data.py [SEEDS]

Trains breast_cancer, wine, digits and a csv file with columns of text and gaps with one command
each, `exp -m split=kfold seed='range(0,SEEDS)'` (30 unless given: each of ten folds three times),
reads the mean test accuracy from `exp results`, and compares it with MLPClassifier on the same
folds, fed by scikit-learn's own transformers. Leaves with 1 where exp is more than a point worse.
"""

from __future__ import annotations

import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as exp itself: a product is too small for two
os.environ.setdefault("OMP_NUM_THREADS", "1")

import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDS = 10
ALLOWED = 0.01
SETTINGS = [
    "split=kfold", "split.standardize=true", "model.hidden=[100]", "optimizer=adam",
    "trainer.batch_size=200", "trainer.epochs=200", "figures=none",
]  # fmt: skip
"""MLPClassifier's own defaults, but for the learning rate."""
JOBS = {"baker": 1.2, "nurse": -0.4, "driver": 0.3, "teacher": -1.0}
CITIES = {"Basel": 0.8, "Bern": -0.8, "Zug": 0.0}


def customers(path: Path, rows: int = 800) -> None:
    """A csv file as people have them: two columns of text, three of numbers, one value in twenty
    missing, labels that follow from all of them and from chance."""
    random = np.random.RandomState(0)
    age = random.randint(18, 80, rows)
    income = np.round(random.lognormal(10.8, 0.4, rows))
    visits = random.poisson(4, rows)
    job, city = random.choice(list(JOBS), rows), random.choice(list(CITIES), rows)
    score = (age - 49) / 18 - (np.log(income) - 10.8) / 0.4 + (visits - 4) / 2
    score += [JOBS[each] for each in job] + np.array([CITIES[each] for each in city])
    buys = np.where(1.5 * score + random.logistic(size=rows) > 0, "yes", "no")
    columns = [np.char.mod("%g", values) for values in (age, income, visits)]
    table = np.column_stack([*columns, job, city]).astype(object)
    table[random.uniform(size=table.shape) < 0.05] = ""
    lines = [",".join([*row, label]) for row, label in zip(table.tolist(), buys, strict=True)]
    path.write_text("\n".join(["age,income,visits,job,city,buys", *lines]) + "\n")


def ours(words: list[str], seeds: int, folder: Path) -> tuple[float, float]:
    """Mean test accuracy of the runs, as `exp results` tells it, and seconds of both commands."""
    exp = [sys.executable, "-m", "exp"]
    start = time.perf_counter()
    sweep = [*exp, "-m", *SETTINGS, *words, f"seed=range(0,{seeds})", "sweep.dir=swept"]
    subprocess.run(sweep, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    told = subprocess.run(
        [*exp, "results", "swept", "--json", "-"],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    (group,) = json.loads(told.stdout)["groups"]
    assert group["seeds"] == seeds, group
    return float(group["mean"]), time.perf_counter() - start


def theirs(X: Any, y: Any, columns: Any, seeds: int) -> tuple[float, float]:
    """Mean test accuracy of MLPClassifier on the same folds, and seconds."""
    start, scores = time.perf_counter(), []
    for seed in range(seeds):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed // FOLDS).split(X, y)
        train, test = list(folds)[seed % FOLDS]
        model = make_pipeline(columns(), MLPClassifier(random_state=seed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X[train], y[train])
        scores.append(model.score(X[test], y[test]))
    return float(np.mean(scores)), time.perf_counter() - start


def mixed() -> ColumnTransformer:
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer([("numbers", numbers, [0, 1, 2]), ("texts", texts, [3, 4])])


def read(path: Path) -> tuple[Any, Any]:
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    X = np.array([[cell or np.nan for cell in row[:-1]] for row in rows], dtype=object)
    X[:, :3] = X[:, :3].astype(float)
    return X, np.array([row[-1] for row in rows])


def main() -> int:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    worse = False
    print(f"{'data':<14} {'exp':>8} {'sklearn':>8} {'points':>7} {'exp s':>7} {'sklearn s':>9}")
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "customers.csv"
        customers(table)
        bundled = {key: (f"dataset={key}",) for key in ("wine", "breast_cancer", "digits")}
        # Its 160 training rows are one batch: 200 steps from PyTorch's small weights need more.
        slow, fast = "optimizer.lr=0.001", "optimizer.lr=0.01"
        own = ("dataset=csv", f"dataset.path={table}", "dataset.target=buys")
        for key, words in {"customers.csv": (*own, "dataset.missing=impute"), **bundled}.items():
            folder = Path(name) / key.replace(".", "-")
            folder.mkdir()
            os.environ["EXP_CACHE"] = str(Path(name) / "cache")
            if key in bundled:
                X, y = getattr(datasets, f"load_{key}")(return_X_y=True)
                twin = theirs(X, y, StandardScaler, seeds)
            else:
                twin = theirs(*read(table), mixed, seeds)
            found = ours([*words, fast if key == "wine" else slow], seeds, folder)
            points = 100 * (found[0] - twin[0])
            worse |= found[0] < twin[0] - ALLOWED
            print(
                f"{key:<14} {found[0]:>8.4f} {twin[0]:>8.4f} {points:>+7.2f} {found[1]:>7.1f} "
                f"{twin[1]:>9.1f}",
                flush=True,
            )
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())

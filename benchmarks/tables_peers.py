"""The peers of `exp fit` on the 20 tables: each searches its settings by cross-validation.

    python benchmarks/tables_peers.py RESULTS [--tables a,b] [--methods a,b] [--seed 0]

Each method gets the same training rows, 240 seconds of CPU time (two minutes on two cores), one
thread, and a portfolio of configurations: its defaults first, then random ones. Each is scored by
cross-validation on the training rows (log loss, or squared error); the best is trained anew on all
of them. A method ends sooner when its portfolio is exhausted. The test rows are only predicted.

A file for each table, seed and method; those that are there are not computed again.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from scipy.stats import loguniform
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, ParameterSampler, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from tables import CLASSES, NAMED, Table
from tables_scores import loss_of, save, saved

SECONDS = 240.0
ROUNDS = 2000  # most trees of a method that stops early
PATIENCE = 50
FEW_ROWS, MANY_ROWS = 2500, 6000
"""Five folds up to so many training rows, three up to so many, above that one: a fifth of the rows
validates, which is enough there and leaves time for more configurations."""


class Columns:
    """What the columns of the training rows are: numbers, text, or dates, which become two numbers
    (days, day of the year)."""

    def __init__(self, frame: pd.DataFrame) -> None:
        plain = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
        self.dates = [name for name in plain if parsed(frame[name]).notna().all()]
        self.texts = [name for name in plain if name not in self.dates]
        self.numbers = [name for name in self.shaped(frame) if name not in self.texts]

    def shaped(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Numbers as float64, texts as Python's strings or None, in a fixed order."""
        found = frame.drop(columns=self.dates)
        for name in found:
            column = found[name]
            if name in self.texts:
                found[name] = column.astype(object).where(column.notna(), None)
            else:
                found[name] = column.astype(float)
        for name in self.dates:
            date = parsed(frame[name])
            found[f"{name} (days)"] = (date - pd.Timestamp(0, tz="UTC")).dt.days.astype(float)
            found[f"{name} (day of the year)"] = date.dt.dayofyear.astype(float)
        return found


def parsed(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)


class Method(Protocol):
    """A kind of model.

    Attributes:
        portfolio: configurations at most, the defaults among them.
        space: of the random ones.
    """

    portfolio: int
    space: ClassVar[dict[str, Any]]

    def __init__(self, columns: Columns, task: str, classes: int) -> None: ...

    def fit(
        self,
        params: dict[str, Any],
        X: pd.DataFrame,
        y: np.ndarray,
        valid: tuple[pd.DataFrame, np.ndarray] | None,
        rounds: int,
    ) -> int:
        """Trains; returns the number of trees up to the best one, 0 where that means nothing.

        Args:
            valid: rows to stop early on.
            rounds: trees without such rows.
        """
        ...

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """`[rows, classes]` probabilities, or `[rows]` numbers."""
        ...


class Sklearn:
    """What the two methods of scikit-learn have in common: no early stopping on given rows."""

    model: Any

    def __init__(self, columns: Columns, task: str, classes: int) -> None:
        self.columns, self.task = columns, task

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        if self.task == CLASSES:
            return np.asarray(self.model.predict_proba(X))
        return np.asarray(self.model.predict(X))


class Mlp(Sklearn):
    portfolio = 12
    space: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": [(32,), (64,), (128,), (256,), (64, 64), (128, 128)],
        "alpha": loguniform(1e-4, 10.0),
        "learning_rate_init": loguniform(3e-4, 1e-2),
        "activation": ["relu", "tanh"],
        "early_stopping": [False, True],
        "batch_size": [64, 200],
    }

    def fit(self, params, X, y, valid, rounds) -> int:
        one_hot = OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=2, sparse_output=False
        )
        texts = make_pipeline(
            SimpleImputer(strategy="constant", fill_value="missing", missing_values=None), one_hot
        )
        numbers = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
        )
        prepared = ColumnTransformer(
            [("numbers", numbers, self.columns.numbers), ("texts", texts, self.columns.texts)]
        )
        if self.task == CLASSES:
            network = MLPClassifier(random_state=0, **params)
        else:
            network = TransformedTargetRegressor(
                MLPRegressor(random_state=0, **params), transformer=StandardScaler()
            )
        self.model = make_pipeline(prepared, network).fit(X, y)
        return 0


class HistGradientBoosting(Sklearn):
    portfolio = 16
    space: ClassVar[dict[str, Any]] = {
        "learning_rate": loguniform(0.01, 0.3),
        "max_iter": [50, 100, 200, 400],
        "max_leaf_nodes": [4, 8, 15, 31, 63],
        "min_samples_leaf": [2, 5, 10, 20, 50],
        "l2_regularization": loguniform(1e-3, 10.0),
        "max_features": [0.5, 1.0],
    }

    def fit(self, params, X, y, valid, rounds) -> int:
        texts = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250,
            encoded_missing_value=np.nan,
        )  # fmt: skip
        prepared = ColumnTransformer(
            [("texts", texts, self.columns.texts), ("numbers", "passthrough", self.columns.numbers)]
        )
        kind = (
            HistGradientBoostingClassifier
            if self.task == CLASSES
            else HistGradientBoostingRegressor
        )
        at = list(range(len(self.columns.texts)))
        boosted = kind(random_state=0, categorical_features=at or None, **params)
        self.model = make_pipeline(prepared, boosted).fit(X, y)
        return 0


class LightGbm:
    portfolio = 16
    space: ClassVar[dict[str, Any]] = {
        "learning_rate": loguniform(0.01, 0.2),
        "num_leaves": [4, 8, 15, 31, 63, 127],
        "min_child_samples": [2, 5, 10, 20, 50],
        "reg_lambda": loguniform(1e-3, 10.0),
        "colsample_bytree": [0.5, 0.75, 1.0],
        "subsample": [0.6, 0.8, 1.0],
    }

    def __init__(self, columns: Columns, task: str, classes: int) -> None:
        self.columns, self.task = columns, task
        self.levels: dict[str, pd.CategoricalDtype] = {}

    def shaped(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.assign(**{name: X[name].astype(kind) for name, kind in self.levels.items()})

    def fit(self, params, X, y, valid, rounds) -> int:
        import lightgbm

        self.levels = {
            name: pd.CategoricalDtype(sorted(X[name].dropna().unique()))
            for name in self.columns.texts
        }
        kind = lightgbm.LGBMClassifier if self.task == CLASSES else lightgbm.LGBMRegressor
        self.model = kind(
            n_estimators=ROUNDS if valid else rounds, n_jobs=1, random_state=0, verbose=-1,
            subsample_freq=1, **params,
        )  # fmt: skip
        stop = [lightgbm.early_stopping(PATIENCE, verbose=False)] if valid else None
        held = [(self.shaped(valid[0]), valid[1])] if valid else None
        self.model.fit(self.shaped(X), y, eval_set=held, callbacks=stop)
        return int(self.model.best_iteration_ or rounds) if valid else rounds

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        X = self.shaped(X)
        found = self.model.predict_proba(X) if self.task == CLASSES else self.model.predict(X)
        return np.asarray(found)


class CatBoost:
    portfolio = 5
    space: ClassVar[dict[str, Any]] = {
        "learning_rate": loguniform(0.02, 0.2),
        "depth": [3, 4, 5, 6, 7, 8],
        "l2_leaf_reg": loguniform(0.5, 20.0),
        "random_strength": [0.5, 1.0, 2.0],
        "rsm": [0.5, 1.0],
    }

    def __init__(self, columns: Columns, task: str, classes: int) -> None:
        self.columns, self.task, self.classes = columns, task, classes

    def shaped(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.assign(**{name: X[name].fillna("missing") for name in self.columns.texts})

    def fit(self, params, X, y, valid, rounds) -> int:
        import catboost

        kind = catboost.CatBoostClassifier if self.task == CLASSES else catboost.CatBoostRegressor
        loss = "RMSE" if self.task != CLASSES else "Logloss" if self.classes == 2 else "MultiClass"
        self.model = kind(
            iterations=ROUNDS if valid else rounds, thread_count=1, random_seed=0,
            loss_function=loss, verbose=False, allow_writing_files=False,
            cat_features=self.columns.texts, **params,
        )  # fmt: skip
        held = (self.shaped(valid[0]), valid[1]) if valid else None
        self.model.fit(
            self.shaped(X), y, eval_set=held, early_stopping_rounds=PATIENCE if valid else None
        )
        return int(self.model.get_best_iteration()) + 1 if valid else rounds

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        X = self.shaped(X)
        found = self.model.predict_proba(X) if self.task == CLASSES else self.model.predict(X)
        return np.asarray(found)


METHODS: dict[str, type[Method]] = {
    "lightgbm": LightGbm,
    "hist_gradient_boosting": HistGradientBoosting,
    "mlp": Mlp,
    "catboost": CatBoost,
}


def configurations(method: type[Method], seed: int) -> list[dict[str, Any]]:
    """The defaults, then random ones."""
    drawn = ParameterSampler(method.space, method.portfolio - 1, random_state=seed)
    return [{}, *drawn]


def searched(name: str, table: Table, seed: int, seconds: float) -> tuple[np.ndarray, dict]:
    """Predictions of the test rows, and how the search went."""
    begin = time.process_time()
    train, test = table.split(seed)
    task = table.task
    labels = np.unique(train[table.target]) if task == CLASSES else np.array([])
    X, y = train.drop(columns=table.target), train[table.target].to_numpy()
    y = np.searchsorted(labels, y) if task == CLASSES else y.astype(float)
    columns = Columns(X)
    X, new = columns.shaped(X), columns.shaped(test.drop(columns=table.target))
    kind = METHODS[name]
    folds = 3 if FEW_ROWS < len(X) <= MANY_ROWS else 5
    parts = (StratifiedKFold if task == CLASSES else KFold)(folds, shuffle=True, random_state=seed)
    pieces = list(parts.split(X, y))[: 1 if len(X) > MANY_ROWS else folds]
    best: tuple[float, dict[str, Any], int] = (np.inf, {}, ROUNDS)
    tried, longest = 0, 0.0
    most = kind.portfolio // 2 if name == "mlp" and len(X) > MANY_ROWS else kind.portfolio
    for params in configurations(kind, seed)[:most]:
        # The last fit on all rows takes about as long as the slowest fold.
        if time.process_time() - begin + (len(pieces) + 1.5) * longest > seconds:
            break
        losses, rounds = [], []
        for inner, outer in pieces:
            start = time.process_time()
            model = kind(columns, task, len(labels))
            held = X.iloc[outer], y[outer]
            rounds.append(model.fit(params, X.iloc[inner], y[inner], held, ROUNDS))
            losses.append(loss_of(task, y[outer], model.predict(X.iloc[outer])))
            longest = max(longest, time.process_time() - start)
        tried += 1
        if np.mean(losses) < best[0]:
            best = float(np.mean(losses)), params, max(1, round(float(np.mean(rounds))))
    model = kind(columns, task, len(labels))
    model.fit(best[1], X, y, None, best[2])
    predicted = model.predict(new)
    about = {
        "cpu_seconds": time.process_time() - begin, "configurations": tried, "folds": len(pieces),
        "validation": best[0], "chosen": {key: str(value) for key, value in best[1].items()},
    }  # fmt: skip
    return predicted, about


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("--tables", default=",".join(NAMED))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    for name in given.methods.split(","):
        for table in given.tables.split(","):
            if saved(given.results, table, given.seed, name):
                continue
            predicted, about = searched(name, NAMED[table], given.seed, given.seconds)
            found = save(given.results, NAMED[table], given.seed, name, predicted, about)
            print(
                f"{name:<24} {table:<16} loss {found['loss']:.5g}  "
                f"cpu {about['cpu_seconds']:.0f} s  {about['configurations']} configurations",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])

"""What is in the files that hold a run's numbers: summary.json, predictions.csv."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from exp.components.metrics import custom
from exp.data.dataset import Data
from exp.data.prepared import Prepared
from exp.engine import Result
from exp.runs.predictions import feature_column
from exp.runs.targets import target_of
from exp.util.serialize import csv_parts

CELLS = 200_000
"""Fields of predictions.csv that are texts in memory at a time."""


class Answers:
    """What a trained model answers for every row of every split.

    Attributes:
        rows: split name -> row indices into the data set.
        target: what is answered: classes or numbers.
        logits, probabilities, predicted: split name -> `[rows, outputs]`, `[rows, classes]`,
            `[rows]`.
    """

    def __init__(self, result: Result) -> None:
        prepared, predictor = result.job.data, result.predictor
        self.result, self.target = result, target_of(prepared.data)
        self.rows = prepared.split.parts
        inputs = {name: prepared.input_rows(rows) for name, rows in self.rows.items()}
        self.logits = {name: predictor.logits(rows) for name, rows in inputs.items()}
        self.probabilities = {n: predictor.probabilities(z) for n, z in self.logits.items()}
        self.predicted = {n: predictor.labels(z) for n, z in self.logits.items()}

    def scores(self) -> dict[str, dict[str, Any]]:
        """Final scores of every split: the loss, then those of the target."""
        prepared = self.result.job.data
        found: dict[str, dict[str, Any]] = {}
        for name, rows in self.rows.items():
            labels = prepared.y[rows]
            answers = self.probabilities[name], self.predicted[name]
            found[name] = {
                "loss": self.loss(name),
                **self.target.scores(*answers, labels, prepared.positive),
                **self.custom(name, labels),
            }
        return found

    def loss(self, name: str) -> float:
        """The loss of a split, penalty included."""
        prepared, rows = self.result.job.data, self.rows[name]
        targets, weights = prepared.targets[rows], prepared.weights_of(rows)
        return self.result.predictor.loss(prepared.input_rows(rows), targets, weights)

    def custom(self, name: str, labels: np.ndarray) -> dict[str, float | None]:
        """The registered metrics of a split.

        Raises:
            CustomCodeError: one of them fails, or gives no number.
        """
        prepared = self.result.job.data
        answers = self.predicted[name], self.probabilities[name]
        classes, positive = prepared.data.classes, prepared.positive
        return {
            metric.name: metric(labels, *answers, positive, classes)
            for metric in custom(regression=prepared.data.numeric)
        }

    def predictions_text(self) -> Iterator[str]:
        """The parts of predictions.csv, its columns as `exp.runs.predictions` has them; the rows of
        a split in the order in which it holds them."""
        data, target = self.result.job.data.data, self.target
        outputs = next(iter(self.logits.values())).shape[1]
        logits = target.logits(outputs)
        true = target.column
        header = [
            *("split", "row"),
            *(feature_column(name, true) for name in data.features),
            true,
            *logits,
            *target.answers,
        ]
        yield from csv_parts(header, self._lines(len(logits), max(1, CELLS // len(header))))

    def _lines(self, logits: int, block: int) -> Iterator[Sequence[Any]]:
        """The lines of predictions.csv.

        Args:
            logits: how many of the logits are among the columns.
            block: rows that are made into texts at a time.
        """
        data, target = self.result.job.data.data, self.target
        for name, rows in self.rows.items():
            for start in range(0, len(rows), block):
                part = slice(start, start + block)
                some = rows[part]
                yield from zip(
                    [name] * len(some),
                    some.tolist(),
                    *features(data, some),
                    target.texts(data.y[some]),
                    *self.logits[name][part].astype(str).T.tolist()[:logits],
                    *target.columns(self.probabilities[name][part], self.predicted[name][part]),
                    strict=True,
                )


def features(data: Data, rows: np.ndarray) -> list[list[str]]:
    """The features of some rows as text, column by column, as they came: numbers, the names of
    categories, and nothing where a value is missing."""
    X = data.X[rows]
    columns: list[list[str]] = X.astype(str).T.tolist()
    for column, texts in enumerate(data.categories):
        if texts is not None:
            codes = np.nan_to_num(X[:, column]).astype(int).tolist()
            columns[column] = [texts[code] for code in codes]
    for row, column in np.argwhere(np.isnan(X)).tolist() if data.gaps else ():
        columns[column][row] = ""
    return columns


def summary(result: Result, final: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The content of summary.json: final scores, the best epoch's row, and the number of epochs.

    `positive_class` names the class that precision and recall describe; "macro" means the average
    over all classes. `exp.runs.file_schemas.Summary` checks the file when it is read."""
    history = result.history
    flat = {
        f"{split}/{name}": value for split, part in final.items() for name, value in part.items()
    }
    at = np.flatnonzero(history["epoch"] == result.best_epoch)
    best = {name: column[at[0]].item() for name, column in history.items()} if len(at) else {}
    return {
        "status": result.end_reason,
        "final": flat,
        "best": {**best, "monitor": result.job.plan.monitor},
        "epochs": result.epochs,
        "weights": result.weights,
        **averaged(result.job.data),
        **({"metrics": about} if (about := described(result.job.data.data)) else {}),
    }


def described(data: Data) -> dict[str, dict[str, bool]]:
    """Of each registered metric which way it is better: whoever reads the scores need not import
    the code of others to know it."""
    metrics = custom(regression=data.numeric)
    return {metric.name: {"higher_is_better": metric.higher_is_better} for metric in metrics}


def averaged(prepared: Prepared) -> dict[str, str | None]:
    """What precision, recall and the like are of, in summary.json; nothing of numbers."""
    classes, positive = prepared.data.classes, prepared.positive
    if not classes:
        return {}
    if positive is None:
        return {"average": "macro", "positive": None}
    return {"average": "binary", "positive": classes[positive]}

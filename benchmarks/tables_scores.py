"""Scores of predicted test rows, and the files they are kept in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import metrics
from tables import CLASSES, Table


def loss_of(task: str, y: np.ndarray, predicted: np.ndarray) -> float:
    """Log loss of `[rows, classes]` probabilities, or the root mean squared error.

    Args:
        y: `[rows]`, places of classes, or numbers.
    """
    if task == CLASSES:
        return float(metrics.log_loss(y, predicted, labels=np.arange(predicted.shape[1])))
    return float(metrics.root_mean_squared_error(y, predicted))


def scores(task: str, y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """All scores; `loss` is that which methods are ranked by, lower is better."""
    found = {"loss": loss_of(task, y, predicted)}
    if task == CLASSES:
        found["accuracy"] = float(np.mean(predicted.argmax(axis=1) == y))
        several = predicted if predicted.shape[1] > 2 else predicted[:, 1]
        found["auroc"] = float(metrics.roc_auc_score(y, several, multi_class="ovr"))
    else:
        found["r2"] = float(metrics.r2_score(y, predicted))
        found["mae"] = float(metrics.mean_absolute_error(y, predicted))
    return found


def target_of(table: Table, seed: int) -> np.ndarray:
    """`[test rows]` places of the sorted classes, or numbers."""
    train, test = table.split(seed)
    if table.task != CLASSES:
        return test[table.target].to_numpy(float)
    return np.searchsorted(np.unique(train[table.target]), test[table.target])


def path_of(results: Path, table: str, seed: int, method: str) -> Path:
    return results / f"{method}-{table}-{seed}.json"


def saved(results: Path, table: str, seed: int, method: str) -> bool:
    return path_of(results, table, seed, method).exists()


def save(
    results: Path,
    table: Table,
    seed: int,
    method: str,
    predicted: np.ndarray,
    about: dict[str, Any],
) -> dict[str, Any]:
    """Scores the predictions and keeps everything."""
    results.mkdir(parents=True, exist_ok=True)
    path = path_of(results, table.name, seed, method)
    found = scores(table.task, target_of(table, seed), predicted)
    np.savez_compressed(path.with_suffix(".npz"), predicted=predicted)
    whole = {"table": table.name, "seed": seed, "method": method, **found, **about}
    path.write_text(json.dumps(whole, indent=1) + "\n")
    return whole


def load(results: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(results.glob("*-*-*.json"))]

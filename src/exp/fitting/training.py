"""A worker's part of `exp fit`: trains one candidate on some folds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from exp.components.devices import Device
from exp.config.plan import Plan, plan
from exp.engine import Hook, Job, Result, Training, train
from exp.engine.job import possible
from exp.fitting.portfolio import Candidate
from exp.fitting.settings import FitSettings
from exp.fitting.table import Table
from exp.util.errors import ExpError


@dataclass(frozen=True)
class Order:
    """A candidate to train.

    Attributes:
        level: how long, see `exp.fitting.rounds`.
        folds: numbers of the folds.
        rows: share of the training rows of a fold.
        epochs: how many.
        deadline: by `time.monotonic`; what is not done then is given up.
    """

    settings: FitSettings
    candidate: Candidate
    level: int
    folds: tuple[int, ...]
    rows: float
    epochs: int
    deadline: float


@dataclass(frozen=True)
class Trained:
    """A candidate as it was trained on one fold.

    Attributes:
        answers: of the validation rows: probabilities `[rows, classes]` or numbers `[rows, 1]`.
        state: the weights of the best epoch, by name.
        best_epoch: from 0.
        loss, train_loss: of the validation and the training rows after that epoch.
        seconds: of the training, about.
    """

    fold: int
    answers: NDArray[np.float32]
    state: dict[str, NDArray[Any]]
    best_epoch: int
    loss: float
    train_loss: float
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What came out of an order.

    Attributes:
        found: the candidate on each fold; None: its time was over; a text: why it failed.
    """

    candidate: int
    level: int
    found: list[Trained] | str | None


class DeadlineError(ExpError):
    """The time of the fit is over."""


class StopAtDeadline(Hook):
    """Ends a training at a moment."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def next_look(self, training: Training) -> None:
        """Never at the models."""

    def between_epochs(self, training: Training) -> None:
        if time.monotonic() > self.deadline:
            raise DeadlineError("the time is over")


_tables: dict[str, Table] = {}
"""The table of this process: a copy of the first process has it already."""


def remember(table: Table) -> None:
    """Keeps a table for the orders of this process and of its copies."""
    _tables.clear()
    _tables[repr(table.settings)] = table


def ready() -> None:
    """Prepares a worker process."""
    torch.set_num_threads(1)


def work(order: Order) -> tuple[Outcome, float]:
    """What came out of an order, and the seconds that it took."""
    begun = time.monotonic()
    key = repr(order.settings)
    if key not in _tables:
        remember(Table(order.settings))
    found: list[Trained] | str | None
    try:
        found = train_folds(_tables[key], order)
    except DeadlineError:
        found = None
    except ExpError as error:
        found = str(error)
    return Outcome(order.candidate.number, order.level, found), time.monotonic() - begun


def train_folds(table: Table, order: Order) -> list[Trained]:
    """A candidate on its folds.

    Raises:
        DeadlineError: the time was over before all were done.
    """
    candidate = order.candidate
    folds = [table.folds[number] for number in order.folds]
    if candidate.constant:
        return [constant(table, number) for number in order.folds]
    jobs = []
    for number, fold in zip(order.folds, folds, strict=True):
        data = table.fold_data(candidate.features, fold, order.rows)
        found = plan_of(table, candidate, order.epochs, number)
        device: Device = found["device"].build()
        jobs.append(Job(found, data, possible(found["loss"], data.counts), device))
    begun = time.monotonic()
    results = train(jobs, hooks=[StopAtDeadline(order.deadline)])
    seconds = (time.monotonic() - begun) / len(jobs)
    return [
        trained(table, number, result, seconds)
        for number, result in zip(order.folds, results, strict=True)
    ]


def plan_of(table: Table, candidate: Candidate, epochs: int, fold: int) -> Plan:
    """The validated config of a training."""
    seed = (table.settings.seed * 1009 + candidate.number * 31 + fold) % 2**32
    config = table.plan.config
    return plan(
        {
            **config,
            "seed": seed,
            "seeds": {},
            "split": {"name": "holdout", "test": 0.0, "validation": 0.2},
            "features": "none",
            "model": table.model_of(candidate),
            "optimizer": candidate.optimizer,
            "loss": candidate.loss,
            "scheduler": {"name": "cosine"},
            "figures": "none",
            "logger": {},
            "trainer": {
                "name": "standard",
                "epochs": epochs,
                "batch_size": candidate.batch_size,
                "early_stopping": max(8, epochs // 3),
                "print_every": None,
                "clip_norm": 1.0,
            },
        }
    )


def trained(table: Table, fold: int, result: Result, seconds: float) -> Trained:
    """What is kept of a training."""
    data, predictor = result.job.data, result.predictor
    logits = predictor.logits(data.X[data.split.validation])
    if table.limits is not None:
        logits = logits.clip(*table.limits)
    answers = predictor.probabilities(logits)
    at = np.flatnonzero(result.history["epoch"] == result.best_epoch)
    loss, train_loss = (
        float(result.history[name][at[0]]) if len(at) else float("inf")
        for name in ("validation/loss", "train/loss")
    )
    state = {name: tensor.numpy() for name, tensor in result.final_state.items()}
    return Trained(fold, answers, state, result.best_epoch, loss, train_loss, seconds)


def constant(table: Table, number: int) -> Trained:
    """A linear layer that predicts the shares of the classes, or the mean, for every row."""
    fold, data = table.folds[number], table.prepared.data
    labels = data.y[fold.train]
    if data.numeric:
        answer = np.array([labels.mean(dtype=np.float64)])
        scale = table.prepared.target_scale
        bias = answer if scale is None else scale.scaled(answer)
    else:
        shares = np.bincount(labels, minlength=len(data.classes)) / len(labels)
        bias, answer = np.log(shares), shares
        if len(data.classes) == 2:
            bias = bias[1:] - bias[:1]
    columns = table.prepared.scaled.shape[1]
    state = {
        "0.weight": np.zeros((len(bias), columns), np.float32),
        "0.bias": bias.astype(np.float32),
    }
    answers = np.tile(answer.astype(np.float32), (len(fold.validation), 1))
    return Trained(number, answers, state, 0, float("nan"), float("nan"), 0.0)


def outputs_of(candidate: Candidate, classes: int) -> int:
    """Outputs of a candidate's network.

    Args:
        classes: 0 where the target is a number.
    """
    if candidate.loss["name"] == "cross_entropy":
        return classes
    return classes if classes > 2 else 1

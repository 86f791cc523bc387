"""The candidates: networks of many sizes with their feature maps and ways of training.

The first ones are good defaults, the others are drawn at random. What is drawn depends on the seed
and on the size of the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

ACTIVATIONS = ("relu", "relu", "silu", "gelu", "selu", "tanh")
BINS = (4, 8, 16, 32)
MOST_INPUTS = 2_000
"""Mapped features of a candidate."""


@dataclass(frozen=True)
class Shape:
    """What the candidates depend on.

    Attributes:
        rows: training rows of a fold.
        columns: encoded columns.
        numbers: those of them that are not 0 or 1.
        classes: 0 where the target is a number.
        embeds: whether there are categories with many values.
    """

    rows: int
    columns: int
    numbers: int
    classes: int
    embeds: bool = False


@dataclass(frozen=True)
class Candidate:
    """One way to train a network.

    Attributes:
        number: from 0.
        features, model, optimizer, loss: groups of the config.
        batch_size: rows of a step.
        epochs: of a full training.
    """

    number: int
    features: dict[str, Any]
    model: dict[str, Any]
    optimizer: dict[str, Any]
    loss: dict[str, Any]
    batch_size: int
    epochs: int

    @property
    def constant(self) -> bool:
        """Whether it predicts the same for every row: it is not trained."""
        return self.epochs == 0


def portfolio(shape: Shape, count: int, seed: int) -> list[Candidate]:
    """At most `count` candidates, the good defaults first."""
    random = np.random.default_rng([seed, 20])
    found: list[Candidate] = []
    made = [*defaults(shape)]
    while len(made) < count:
        made.append(drawn(shape, random))
    for values in made[:count]:
        found.append(Candidate(len(found), **values))
    return found


def steps(shape: Shape) -> float:
    """Optimizer steps of a full training, about: more rows deserve more."""
    return float(2500 * (max(shape.rows, 50) / 1000) ** 0.3)


def recipe(
    shape: Shape,
    features: dict[str, Any],
    model: dict[str, Any],
    *,
    lr: float,
    weight_decay: float = 1e-2,
    batch: float = 1.0,
    length: float = 1.0,
    smoothing: float = 0.0,
    robust: bool = False,
    optimizer: str = "adamw",
) -> dict[str, Any]:
    """The values of a candidate.

    Args:
        batch: factor of the usual batch size.
        length: factor of the usual number of steps.
        smoothing: of the labels of classes.
        robust: whether the loss of a number is its absolute error.
    """
    usual = 2 ** round(math.log2(min(max(math.sqrt(shape.rows), 16), 256)) + math.log2(batch))
    size = int(min(max(usual, 8), max(shape.rows, 8)))
    per_epoch = max(1.0, shape.rows / size)
    epochs = int(np.clip(round(length * steps(shape) / per_epoch), 12, 400))
    loss: dict[str, Any] = {"name": "auto"}
    if smoothing and shape.classes:
        loss = {"name": "cross_entropy", "label_smoothing": smoothing}
    elif robust and not shape.classes:
        loss = {"name": "l1"}
    rule: dict[str, Any] = {"name": optimizer, "lr": lr, "weight_decay": weight_decay}
    if optimizer == "sgd":
        rule |= {"momentum": 0.9, "nesterov": True}
    return {
        "features": features,
        "model": model,
        "optimizer": rule,
        "loss": loss,
        "batch_size": size,
        "epochs": epochs,
    }


def mlp(hidden: list[int], activation: str = "relu", **more: Any) -> dict[str, Any]:
    return {"name": "mlp", "hidden": hidden, "activation": {"name": activation}, **more}


def defaults(shape: Shape) -> Iterator[dict[str, Any]]:
    """Candidates that are good on most tables; the first always predicts the same."""
    none, quantile = {"name": "none"}, {"name": "quantile", "n_quantiles": 32}
    piecewise = [{"name": "piecewise", "bins": bins} for bins in BINS if fits(shape, bins)]
    linear = {"name": "linear"}
    yield {**recipe(shape, none, linear, lr=1e-3), "epochs": 0}
    yield recipe(shape, none, linear, lr=1e-2, weight_decay=1e-2)
    yield recipe(shape, none, linear, lr=1e-2, weight_decay=1.0)
    yield recipe(shape, none, mlp([64, 64]), lr=3e-3, weight_decay=1e-2)
    if piecewise:
        yield recipe(shape, piecewise[-1], linear, lr=1e-2, weight_decay=1e-1)
        middle = piecewise[len(piecewise) // 2]
        yield recipe(shape, middle, mlp([128, 128], dropout=0.1), lr=3e-3, weight_decay=1.0)
        yield recipe(shape, piecewise[0], mlp([128], dropout=0.1), lr=3e-3, weight_decay=0.3)
        yield recipe(
            shape, piecewise[-1], mlp([64, 64], dropout=0.2), lr=3e-3, weight_decay=0.5,
            smoothing=0.05,
        )  # fmt: skip
    if shape.numbers:
        yield recipe(shape, quantile, mlp([64, 64], "silu", dropout=0.1), lr=3e-3)
        yield recipe(shape, quantile, mlp([32], "silu"), lr=1e-2, weight_decay=1e-1)
    yield recipe(shape, none, mlp([32], "tanh"), lr=1e-2, weight_decay=1e-1)
    yield recipe(shape, none, mlp([128, 128], "gelu", dropout=0.3), lr=2e-3, smoothing=0.05)
    if shape.embeds:
        more = {"name": "embedded_mlp", "embedding": 4, "hidden": [64, 64], "dropout": 0.1}
        yield recipe(shape, none, more | {"activation": {"name": "relu"}}, lr=3e-3)
    yield recipe(shape, fourier(shape, 256, 0.5), linear, lr=3e-2, weight_decay=1e-2)


def drawn(shape: Shape, random: np.random.Generator) -> dict[str, Any]:
    """A candidate at random."""
    widest = int(np.clip(2 ** round(math.log2(max(shape.rows, 2)) - 1), 16, 256))
    kinds = ["none", "quantile", "piecewise", "fourier"]
    chances = np.array([0.25, 0.2, 0.45, 0.1]) if shape.numbers else np.array([1.0, 0, 0, 0])
    kind = str(random.choice(kinds, p=chances / chances.sum()))
    bins = [b for b in BINS if fits(shape, b)]
    if kind == "piecewise" and not bins:
        kind = "quantile"
    features: dict[str, Any] = {"name": kind}
    if kind == "quantile":
        features["n_quantiles"] = 32
    if kind == "piecewise":
        features["bins"] = int(random.choice(bins))
    if kind == "fourier":
        features = fourier(shape, int(random.choice([64, 256])), float(random.choice([0.2, 1.0])))
    depth = int(random.choice([0, 1, 2, 3, 4], p=[0.08, 0.27, 0.37, 0.2, 0.08]))
    if kind == "fourier":
        depth = min(depth, 1)
    width = int(2 ** random.integers(3, int(math.log2(widest)) + 1))
    model: dict[str, Any] = {"name": "linear"}
    if depth:
        model = mlp([width] * depth, str(random.choice(ACTIVATIONS)))
        model["dropout"] = float(random.choice([0, 0, 0, 0, 0.1, 0.2, 0.4]))
        model["batch_norm"] = bool(random.random() < 0.05)
        model["shortcuts"] = bool(random.random() < 0.15)
    if depth and shape.embeds and kind != "fourier" and random.random() < 0.5:
        kept = {key: model[key] for key in ("hidden", "activation", "dropout")}
        model = {"name": "embedded_mlp", "embedding": int(random.choice([2, 4, 8])), **kept}
    plain = random.random() < 0.9
    low, high = (5e-4, 2e-2) if plain else (1e-2, 2e-1)
    return recipe(
        shape,
        features,
        model,
        lr=round(float(np.exp(random.uniform(np.log(low), np.log(high)))), 6),
        # Measured: with AdamW, small tables need a weight decay of 0.3 to 2.
        weight_decay=round(float(np.exp(random.uniform(np.log(1e-2), np.log(3.0)))), 6)
        if plain
        else 1e-4,
        batch=float(random.choice([0.5, 1.0, 1.0, 2.0])),
        length=float(random.choice([0.5, 1.0, 1.0, 2.0])),
        smoothing=float(random.choice([0.0, 0.0, 0.0, 0.05, 0.1])),
        robust=bool(random.random() < 0.12),
        optimizer="adamw" if plain else "sgd",
    )


def fits(shape: Shape, bins: int) -> bool:
    """Whether a piecewise map of so many bins has a reasonable size."""
    return shape.numbers > 0 and shape.columns + shape.numbers * bins <= MOST_INPUTS


def fourier(shape: Shape, count: int, factor: float) -> dict[str, Any]:
    """Random Fourier features; `factor` is that of the usual gamma."""
    return {"name": "fourier", "n_components": count, "gamma": factor / max(shape.columns, 1)}

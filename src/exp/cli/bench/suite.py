"""What a bench consists of: data sets, optimizers with their learning rates, and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault, unknown

Words = tuple[str, ...]
"""Overrides, as on a command line."""


@dataclass(frozen=True)
class DataSet:
    """A data set of a bench.

    Attributes:
        words: the overrides that choose it.
        epochs: the budget of each run on it.
        target: an accuracy on validation rows, for the time to target; None: there is none.
    """

    name: str
    words: Words
    epochs: int
    target: float | None


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of a bench.

    Attributes:
        words: the overrides that choose it.
        rates: the learning rates that are tried; None: factors of its own rate.
        gradients: that a step takes.
    """

    name: str
    words: Words
    rates: tuple[float, ...] | None
    gradients: int = 1


@dataclass(frozen=True)
class Seeds:
    """Consecutive seeds."""

    first: int
    count: int

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.first + self.count))


@dataclass(frozen=True)
class Suite:
    """A bench.

    Attributes:
        every: overrides of every run, those of the user last.
        seeds: of the runs that count.
        tuning: of the runs that choose the learning rate.
        factors: of an optimizer's own learning rate, where no rates are listed.
    """

    every: Words
    user: Words
    datasets: tuple[DataSet, ...]
    optimizers: tuple[Optimizer, ...]
    seeds: Seeds
    tuning: Seeds
    factors: tuple[float, ...]

    def words(self, dataset: DataSet, optimizer: Optimizer) -> Words:
        """The overrides of a run, but for its learning rate and its seed."""
        epochs = f"trainer.epochs={dataset.epochs}"
        return (*self.every, *dataset.words, epochs, *optimizer.words, *self.user)


@cache
def definition() -> dict[str, Any]:
    """The content of suite.yaml."""
    text = (files(__package__) / "suite.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


FIXED = {
    "seed": "--seeds",
    "dataset": "--datasets",
    "optimizer": "--optimizers",
    "optimizer.lr": "the learning rate is tuned",
}
"""Keys that a bench sets itself, and what to use instead."""


def suite(
    datasets: Sequence[str] = (),
    optimizers: Sequence[str] = (),
    *,
    seeds: int | None = None,
    words: Sequence[str] = (),
) -> Suite:
    """A bench of some data sets and optimizers.

    Args:
        datasets: names of suite.yaml or of registered data sets; none: all of suite.yaml.
        optimizers: the same, of optimizers.
        seeds: how many; None: as many as suite.yaml says.
        words: overrides of every run.

    Raises:
        ConfigError: with every name that there is not, and overrides that a bench sets itself.
    """
    found = definition()
    faults = [
        Fault(key, f"exp bench sets it: {FIXED[key]}") for key in map(key_of, words) if key in FIXED
    ]
    for kind, names in (("dataset", datasets), ("optimizer", optimizers)):
        known = [*dict.fromkeys([*found[f"{kind}s"], *register.kinds[kind].names()])]
        faults += [
            Fault(f"--{kind}s", unknown(kind, name, known)) for name in names if name not in known
        ]
    if seeds is not None and not 2 <= seeds <= found["tuning"]["first_seed"]:
        most = found["tuning"]["first_seed"]
        faults.append(Fault("--seeds", f"expected a number from 2 to {most}, found {seeds}"))
    if faults:
        raise ConfigError(faults)
    tuning = found["tuning"]
    return Suite(
        every=tuple(found["every"]),
        user=tuple(words),
        datasets=tuple(map(dataset_of, dict.fromkeys(datasets or found["datasets"]))),
        optimizers=tuple(map(optimizer_of, dict.fromkeys(optimizers or found["optimizers"]))),
        seeds=Seeds(0, found["seeds"] if seeds is None else seeds),
        tuning=Seeds(tuning["first_seed"], tuning["seeds"]),
        factors=tuple(tuning["factors"]),
    )


def key_of(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")


def dataset_of(name: str) -> DataSet:
    found = definition()
    entry = found["datasets"].get(name, {"set": [f"dataset={name}"], "epochs": found["epochs"]})
    return DataSet(name, tuple(entry["set"]), entry["epochs"], entry.get("target"))


def optimizer_of(name: str) -> Optimizer:
    entry = definition()["optimizers"].get(name, {"set": [f"optimizer={name}"]})
    rates = entry.get("rates")
    rates = None if rates is None else tuple(rates)
    return Optimizer(name, tuple(entry["set"]), rates, entry.get("gradients", 1))

"""Trains the runs of one optimizer on one data set: first those that choose its learning rate, on
seeds of their own, then those that count.

A run is the one of `python -m exp` with the same overrides, to the bit; only its numbers are kept,
not its directory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from hydra.types import RunMode
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf

from exp.cli.bench.suite import Seeds, Words
from exp.config.compose import compose, resolved
from exp.config.plan import Plan, plan, unavailable
from exp.engine import Job, Result, check_job, train
from exp.sweeps.from_python import composer
from exp.sweeps.hydra_checks import misplaced, unshaped
from exp.util.errors import ConfigError, ExpError, Fault
from exp.util.files import write_whole
from exp.util.npz import packed, unpacked

KEPT = ("train/loss", "validation/loss", "validation/accuracy", "test/loss", "test/accuracy")
"""Columns of metrics.csv that are kept, of every run and epoch."""
NUMBERS = (
    "rates", "tuning", "rate", "epochs", "best_epoch", "diverged", "epoch", "steps", "rows",
    "table", "signature",
)  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """The runs of one optimizer on one data set.

    Attributes:
        words: overrides of every run, but for learning rate and seed.
        rates: learning rates of which one is chosen; empty: the optimizer has no learning rate.
        path: of the file that the runs are kept in.
        signature: digest of all that decides what is in it.
    """

    dataset: str
    optimizer: str
    words: Words
    rates: tuple[float, ...]
    seeds: Seeds
    tuning: Seeds
    path: str
    signature: str

    @property
    def runs(self) -> int:
        tuned = len(self.rates) * self.tuning.count if len(self.rates) > 1 else 0
        return tuned + self.seeds.count


@dataclass(frozen=True)
class Runs:
    """What is kept of the runs of a unit.

    Attributes:
        rates: learning rates that were tried.
        tuning: `[rates, seeds]` lowest validation loss of each tuning run.
        rate: the chosen learning rate; NaN: the optimizer has none.
        epochs: `[seeds]` how many were trained.
        best_epoch: `[seeds]` position, in `epoch`, of the epoch with the lowest validation loss.
        diverged: `[seeds]` whether a run diverged.
        epoch: `[epochs]` the evaluated ones, from 0.
        steps: of the optimizer in one epoch.
        rows: how many rows train, validate and test.
        table: whether the seeds are splits of the same rows; else each draws rows of its own.
        history: column -> `[seeds, epochs]`, NaN after the end of a run.
    """

    rates: NDArray[np.float64]
    tuning: NDArray[np.float64]
    rate: float
    epochs: NDArray[np.int64]
    best_epoch: NDArray[np.int64]
    diverged: NDArray[np.bool_]
    epoch: NDArray[np.int64]
    steps: int
    rows: tuple[int, int, int]
    table: bool
    history: dict[str, NDArray[np.float32]]

    def score(self, column: str) -> NDArray[np.float32]:
        """`[seeds]` a column at the epoch with the lowest validation loss."""
        found: NDArray[np.float32] = self.history[column][
            np.arange(len(self.epochs)), self.best_epoch
        ]
        return found

    def steps_to(self, target: float) -> NDArray[np.float64]:
        """`[seeds]` steps until the validation accuracy is `target` or more; inf: never."""
        reached = self.history["validation/accuracy"] >= np.float32(target)
        steps = (self.epoch[reached.argmax(axis=1)] + 1.0) * self.steps
        return np.where(reached.any(axis=1), steps, np.inf)


def do(unit: Unit) -> tuple[Unit, float]:
    """Does the runs of a unit and writes its file; returns the CPU seconds that it took."""
    begun = time.process_time()
    runs = trained(unit)
    write_whole(unit.path, content(runs, unit.signature))
    return unit, time.process_time() - begun


def trained(unit: Unit) -> Runs:
    """The runs of a unit.

    Raises:
        ExpError: a run cannot be trained.
    """
    with composer(unit.words, quiet=True) as (hydra, args):
        config, faults = compose(hydra.config_loader, "config", args.overrides, RunMode.RUN)
        if faults:
            raise ConfigError(faults)
        losses = np.full((len(unit.rates), unit.tuning.count), np.inf)
        chosen = unit.rates[0] if unit.rates else None
        if len(unit.rates) > 1:
            tried = [job for rate in unit.rates for job in jobs(config, rate, unit.tuning)]
            losses = np.array([lowest(result) for result in train(tried)]).reshape(losses.shape)
            chosen = unit.rates[int(np.argmin(losses.mean(axis=1)))]
        return kept(train(jobs(config, chosen, unit.seeds)), unit.rates, losses, chosen)


def jobs(config: DictConfig, rate: float | None, seeds: Iterable[int]) -> list[Job]:
    """A job for each seed."""
    if rate is not None:
        OmegaConf.update(config, "optimizer.lr", rate)
    found = []
    for seed in seeds:
        OmegaConf.update(config, "seed", seed)
        found.append(job_of(plan(resolved(config, []))))
    return found


def job_of(found: Plan) -> Job:
    """The job of a plan. Its rows are those of an earlier one that differs in its optimizer only:
    making them takes as long as training."""
    known = jobs_on(json.dumps(found.config["dataset"]))
    key = json.dumps({k: v for k, v in found.config.items() if k not in ("optimizer", "name")})
    if key not in known:
        known[key] = Job.of(found, keep=False)
    return replace(known[key], plan=found)


@lru_cache(maxsize=1)
def jobs_on(dataset: str) -> dict[str, Job]:
    """A job for each seed of the data set that was trained last."""
    return {}


def lowest(result: Result) -> float:
    """The validation loss of the best epoch of a run; inf for one that diverged."""
    if result.end_reason == "diverged":
        return np.inf
    return float(np.nanmin(result.history["validation/loss"]))


def kept(
    results: Sequence[Result],
    rates: Sequence[float],
    losses: NDArray[np.float64],
    rate: float | None,
) -> Runs:
    """What is kept of results, in their order."""
    longest = max(results, key=lambda result: len(result.history["epoch"]))
    epoch = longest.history["epoch"]
    history = {name: np.full((len(results), len(epoch)), np.nan, np.float32) for name in KEPT}
    for place, result in enumerate(results):
        for name, table in history.items():
            table[place, : len(result.history["epoch"])] = result.history[name]
    trainer, shapes = longest.job.plan.trainer, longest.job.shapes
    return Runs(
        rates=np.array(rates, float),
        tuning=losses,
        rate=np.nan if rate is None else rate,
        epochs=np.array([result.epochs for result in results]),
        best_epoch=np.array(
            [np.searchsorted(epoch, result.best_epoch) for result in results], np.int64
        ),
        diverged=np.array([result.end_reason == "diverged" for result in results]),
        epoch=epoch,
        steps=-(-shapes.train // (longest.job.batch * trainer.accumulate)),
        rows=(shapes.train, shapes.validation, shapes.test),
        table=len({result.job.data.fingerprint for result in results[:2]}) == 1,
        history=history,
    )


def content(runs: Runs, signature: str) -> bytes:
    """The bytes of a unit's file."""
    arrays = {name: np.asarray(getattr(runs, name)) for name in NUMBERS if name != "signature"}
    return packed({**arrays, "signature": np.array(signature), **runs.history})


def read(path: Path, signature: str) -> Runs | None:
    """The runs in a unit's file; None: it is not there, or has other runs.

    Raises:
        ExpError: it is damaged.
    """
    try:
        found = unpacked(path.read_bytes(), [*NUMBERS, *KEPT])
        if str(found["signature"]) != signature:
            return None
        history = {name: found[name] for name in KEPT}
        numbers: dict[str, Any] = {n: found[n] for n in NUMBERS if n != "signature"}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError) as error:
        raise ExpError(f"{path} is corrupted: delete it and run exp bench again") from error
    rows = tuple(numbers["rows"].tolist())
    plain: dict[str, Any] = {
        "rate": float(numbers["rate"]),
        "steps": int(numbers["steps"]),
        "rows": rows,
    }
    return Runs(**{**numbers, **plain}, history=history)


def checked(words: Words) -> tuple[Job, str]:
    """The job of a config, tried for one step of everything, and the digest of the config.

    Raises:
        ConfigError: with all that is wrong with it.
    """
    with composer([*words, "seed=0"], quiet=True) as (hydra, args):
        config, faults = compose(hydra.config_loader, "config", args.overrides, RunMode.RUN)
        faults = [*faults, *misplaced(args.overrides, RunMode.RUN), *unshaped(config)]
        plain = resolved(config, faults)
        found = plan(plain, [*faults, *unavailable(plain)])
    if not found.has_validation:
        raise ConfigError([Fault("split.validation", "exp bench needs validation rows: 0.2")])
    job = Job.of(found, keep=False)
    check_job(job)
    return job, job.signature

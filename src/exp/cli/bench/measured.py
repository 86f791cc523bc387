"""A bench from its first run to its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.cli.bench.bench import Bench, done
from exp.cli.bench.suite import Suite
from exp.cli.bench.training import Runs
from exp.util.files import write_output
from exp.util.serialize import csv_text

RESULTS = (
    "dataset", "optimizer", "lr", "seed", "status", "epochs", "best_epoch", "validation/loss",
    "validation/accuracy", "test/loss", "test/accuracy", "steps_to_target",
)  # fmt: skip
SCORES = RESULTS[7:11]


def bench(suite: Suite, folder: Path, jobs: int | None) -> int:
    """Trains what is missing and writes the tables and the page; the exit code."""
    found = done(suite, folder, jobs)
    write(folder / "results.csv", results(found))
    write(folder / "tuning.csv", tuning(found))
    return 0


def write(path: Path, content: str) -> None:
    write_output(path, content.encode())
    print(path)


def results(found: Bench) -> str:
    """results.csv: a row for each run that counts; numbers as metrics.csv has them."""
    return csv_text(RESULTS, rows(found))


def rows(found: Bench) -> Iterator[Sequence[str]]:
    targets = {dataset.name: dataset.target for dataset in found.suite.datasets}
    for (dataset, optimizer), unit in found.units.items():
        runs = found.runs(dataset, optimizer)
        rate = "" if np.isnan(runs.rate) else str(runs.rate)
        statuses = np.where(runs.diverged, "diverged", "done").tolist()
        scores = [runs.score(column) for column in SCORES]
        columns: list[NDArray[Any]] = [runs.epochs, runs.epoch[runs.best_epoch], *scores]
        texts = [column.astype(str).tolist() for column in columns]
        steps = target_steps(runs, targets[dataset])
        for seed, status, *numbers, reached in zip(
            unit.seeds, statuses, *texts, steps, strict=True
        ):
            yield (dataset, optimizer, rate, str(seed), status, *numbers, reached)


def target_steps(runs: Runs, target: float | None) -> list[str]:
    """Steps to the target for a table: nothing for a run that never gets there."""
    if target is None:
        return [""] * len(runs.epochs)
    return ["" if np.isinf(steps) else str(int(steps)) for steps in runs.steps_to(target)]


def tuning(found: Bench) -> str:
    """tuning.csv: a row for each learning rate that was tried."""
    lines = []
    for dataset, optimizer in found.units:
        runs = found.runs(dataset, optimizer)
        for rate, losses in zip(runs.rates.tolist(), runs.tuning, strict=True):
            loss, chosen = float(losses.mean()), str(rate == runs.rate).lower()
            lines.append((dataset, optimizer, str(rate), str(len(losses)), str(loss), chosen))
    return csv_text(("dataset", "optimizer", "lr", "runs", "validation/loss", "chosen"), lines)

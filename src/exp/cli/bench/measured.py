"""A bench from its first run to its page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.cli.bench.bench import Bench, done
from exp.cli.bench.page import page
from exp.cli.bench.pictures import pictures
from exp.cli.bench.standings import Comparison
from exp.cli.bench.suite import Suite
from exp.cli.bench.suite import suite as suite_of
from exp.cli.bench.training import Runs
from exp.util.files import write_output
from exp.util.serialize import csv_text
from exp.util.text_tables import aligned

RESULTS = (
    "dataset", "optimizer", "lr", "seed", "status", "epochs", "best_epoch", "validation/loss",
    "validation/accuracy", "test/loss", "test/accuracy", "steps_to_target",
)  # fmt: skip
SCORES = RESULTS[7:11]


def bench(suite: Suite, folder: Path, jobs: int | None) -> int:
    """Trains what is missing and writes the tables and the page; the exit code."""
    found = done(suite, folder, jobs)
    compared = Comparison(found)
    print("\n".join(["", *standings(compared), ""]))
    write(folder / "results.csv", results(found))
    write(folder / "tuning.csv", tuning(found))
    write(folder / "summary.csv", summary(compared))
    for picture in pictures(compared):
        write_output(folder / f"{picture.name}.png", picture.encoded("light", "png"))
    write(folder / "index.html", page(compared, command(suite)))
    return 0


def write(path: Path, content: str) -> None:
    write_output(path, content.encode())
    print(path)


def command(suite: Suite) -> str:
    """The command line that makes a bench."""
    whole = suite_of(words=suite.user)
    words = ["exp", "bench", *suite.user]
    for kind in ("datasets", "optimizers"):
        if getattr(suite, kind) != getattr(whole, kind):
            words += [f"--{kind}", ",".join(each.name for each in getattr(suite, kind))]
    if suite.seeds != whole.seeds:
        words += ["--seeds", str(suite.seeds.count)]
    return shlex.join(words)


def standings(found: Comparison) -> list[str]:
    """The table for a terminal."""
    lines = [("optimizer", "mean rank", "best on", "not worse on", "points lost", "time score")]
    total = len(found.datasets)
    for each in found.standings:
        score = "-" if each.score is None else f"{each.score:.2f}"
        near, lost = f"{each.near} of {total}", f"{each.lost.value:.2f}"
        lines.append((each.name, f"{each.rank:.2f}", str(each.first), near, lost, score))
    return aligned(lines, range(1, 6))


def summary(found: Comparison) -> str:
    """summary.csv: a row for each optimizer on each data set."""
    header = (
        "dataset", "optimizer", "lr", "seeds", "test/accuracy", "sd", "low", "high", "rank",
        "p_best", "worse", "diverged", "reached", "gradients_to_target",
    )  # fmt: skip
    lines = []
    for at, dataset in enumerate(found.datasets):
        for place, optimizer in enumerate(found.optimizers):
            cell = found.cells[at][place]
            mean = cell.accuracy
            numbers = [
                cell.rate, mean.n, mean.mean, mean.sd, mean.low, mean.high,
                float(found.ranked[at, place]), cell.p,
            ]  # fmt: skip
            rest = [str(cell.worse).lower(), cell.diverged, cell.reached, cell.time]
            texts = ["" if each is None else str(each) for each in (*numbers, *rest)]
            lines.append((dataset, optimizer, *texts))
    return csv_text(header, lines)


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

"""A bench from its first run to its page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from exp.cli.bench.bench import Bench, done
from exp.cli.bench.suite import Suite
from exp.cli.bench.training import Runs
from exp.util.files import write_output

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
    """results.csv: a row for each run that counts."""
    return table(RESULTS, rows(found))


def rows(found: Bench) -> Iterable[Sequence[object]]:
    for (name, optimizer), unit in found.units.items():
        runs = found.runs(name, optimizer)
        (dataset,) = (each for each in found.suite.datasets if each.name == name)
        columns = [runs.score(column).tolist() for column in SCORES]
        steps = target_steps(runs, dataset.target)
        for at, seed in enumerate(unit.seeds):
            yield (
                name, optimizer, "" if np.isnan(runs.rate) else runs.rate, seed,
                "diverged" if runs.diverged[at] else "done",
                runs.epochs[at], runs.epoch[runs.best_epoch[at]],
                *(column[at] for column in columns), steps[at],
            )  # fmt: skip


def target_steps(runs: Runs, target: float | None) -> list[object]:
    """Steps to the target for a table: nothing for a run that never gets there."""
    if target is None:
        return [""] * len(runs.epochs)
    return ["" if np.isinf(steps) else int(steps) for steps in runs.steps_to(target)]


def tuning(found: Bench) -> str:
    """tuning.csv: a row for each learning rate that was tried."""
    header = ("dataset", "optimizer", "lr", "runs", "validation/loss", "chosen")
    lines: list[Sequence[object]] = []
    for name, optimizer in found.units:
        runs = found.runs(name, optimizer)
        if len(runs.rates) < 2:
            continue
        for rate, losses in zip(runs.rates.tolist(), runs.tuning, strict=True):
            chosen = str(rate == runs.rate).lower()
            lines.append((name, optimizer, rate, len(losses), float(losses.mean()), chosen))
    return table(header, lines)


def table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A csv file; the losses of diverged runs are `inf`, as in runs.csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()

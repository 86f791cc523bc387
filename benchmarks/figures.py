"""Milliseconds of CPU that the figures of a default run cost, in a process that has drawn before.

    python benchmarks/figures.py [ROUNDS]

A few default runs of different seeds train as one stack; their pictures are drawn in turn, as a
helper process does that serves a sweep. `picture` is what the main process does before (the grid
through the model), `hand-over` the way through the pipe. Files are written and flushed to the disk.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("MKL_CBWR", "AUTO")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # as in a helper process
    os.environ.setdefault(variable, "1")

from exp.config import GROUPS, plan
from exp.engine import Job, train
from exp.figures.draw import draw
from exp.figures.picture import FIGURES, Picture
from exp.figures.style import settings
from exp.runs.pictures import picture
from exp.runs.tables import Answers

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
SEEDS = (42, 43, 44, 45)
T = TypeVar("T")

spent: dict[str, list[float]] = {}


def timed(name: str, work: Callable[[], T]) -> T:
    begun = time.process_time()
    result = work()
    spent.setdefault(name, []).append((time.process_time() - begun) * 1e3)
    return result


def trained() -> list[Answers]:
    defaults = dict.fromkeys(GROUPS, "standard") | {
        "dataset": "moons", "split": "holdout", "model": "mlp", "optimizer": "sgd",
        "loss": "auto", "scheduler": "none", "device": "cpu",
    }  # fmt: skip
    parts = {name: {"name": option} for name, option in defaults.items()}
    jobs = [Job.of(plan({"seed": seed, **parts}), keep=False) for seed in SEEDS]
    return [Answers(result) for result in train(jobs)]


def one_round(runs: list[Answers], folder: Path) -> None:
    for answers in runs:
        drawn = timed("picture", lambda answers=answers: picture(answers))
        assert drawn is not None
        copy = timed("hand-over", lambda drawn=drawn: Picture.from_bytes(drawn.to_bytes()))
        for name in FIGURES:
            alone = dataclasses.replace(copy, names=(name,))
            timed(name, lambda alone=alone: draw(alone, folder))
        timed("all four figures", lambda copy=copy: draw(copy, folder))


def main() -> None:
    runs = trained()
    with tempfile.TemporaryDirectory() as folder, settings():
        one_round(runs, Path(folder))
        spent.clear()  # the first round filled the caches
        for _ in range(ROUNDS):
            one_round(runs, Path(folder))
    print(f"{'':<18}{'median ms':>10}{'best ms':>10}")
    for name, values in spent.items():
        print(f"{name:<18}{statistics.median(values):>10.1f}{min(values):>10.1f}")


if __name__ == "__main__":
    main()

"""Milliseconds of CPU that the figures of a default run cost, in a process that has drawn before.

    python benchmarks/figures.py [ROUNDS]

A few default runs of different seeds train as one stack; their pictures are drawn in turn, as a
helper process does that serves a sweep. `picture` is what the main process does before (the grid
through the model), `hand-over` the way through the pipe, `usual figures` those of figures=standard
together. Files are written and flushed to the disk.

The last lines are what the frames of one run cost in a stack of 32: all looks at the models, and
the bytes of frames.npz.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import statistics
import sys
import time
from collections.abc import Callable
from typing import TypeVar

os.environ.setdefault("MKL_CBWR", "AUTO")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # as in a helper process
    os.environ.setdefault(variable, "1")

import torch

from exp.config.plan import GROUPS, plan
from exp.engine import Job, Stack, Training, train
from exp.plotting.draw import drawings
from exp.plotting.names import EVERY, USUAL
from exp.runs.figure_data import picture
from exp.runs.result_files import Answers

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
STACK = 32
T = TypeVar("T")

spent: dict[str, list[float]] = {}


def timed(name: str, work: Callable[[], T]) -> T:
    begun = time.process_time()
    result = work()
    spent.setdefault(name, []).append((time.process_time() - begun) * 1e3)
    return result


def jobs(count: int, **figures: object) -> list[Job]:
    """Default runs, each of another seed."""
    defaults = dict.fromkeys(GROUPS, "standard") | {
        "dataset": "moons", "split": "holdout", "features": "none", "model": "mlp",
        "optimizer": "sgd", "loss": "auto", "scheduler": "none", "device": "cpu",
    }  # fmt: skip
    parts = {name: {"name": option} for name, option in defaults.items()}
    parts["figures"] |= figures
    return [Job.of(plan({"seed": 42 + i, **parts}), keep=False) for i in range(count)]


def one_round(runs: list[Answers]) -> None:
    for answers in runs:
        drawn = timed(
            "picture", lambda answers=answers: picture(answers, answers.result.job.plan.figures)
        )
        assert drawn is not None
        copy = timed("hand-over", lambda drawn=drawn: pickle.loads(pickle.dumps(drawn)))
        for name in drawn.names:
            alone = dataclasses.replace(copy, names=(name,))
            timed(name, lambda alone=alone: dict(drawings(alone)))
        moving = dataclasses.replace(copy, names=(), animation=True)
        timed("animation", lambda moving=moving: dict(drawings(moving)))
        usual = dataclasses.replace(
            copy, names=tuple(name for name in USUAL if name in drawn.names)
        )
        timed("usual figures", lambda usual=usual: dict(drawings(usual)))


def frames(rounds: int) -> None:
    """What frames take of a run in a stack of 32."""
    stack = Stack(jobs(STACK))
    training = Training(stack)
    recorder = training.recorder.frames
    calendar = sorted(recorder.due)
    for _ in range(rounds):
        recorder.calendars = [frozenset(calendar)] * STACK
        recorder.select(list(range(STACK)))
        recorder._grid = None
        for job in stack.jobs:
            job.__dict__.pop("view", None)
        begun = time.process_time()
        for epoch in range(stack.trainer.epochs):
            training.recorder.look(epoch, training.watch, measured=True)
        kept = [recorder.frames(run) for run in range(STACK)]
        sizes = [len(each.to_bytes()) for each in kept if each is not None]
        assert len(sizes) == STACK
        spent.setdefault("frames", []).append((time.process_time() - begun) * 1e3 / STACK)


def main() -> None:
    torch.set_num_threads(1)
    drawn = jobs(4, draw=EVERY)
    runs = [Answers(result) for result in train(drawn)]
    one_round(runs)
    spent.clear()  # the first round filled the caches
    for _ in range(ROUNDS):
        one_round(runs)
    frames(ROUNDS)
    print(f"{'':<18}{'median ms':>10}{'best ms':>10}")
    for name, values in spent.items():
        print(f"{name:<18}{statistics.median(values):>10.1f}{min(values):>10.1f}")


if __name__ == "__main__":
    main()

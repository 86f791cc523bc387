"""How the cost of an epoch grows with widths, depth, rows and runs.

    python benchmarks/chunks.py

CPU microseconds of an epoch of one run, default data, both splits evaluated, on one thread, alone
and in stacks, and nanoseconds for each row and weight (multiplication and addition, forward and
backward). `fits` is how many runs `exp.sweeps.stack_size.fitting` lets train together.
"""

from __future__ import annotations

import os
import time
from itertools import pairwise

os.environ.setdefault("MKL_CBWR", "AUTO")

import torch

from exp.config.plan import GROUPS, plan
from exp.engine import Job, train
from exp.sweeps.stack_size import fitting
from exp.util.compiled import form

RUNS = (1, 8, 64)
CASES: dict[str, list[tuple[list[int], int, int | None]]] = {
    "width": [([n, n], 1000, None) for n in (4, 8, 16, 32, 64, 128, 256)],
    "depth": [([16] * n, 1000, None) for n in (1, 2, 4, 8, 16)],
    "rows": [([8, 8], n, None) for n in (100, 1000, 10_000, 100_000)],
    "batch": [([8, 8], 1000, n) for n in (8, 32, 128, 512)],
}
NAMES = {
    "dataset": "moons", "split": "holdout", "features": "none", "model": "mlp",
    "optimizer": "sgd", "loss": "auto", "scheduler": "none", "device": "cpu",
    "trainer": "standard", "figures": "none",
}  # fmt: skip
LEAST = 0.1
"""CPU seconds of a measurement, about."""


def jobs(runs: int, hidden: list[int], rows: int, batch: int | None, epochs: int) -> list[Job]:
    parts = {group: {"name": NAMES[group]} for group in GROUPS}
    parts["dataset"] = {"name": "moons", "n_samples": rows}
    parts["model"] = {"name": "mlp", "hidden": hidden}
    parts["trainer"] = {"name": "standard", "epochs": epochs, "batch_size": batch}
    return [Job.of(plan({"seed": seed, **parts})) for seed in range(runs)]


def weights(hidden: list[int]) -> int:
    sizes = [2, *hidden, 1]
    return sum(a * b for a, b in pairwise(sizes))


def spent(stack: list[Job]) -> float:
    begun = time.process_time()
    train(stack)
    return time.process_time() - begun


def epoch(hidden: list[int], rows: int, batch: int | None, runs: int) -> float:
    """CPU seconds of an epoch of one run, without what is done once."""
    guess = runs * (rows * (2e-10 * weights(hidden) + 1e-8) + 2e-6 * (rows / (batch or rows)))
    epochs = max(2, min(1000, int(LEAST / guess)))
    few, many = (jobs(runs, hidden, rows, batch, n) for n in (epochs, 3 * epochs))
    times = [(spent(few), spent(many)) for _ in range(3)]
    return (min(b for _, b in times) - min(a for a, _ in times)) / (2 * epochs) / runs


def main() -> None:
    torch.set_num_threads(1)
    print(f"exp trains by {form() or 'torch'}; µs of an epoch of one run, in stacks of")
    print(
        f"{'':<7}{'hidden':<16}{'rows':>7}{'batch':>6}" + "".join(f"{n:>10}" for n in RUNS), end=""
    )
    print(f"{'ns/weight':>11}{'fits':>7}")
    for kind, cases in CASES.items():
        for hidden, rows, batch in cases:
            widths = f"{hidden[0]} x {len(hidden)}"
            # So large data in many runs would take minutes to make.
            counts = [runs for runs in RUNS if runs * rows <= 640_000]
            each = [epoch(hidden, rows, batch, runs) for runs in counts]
            cells = "".join(f"{1e6 * value:>10.1f}" for value in each)
            cells += " " * 10 * (len(RUNS) - len(each))
            per_weight = 1e9 * min(each) / rows / weights(hidden)
            fits = fitting(jobs(1, hidden, rows, batch, 1)[0])
            line = f"{kind:<7}{widths:<16}{rows:>7}{batch or 'all':>6}{cells}"
            print(f"{line}{per_weight:>11.3f}{fits:>7}", flush=True)


if __name__ == "__main__":
    main()

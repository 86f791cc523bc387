"""How many runs should train together: milliseconds per run and epoch for stacks of several sizes.

    python benchmarks/chunks.py

For some widths and numbers of rows; `fits` is what `exp.sweeps.stack_size.fitting` says.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("MKL_CBWR", "AUTO")

import torch

from exp.config.schema import GROUPS, plan
from exp.engine import Job, train
from exp.sweeps.stack_size import fitting

SIZES = (1, 4, 8, 16, 32, 64, 128)
CASES = (
    ([8, 8], 250, None), ([8, 8], 1000, None), ([8, 8], 4000, None), ([32, 32], 1000, None),
    ([64, 64], 4000, None), ([128, 128], 1000, None), ([8, 8], 1000, 32), ([64, 64], 1000, 32),
)  # fmt: skip
NAMES = {
    "dataset": "moons", "split": "holdout", "features": "none", "model": "mlp",
    "optimizer": "sgd", "loss": "auto", "scheduler": "none", "device": "cpu",
    "trainer": "standard", "figures": "none",
}  # fmt: skip


def jobs(count: int, hidden: list[int], rows: int, batch: int | None, epochs: int) -> list[Job]:
    parts = {group: {"name": NAMES[group]} for group in GROUPS}
    parts["dataset"] = {"name": "moons", "n_samples": rows}
    parts["model"] = {"name": "mlp", "hidden": hidden}
    parts["trainer"] = {"name": "standard", "epochs": epochs, "batch_size": batch}
    return [Job.of(plan({"seed": seed, **parts})) for seed in range(count)]


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'hidden':<12}{'rows':>6}{'batch':>7}" + "".join(f"{n:>8}" for n in SIZES) + "    fits")
    for hidden, rows, batch in CASES:
        cells = []
        for count in SIZES:
            work = count * rows * sum(hidden) * (2 if batch else 1)
            epochs = max(3, min(200, 40_000_000 // work))
            stack = jobs(count, hidden, rows, batch, epochs)
            best = float("inf")
            for _ in range(3):
                begun = time.perf_counter()
                train(stack)
                best = min(best, time.perf_counter() - begun)
            cells.append(f"{1000 * best / epochs / count:>8.3f}")
        fits = fitting(stack[0])
        print(f"{hidden!s:<12}{rows:>6}{batch!s:>7}" + "".join(cells) + f"{fits:>8}", flush=True)


if __name__ == "__main__":
    main()

"""Runs per second of stacks on a GPU, the step recorded as a CUDA graph, against the eager loop.

    python benchmarks/gpu.py [EPOCHS]

Moons, the default model, full batch; stacks of 64, 1,024 and 8,192 runs. Says so and ends where
torch sees no GPU.
"""

from __future__ import annotations

import sys
import time

import torch

from exp.config.plan import GROUPS, plan
from exp.engine import Job, Stack, Training

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
NAMES = {
    "dataset": "moons", "split": "holdout", "features": "none", "model": "mlp",
    "optimizer": "sgd", "loss": "auto", "scheduler": "none", "device": "cuda",
    "trainer": "standard", "figures": "none",
}  # fmt: skip


def job(seed: int) -> Job:
    parts = {group: {"name": NAMES[group]} for group in GROUPS}
    parts["trainer"] = {"name": "standard", "epochs": EPOCHS}
    # A seed's data are made once: the stacks are what is measured.
    return Job.of(plan({"seed": 42, "seeds": {"init": seed}, **parts}))


def seconds(jobs: list[Job], recorded: bool) -> float:
    training = Training(Stack(jobs))
    if not recorded:
        training.worth_recording = lambda: False  # type: ignore[method-assign]
    training.one_epoch()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    training.run()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) * EPOCHS / (EPOCHS - 1)


def main() -> None:
    if not torch.cuda.is_available():
        print("torch sees no CUDA GPU: nothing to measure")
        return
    print(torch.cuda.get_device_name())
    print(f"{'runs':>6}{'eager, runs/s':>16}{'graph, runs/s':>16}{'ratio':>8}")
    for runs in (64, 1024, 8192):
        jobs = [job(seed) for seed in range(runs)]
        eager, graph = seconds(jobs, recorded=False), seconds(jobs, recorded=True)
        print(f"{runs:>6}{runs / eager:>16.0f}{runs / graph:>16.0f}{eager / graph:>7.2f}x")


if __name__ == "__main__":
    main()

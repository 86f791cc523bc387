"""A sweep of thousands of runs, made of a few that were really trained.

The files of a run are those of a real one; what the overrides say, its scores and its maps are its
own, so that nothing packs better than it would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np

REAL = ["optimizer=sgd,adam", "seed=range(0,8)", "trainer.epochs=1000", "figures.draw=[data]"]
OPTIMIZERS, SEEDS = ("sgd", "adam", "rmsprop", "nadam"), 25
MESSAGE = "RuntimeError: the loader met <script>alert(1)</script> in row 7"


def real(folder: Path) -> list[Path]:
    """Trains 16 default runs."""
    path = folder / "real"
    command = [sys.executable, "-m", "exp", "-m", *REAL, f"sweep.dir={path}", "run.reuse=false"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return sorted(run.parent for run in path.glob("*/run.json"))


def sweep(folder: Path, models: list[Path], runs: int) -> Path:
    """A sweep of so many runs; one in 100 has failed."""
    path = folder / str(runs)
    path.mkdir()
    rates = np.geomspace(0.001, 1.0, max(runs // (len(OPTIMIZERS) * SEEDS), 1)).round(6).tolist()
    settings = islice(cycle(product(OPTIMIZERS, rates, range(SEEDS))), runs)
    rng = np.random.default_rng(0)
    entries = []
    for number, ((optimizer, rate, seed), model) in enumerate(zip(settings, cycle(models))):
        overrides = [f"optimizer={optimizer}", f"optimizer.lr={rate}", f"seed={seed}"]
        name = f"{number}-" + ",".join(sorted(overrides))
        entries.append({"number": number, "directory": name, "overrides": overrides})
        write(path / name, model, seed, rng, failed=number % 100 == 99)
    keys = ["optimizer", "optimizer.lr", "seed"]
    manifest = {"command": [], "keys": keys, "skipped": [], "repeated": [], "runs": entries}
    (path / "sweep.json").write_text(json.dumps(manifest))
    return path


def write(path: Path, model: Path, seed: int, rng: np.random.Generator, *, failed: bool) -> None:
    """One run's directory."""
    path.mkdir()
    record = json.loads((model / "run.json").read_bytes())
    record["seeds"] = dict.fromkeys(record["seeds"], seed)
    if failed:
        record |= {"status": "failed", "message": MESSAGE}
    (path / "run.json").write_text(json.dumps(record, indent=2))
    (path / "config.yaml").write_bytes((model / "config.yaml").read_bytes())
    if failed:
        return
    summary = json.loads((model / "summary.json").read_bytes())
    for key, value in moved(summary["final"], rng):
        summary["final"][key] = value
    (path / "summary.json").write_text(json.dumps(summary, indent=2))
    os.link(model / "metrics.csv", path / "metrics.csv")
    with np.load(model / "frames.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    shift = rng.integers(-12, 13, size=2)
    rolled = np.roll(arrays["probabilities"], shift, axis=(-2, -1))
    arrays["probabilities"] = rolled
    np.savez_compressed(path / "frames.npz", **arrays)


def moved(scores: dict[str, object], rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """Every number of a summary, moved by some hundredths."""
    for key, value in scores.items():
        if isinstance(value, float):
            yield key, min(max(value + float(rng.normal(0, 0.02)), 0.0), 1.0)

"""How long `exp results` takes on large sweeps, and what the closing table of one takes.

    python benchmarks/results.py [RUNS ...]

Writes sweep directories in the format of real ones, with made-up scores (1,000 and 10,000 runs of
4 optimizers, several learning rates and 25 seeds), and prints the seconds of the whole process:
plain, by a key of the configs that was not swept (every config is read), and of sweep and copy
together. Leaves with 1 where 1,000 runs take more than 2 s, or 10,000 more than 10 s.
"""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from exp.runs.directory import record_text
from exp.runs.manifest import Entry, manifest, manifest_lines
from exp.sweeps import runs_table
from exp.sweeps.progress import closing
from exp.sweeps.sweep_directory import SweepDirectory
from exp.util.serialize import json_text, yaml_text

LIMITS = {1_000: 2.0, 10_000: 10.0}
OPTIMIZERS = ("sgd", "adam", "rmsprop", "nadam")
SEEDS = 25
DIGEST = "0123456789abcdef" * 4


def entries(count: int) -> list[Entry]:
    """Runs of a grid: optimizers, learning rates, seeds."""
    rates = count // len(OPTIMIZERS) // SEEDS
    found = []
    for number in range(count):
        optimizer = OPTIMIZERS[number // SEEDS // rates]
        rate, seed = 0.001 * (1 + number // SEEDS % rates), number % SEEDS
        words = (f"optimizer={optimizer}", f"optimizer.lr={rate:.3f}", f"seed={seed}")
        found.append(Entry(number, f"{number}-{','.join(words[1:])}", (*words, "figures=none")))
    return found


def record(entry: Entry, origin: dict[str, Any], status: str) -> dict[str, Any]:
    seed = int(entry.overrides[2].partition("=")[2])
    names = ("config.yaml", "metrics.csv", "predictions.csv", "summary.json", "exp.log")
    return {
        "status": status,
        "name": f"moons-mlp-{entry.overrides[0].partition('=')[2]}",
        "signature": f"{entry.number:064x}",
        "seeds": {"data": seed, "split": seed, "init": seed, "shuffle": seed},
        **origin,
        "device": {"name": "cpu", "dtype": "float32", "threads": 1, "cpu": "AVX2"},
        "data": {
            "fingerprint": DIGEST,
            "split": f"{seed:064x}",
            "rows": 1000,
            "features": ["x1", "x2"],
            "classes": ["0", "1"],
            "parts": {
                "train": {"rows": 800, "sha256": f"{seed:063x}0"},
                "test": {"rows": 200, "sha256": f"{seed:063x}1"},
            },
        },
        "process": {"pid": 1, "host": "elsewhere", "begun": "1"},
        "started": "2026-11-25T07:48:14+00:00",
        "timings": {"training": 0.2, "files and figures": 0.3, "total": 1.05},
        "digests": dict.fromkeys([*names, "checkpoints/last.safetensors"], DIGEST),
        **({"message": "made up"} if status == "failed" else {}),
    }


def summary(rng: random.Random, status: str) -> dict[str, Any]:
    names = ("loss", "accuracy", "precision", "recall", "f1", "auroc", "calibration_error")
    final: dict[str, Any] = {}
    for split in ("train", "test"):
        final |= {f"{split}/{name}": rng.betavariate(20, 2) for name in names}
        final[f"{split}/confusion"] = [[408, 2], [3, 387]]
    best = {"epoch": 59, "train/loss": 0.1, "lr": 0.01, "monitor": "train/loss"}
    return {"status": status, "final": final, "best": best, "epochs": 60}


def config(entry: Entry) -> dict[str, Any]:
    optimizer, rate, seed = (word.partition("=")[2] for word in entry.overrides[:3])
    own = dict.fromkeys(("data", "split", "init", "shuffle"), int(seed))
    return {
        "seed": int(seed), "seeds": own, "name": None, "plugins": [],
        "dataset": {"name": "moons", "n_samples": 1000, "noise": 0.03},
        "split": {"name": "holdout", "test": 0.2, "validation": 0.0, "stratify": True},
        "model": {"name": "mlp", "hidden": [8, 8], "activation": {"name": "relu"}},
        "optimizer": {"name": optimizer, "lr": float(rate), "weight_decay": 0.0},
        "loss": {"name": "auto", "l1": 0.0, "l2": 0.0},
        "scheduler": {"name": "none"}, "device": {"name": "cpu", "threads": 1},
        "trainer": {"name": "standard", "epochs": 60, "batch_size": None, "eval_every": 1},
        "figures": {"name": "none"},
    }  # fmt: skip


def make(place: Path, count: int) -> None:
    """A sweep directory as a finished sweep leaves it, without what `exp results` never reads."""
    rng = random.Random(count)
    origin = {
        "command": ["python", "-m", "exp", "-m", f"seed=range(0,{SEEDS})"],
        "folder": "elsewhere",
        "versions": {f"package-{n}": "1.2.3" for n in range(12)},
        "git": None,
    }
    runs = entries(count)
    place.mkdir()
    keys = ["optimizer", "optimizer.lr", "seed"]
    content = {**origin, "keys": keys, "skipped": [], "repeated": []}
    with (place / "sweep.json").open("w") as file:
        file.writelines(manifest_lines(content, runs))
    for entry in runs:
        status = rng.choices(("done", "diverged", "failed"), (96, 3, 1))[0]
        folder = place / entry.directory
        folder.mkdir()
        (folder / "run.json").write_text(record_text(record(entry, origin, status)))
        (folder / "config.yaml").write_text(yaml_text(config(entry)))
        if status != "failed":
            (folder / "summary.json").write_text(json_text(summary(rng, status)))


def seconds(*words: str) -> tuple[float, float]:
    """Wall and CPU seconds of a process of `exp results`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    command = [sys.executable, "-m", "exp", "results", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def closed(place: Path) -> tuple[float, float]:
    """CPU seconds of writing runs.csv with its closing table, and the kB each run takes there."""
    content = manifest(place)
    runs = [Entry(r["number"], r["directory"], tuple(r["overrides"])) for r in content["runs"]]
    tracemalloc.start()
    runs_table.write(SweepDirectory(place), content["keys"], runs[:1])  # imports, once
    before = tracemalloc.get_traced_memory()[0]
    tally = runs_table.write(SweepDirectory(place), content["keys"], runs)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    begun = time.process_time()
    tally = runs_table.write(SweepDirectory(place), content["keys"], runs)
    closing(tally, place, 1.0)
    return time.process_time() - begun, held / len(runs) / 1000


def main() -> int:
    late = False
    for count in [int(word) for word in sys.argv[1:]] or list(LIMITS):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "sweep")
            make(place, count)
            shutil.copytree(place, copy := Path(folder, "copy"))
            asked = {
                "plain": [str(place)],
                "--test wilcoxon": [str(place), "--test", "wilcoxon"],
                "--json": [str(place), "--json", str(Path(folder, "out.json"))],
                "--by model.activation": [str(place), "--by", "model.activation"],
                "two sweeps": [str(place), str(copy)],
            }
            for what, words in asked.items():
                wall, cpu = min(seconds(*words) for _ in range(3))
                print(f"{count:>6} runs, {what}: {wall:.2f} s, {cpu:.2f} s of CPU", flush=True)
                late |= what == "plain" and wall > LIMITS.get(count, float("inf"))
            cpu, held = closed(place)
            print(
                f"{count:>6} runs, closing table: {cpu:.2f} s of CPU, {held:.2f} kB held for each"
            )
    return int(late)


if __name__ == "__main__":
    sys.exit(main())

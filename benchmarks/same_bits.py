"""Whether every run of a mixed sweep leaves the same bytes as the same run started alone.

    python benchmarks/same_bits.py FOLDER [WAY ...]

ways: n_jobs=1, n_jobs=2, basic, joblib, ray, dask; all that are installed unless named. The runs
that go alone, each in a process of its own, are kept in FOLDER/alone for the next time. Compared
are metrics.csv, predictions.csv and both checkpoints. Leaves with 1 where a byte differs.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

MOONS_AND_SPIRALS = "dataset=moons,spirals"
RUNS = f"""
{MOONS_AND_SPIRALS} optimizer=sgd,adam,rmsprop optimizer.lr=0.01,0.1 model.hidden=[8],[16,16] \
    seed=range(0,8)
{MOONS_AND_SPIRALS} optimizer=sgd trainer.batch_size=32,50 optimizer.momentum=0.9 seed=range(0,2)
{MOONS_AND_SPIRALS} optimizer=adam trainer.batch_size=32,50 seed=range(0,10)
optimizer.momentum=0.9 optimizer.lr=0.1,0.3 trainer.batch_size=40 model.dropout=0.2 seed=range(0,5)
trainer.early_stopping=3 trainer.min_delta=0.001 split.validation=0.2 optimizer.lr=0.001,0.1 \
    seed=range(0,10)
optimizer.lr=1e30 seed=3
optimizer=lbfgs seed=3
""".replace("\\\n", "")
FIXED = ["run.reuse=false", "figures=none", "trainer.epochs=60", "dataset.n_samples=300"]
COMPARED = (
    "metrics.csv",
    "predictions.csv",
    "checkpoints/last.safetensors",
    "checkpoints/best.safetensors",
)
JOBLIB = "hydra_plugins.hydra_joblib_launcher"
WAYS = {
    "n_jobs=1": (["sweep.n_jobs=1"], None),
    "n_jobs=2": (["sweep.n_jobs=2"], None),
    "basic": (["hydra/launcher=basic"], None),
    "joblib": (["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], JOBLIB),
    "ray": (["sweep.backend=ray", "sweep.n_jobs=2"], "ray"),
    "dask": (["sweep.backend=dask", "sweep.n_jobs=2"], "distributed"),
}  # fmt: skip


def exp(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "exp", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def manifest(sweep: Path) -> list[dict]:
    return json.loads((sweep / "sweep.json").read_text())["runs"]


def alone(run: dict, folder: Path) -> None:
    """One run in a process of its own, unless it is there from an earlier time."""
    place = folder / "alone" / str(run["number"])
    words = [word for word in run["overrides"] if not word.startswith("sweep.")]
    if not (place / "summary.json").is_file():
        done = exp(*words, "run.reuse=false", f"hydra.run.dir={place}", folder=folder)
        assert done.returncode in (0, 3), done.stderr


def differing(sweep: Path, folder: Path) -> list[str]:
    found = []
    for run in manifest(sweep):
        for name in COMPARED:
            one = folder / "alone" / str(run["number"]) / name
            other = sweep / run["directory"] / name
            if not other.is_file() or one.read_bytes() != other.read_bytes():
                found.append(f"{run['directory']}/{name}")
    return found


def main() -> int:
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    ways = sys.argv[2:] or [w for w, (_, m) in WAYS.items() if m is None or installed(m)]
    (folder / "runs.txt").write_text(RUNS)
    bad = 0
    for way in ways:
        place = folder / way.replace("=", "-")
        begun = time.perf_counter()
        done = exp(
            "-m", "sweep.file=runs.txt", f"sweep.dir={place}", *FIXED, *WAYS[way][0], folder=folder
        )
        seconds = time.perf_counter() - begun
        if done.returncode not in (0, 3):
            print(f"{way}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            bad += 1
            continue
        runs = manifest(place)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda run: alone(run, folder), runs))
        statuses = [row["status"] for row in csv.DictReader((place / "runs.csv").open())]
        told = ", ".join(f"{statuses.count(s)} {s}" for s in sorted(set(statuses)))
        found = differing(place, folder)
        bad += bool(found)
        print(
            f"{way:<10} {len(runs)} runs ({told}) in {seconds:.0f} s: "
            f"{len(found)} of {len(runs) * len(COMPARED)} files differ {found[:5] or ''}",
            flush=True,
        )
    return 1 if bad else 0


def installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())

"""Runs of mixed configs, each killed with SIGKILL at a random moment, then resumed.

    python benchmarks/random_kill.py FOLDER [RUNS] [SEED]

Each is started in a process of its own and killed at a moment drawn evenly from its whole life:
while it starts, in an epoch, in a checkpoint, while it draws. What it has left is looked at (every
JSON file and checkpoint must be whole), `exp resume` finishes it, and its files are compared with
those of an undisturbed twin. Leaves with 1 where a byte differs.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

CONFIGS = [
    ["optimizer=sgd", "optimizer.momentum=0.9", "trainer.batch_size=64"],
    ["optimizer=adam", "model.dropout=0.2", "trainer.batch_size=50"],
    ["dataset=spirals", "optimizer=adamw", "scheduler=cosine", "activation=tanh"],
    ["dataset=blobs", "optimizer=rmsprop", "model.batch_norm=true", "trainer.batch_size=100"],
    ["dataset=circles", "optimizer=nadam", "split.validation=0.2", "trainer.early_stopping=60"],
    ["dataset=iris", "optimizer=sgd", "scheduler=plateau", "loss.l2=0.001"],
    ["dataset=moons", "optimizer=lbfgs", "optimizer.lr=0.1", "optimizer.max_iter=4"],
    ["dataset=two_spirals", "optimizer=adam", "scheduler=one_cycle", "trainer.clip_norm=1"],
    ["dataset=wine", "split.standardize=true", "optimizer=adagrad", "loss=focal"],
    ["optimizer.lr=3e4", "trainer.batch_size=64"],
]
COMMON = ["run.reuse=false", "trainer.print_every=50", "figures.dpi=60"]
FILES = ("metrics.csv", "predictions.csv", "summary.json", "config.yaml")


def words(index: int) -> list[str]:
    config = CONFIGS[index % len(CONFIGS)]
    epochs = 300 if "optimizer=lbfgs" not in config else 60
    saves = 1 + index % 7
    more = [f"seed={index}", f"trainer.epochs={epochs}", f"trainer.checkpoint_every={saves}"]
    return [*COMMON, *config, *more]


def inside(*command: str) -> int:
    """A command line in this process, which saves the seconds that torch takes to come."""
    from exp.cli import main as cli

    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        code = cli.guarded(lambda: cli.dispatch(list(command)))
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    return code


def killed(command: list[str], place: Path, moment: float) -> str:
    """Starts a run and kills it; what it was doing then, as far as its files tell."""
    process = subprocess.Popen(
        [sys.executable, "-m", "exp", *command, f"hydra.run.dir={place}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(moment)
    process.kill()
    process.wait()
    if not (place / "run.json").exists():
        return "starting"
    status = json.loads((place / "run.json").read_text())["status"]
    if status != "running":
        return "ended"
    if any(place.rglob(".*.tmp")):
        return "writing a file"
    if (place / "metrics.csv").exists() or (place / "figures").exists():
        return "drawing"
    return "training" if (place / "checkpoints").exists() else "first epochs"


def torn(place: Path) -> list[str]:
    """Files that are not whole."""
    from exp.runs import checkpoint

    found = []
    for path in place.rglob("*"):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".safetensors":
                checkpoint.load(path)
        except Exception as error:
            found.append(f"{path.name}: {error}")
    return found


def one(task: tuple[Path, int, float]) -> tuple[str, list[str]]:
    folder, index, moment = task
    command, place, twin = words(index), folder / f"{index}", folder / f"{index}-twin"
    while (doing := killed(command, place, moment)) == "ended":
        # This one lived shorter: a moment within its life, then.
        moment *= 0.7
        shutil.rmtree(place)
    faults = torn(place) if place.exists() else []
    if doing == "starting":
        shutil.rmtree(place, ignore_errors=True)
        code = inside(*command, f"hydra.run.dir={place}")
    else:
        code = inside("resume", str(place))
    if code != inside(*command, f"hydra.run.dir={twin}"):
        faults.append(f"exit code {code}")
    names = [*FILES, *(p.relative_to(twin).as_posix() for p in twin.glob("[cf]*/*"))]
    for name in names:
        if not (place / name).exists() or (place / name).read_bytes() != (twin / name).read_bytes():
            faults.append(name)
    return doing, [f"{index}: {fault}" for fault in faults]


def main() -> int:
    folder = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    draw = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    folder.mkdir(parents=True)
    os.environ["MKL_CBWR"] = "AUTO"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "exp", *words(0), f"hydra.run.dir={folder / 'life'}"],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    life = 1.4 * (time.perf_counter() - begun)  # two at once take longer
    tasks = [(folder, index, draw.uniform(0.0, life)) for index in range(count)]
    doing: Counter[str] = Counter()
    faults: list[str] = []
    begun = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for what, found in pool.imap_unordered(one, tasks):
            doing[what] += 1
            faults += found
    told = ", ".join(f"{number} {what}" for what, number in doing.most_common())
    print(f"{count} runs killed in {time.perf_counter() - begun:.0f} s: {told}")
    print(f"{len(faults)} files torn or different {faults[:20] or ''}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

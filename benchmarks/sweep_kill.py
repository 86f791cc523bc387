"""A sweep killed in the middle and started again, against the undisturbed one.

    python benchmarks/sweep_kill.py FOLDER

64 runs; SIGKILL to the whole process group when 16 are done and others are training; then the same
command. Printed: how long the workers outlived their parent, how many of the finished runs were
touched, and how many files differ from those of the undisturbed sweep (metrics, predictions,
config, summary, checkpoints, figures), runs.csv but for its seconds.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

WORDS = (
    "run.reuse=false", "optimizer=sgd,adam", "optimizer.lr=0.03,0.1", "seed=range(0,16)",
    "trainer.epochs=400", "sweep.chunk=8",
)  # fmt: skip
FILES = ("metrics.csv", "predictions.csv", "config.yaml", "summary.json")
FOLDERS = ("checkpoints", "figures")


def start(place: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "exp", "-m", *WORDS, f"sweep.dir={place.absolute()}"]
    with open(f"{place}.out", "ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)


def statuses(place: Path) -> dict[str, str]:
    return {p.parent.name: json.loads(p.read_text())["status"] for p in place.glob("*/run.json")}


def killed(place: Path) -> None:
    """Starts the sweep and kills it once it is well on its way."""
    process = start(place)
    while True:
        told = Counter(statuses(place).values())
        if told["done"] >= 16 and told["running"]:
            break
        assert process.poll() is None, "the sweep ended before it could be killed"
        time.sleep(0.02)
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    begun = time.monotonic()
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.02)
    print(f"the workers were gone after {time.monotonic() - begun:.2f} s")
    print("when it was killed:", dict(Counter(statuses(place).values())))


def children(parent: int) -> list[str]:
    return Path(f"/proc/{parent}/task/{parent}/children").read_text().split()


def content(run: Path) -> dict[Path, tuple[int, bytes]]:
    files = (path for path in run.rglob("*") if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def results(run: Path) -> dict[str, bytes]:
    names = [run / name for name in FILES]
    names += [path for folder in FOLDERS for path in (run / folder).iterdir()]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in names}


def table(place: Path) -> list[dict[str, str]]:
    with (place / "runs.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    plain, disturbed = folder / "plain", folder / "killed"
    assert start(plain).wait() == 0
    killed(disturbed)
    done = {run: content(disturbed / run) for run, s in statuses(disturbed).items() if s == "done"}
    assert start(disturbed).wait() == 0
    touched = sum(content(disturbed / run) != before for run, before in done.items())
    print(f"finished runs touched: {touched} of {len(done)}")
    files = different = 0
    for run in sorted(statuses(plain)):
        left, right = results(plain / run), results(disturbed / run)
        files += len(left)
        different += sum(left.get(name) != right.get(name) for name in {**left, **right})
    print(f"{len(statuses(plain))} runs: {different} of {files} files differ")
    print("runs.csv is", "the same" if table(plain) == table(disturbed) else "different")


if __name__ == "__main__":
    main()

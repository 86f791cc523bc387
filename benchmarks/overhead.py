"""What trust costs: seconds in everything that only makes a run repeatable and safe.

    python benchmarks/overhead.py

Counted is the wall time within the functions of `TRUST` (a call inside another counts once):
looking at Hydra's node, provenance, checkpoints, writing every file whole, waiting for the disk,
digests, run.json, and the search for a finished run. What any program has to do is taken off: the
time that it takes to make the same folders and to write config, Hydra's files, results and figures
(`PLAIN`, all but run.json and the checkpoints) with plain `open` and `write`, on the same file
system right after.

First a default run, the median of several fresh processes; then a sweep of 256 runs of 1,000 epochs
with one process, so that everything can be seen from it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from counting import counted
from disk import folder

TRUST = [
    ("exp.safety", "check"),
    ("exp.runs.provenance", "origin"),
    ("exp.runs.provenance", "conditions"),
    ("exp.runs.provenance", "device"),
    ("exp.runs.checkpoint", "content"),
    ("exp.runs.execution", "Execution.checkpoint"),
    ("exp.runs.execution", "Execution.close"),
    ("exp.runs.directory", "RunDirectory.draft_record"),
    ("exp.runs.directory", "RunDirectory.draft"),
    ("exp.runs.directory", "RunDirectory.place"),
    ("exp.runs.execute", "on_disk"),
    ("exp.runs.directory", "RunDirectory.digests"),
    ("exp.runs.finished", "find"),
    ("exp.runs.finished", "remember"),
]
PLAIN = ("*.yaml", "*.csv", "summary.json", "frames.npz", ".hydra/*", "figures/*")
RUNS = 256


def one(words: list[str]) -> None:
    """In a process of its own: a command line, and what was spent in it as the last line."""
    from exp import cli

    os.environ["MKL_CBWR"] = "AUTO"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    spent: Counter[str] = Counter()
    counted(TRUST, spent)
    code = cli.dispatch(words)
    assert code == 0, code
    print(json.dumps(spent))


def spent_in(*words: str) -> tuple[dict[str, float], float]:
    """Seconds by function, and those of plain writing."""
    place = folder()
    command = [sys.executable, str(Path(__file__).absolute()), *words]
    # A cache of its own: nothing is known to be finished already.
    own = {**os.environ, "EXP_CACHE": str(place / "cache")}
    done = subprocess.run(command, cwd=place, env=own, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1])), plain_writing(place)


def plain_writing(where: Path) -> float:
    runs = [path.parent for path in where.rglob("run.json")]
    contents = [
        [(path.relative_to(run), path.read_bytes()) for name in PLAIN for path in run.glob(name)]
        for run in runs
    ]
    begun = time.perf_counter()
    for number, files in enumerate(contents):
        place = where / str(number)
        place.mkdir()
        for name in (".hydra", "figures"):
            (place / name).mkdir()
        for name, content in files:
            with open(place / name, "wb") as file:
                file.write(content)
    return time.perf_counter() - begun


def told(title: str, spent: dict[str, float], plain: float, runs: int) -> None:
    parts = sorted(spent.items(), key=lambda part: -part[1])
    most = ", ".join(f"{name} {1000 * value / runs:.2f}" for name, value in parts[:6])
    whole = sum(spent.values())
    print(
        f"{title}: {1000 * (whole - plain) / runs:.2f} ms for each run "
        f"({1000 * whole / runs:.2f} less {1000 * plain / runs:.2f} of plain writing; {most})",
        flush=True,
    )


def main() -> None:
    lone = [spent_in("trainer.print_every=100") for _ in range(5)]
    middle = statistics.median(sum(spent.values()) - plain for spent, plain in lone)
    told("a default run", *min(lone, key=lambda p: abs(sum(p[0].values()) - p[1] - middle)), 1)
    told(
        f"a sweep of {RUNS} runs", *spent_in("-m", f"seed=range(0,{RUNS})", "sweep.n_jobs=1"), RUNS
    )


if __name__ == "__main__":
    one(sys.argv[1:]) if sys.argv[1:] else main()

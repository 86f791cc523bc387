"""What trust costs: seconds in everything that only makes a run repeatable and safe.

    python benchmarks/overhead.py

Counted is the wall time within the functions of `TRUST` (a call inside another counts once):
looking at Hydra's node, provenance, checkpoints, writing every file whole, waiting for the disk,
digests, run.json, and the search for a finished run. What any program has to do is taken off: the
time that it takes to make the same folders and to write config, Hydra's files, results and figures
(`PLAIN`, all but run.json and the checkpoints) with plain `open` and `write`. Each of them is
written so right after it was written our way, elsewhere on the same file system: both find the
machine in the same state.

First a default run, the middle of several fresh processes; then sweeps of 256 runs of 1,000 epochs
with one process, so that everything can be seen from it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from counting import counted
from disk import folder

TRUST = [
    ("exp.config.trust", "check"),
    ("exp.runs.provenance", "origin"),
    ("exp.runs.provenance", "conditions"),
    ("exp.runs.provenance", "device"),
    ("exp.runs.checkpoint", "content"),
    ("exp.runs.writer", "RunWriter.checkpoint"),
    ("exp.runs.directory", "RunDirectory.write_record"),
    ("exp.runs.directory", "RunDirectory.write"),
    ("exp.runs.directory", "RunDirectory.digests"),
    ("exp.runs.reuse", "find"),
    ("exp.runs.reuse", "remember"),
]
PLAIN = ("*.yaml", "*.csv", "summary.json", "frames.npz", ".hydra/*", "figures/*")
TAKEN_OFF = "plain writing"
RUNS = 256


class Plain:
    """Writes the files of a run as a program does that takes no care.

    Args:
        root: where.
    """

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.folders: set[str] = set()

    def places(self, run: Path, files: Mapping[Path, bytes | str]) -> dict[str, bytes | str]:
        """Where those of `PLAIN` go."""
        return {
            os.path.join(self.root, run.name, path.relative_to(run)): data
            for path, data in files.items()
            if any(path.relative_to(run).match(pattern) for pattern in PLAIN)
        }

    def write(self, files: Mapping[str, bytes | str]) -> None:
        for place, data in files.items():
            if (folder := os.path.dirname(place)) not in self.folders:
                os.makedirs(folder, exist_ok=True)
                self.folders.add(folder)
            with open(place, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)


def one(words: list[str]) -> None:
    """In a process of its own: a command line, and what was spent in it as the last line."""
    from exp.cli import main as cli
    from exp.runs.directory import RunDirectory

    os.environ["MKL_CBWR"] = "AUTO"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    spent: Counter[str] = Counter()
    counted(TRUST, spent)
    write, plain = RunDirectory.write, Plain(folder())

    def both(directory: RunDirectory, path: Path, data: bytes | str) -> None:
        write(directory, path, data)
        places = plain.places(directory.path, {path: data})
        begun = time.perf_counter()
        plain.write(places)
        spent[TAKEN_OFF] += time.perf_counter() - begun

    RunDirectory.write = both  # type: ignore[method-assign]
    code = cli.dispatch(words)
    assert code == 0, code
    print(json.dumps(spent))


def spent_in(*words: str) -> dict[str, float]:
    """Seconds by function, in a process of its own."""
    place = folder()
    command = [sys.executable, str(Path(__file__).absolute()), *words]
    # A cache of its own: nothing is known to be finished already.
    own = {**os.environ, "EXP_CACHE": str(place / "cache")}
    done = subprocess.run(command, cwd=place, env=own, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def overhead(spent: dict[str, float]) -> float:
    return sum(spent.values()) - 2 * spent[TAKEN_OFF]


def told(title: str, spent: dict[str, float], runs: int) -> None:
    parts = sorted(spent.items(), key=lambda part: -part[1])
    most = ", ".join(f"{name} {1000 * value / runs:.2f}" for name, value in parts[:7])
    print(f"{title}: {1000 * overhead(spent) / runs:.2f} ms for each run ({most})", flush=True)


def main() -> None:
    lone = sorted((spent_in("trainer.print_every=100") for _ in range(5)), key=overhead)
    told("a default run", lone[2], 1)
    for _ in range(3):
        words = ("-m", f"seed=range(0,{RUNS})", "sweep.n_jobs=1")
        told(f"a sweep of {RUNS} runs", spent_in(*words), RUNS)


if __name__ == "__main__":
    one(sys.argv[1:]) if sys.argv[1:] else main()

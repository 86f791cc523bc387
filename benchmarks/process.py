"""The whole process of the default run, figures and files included, against `hand_written.py`.

    python benchmarks/process.py [ROUNDS]

Wall seconds from start to exit, in turn, median and best. `fresh` starts with an empty cache of
data sets, `again` meets the data that an earlier run made.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7


def wall(command: list[str], folder: str, cache: str) -> float:
    begun = time.perf_counter()
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, env={**os.environ, "EXP_CACHE": cache}
    )
    return time.perf_counter() - begun


def main() -> None:
    found: dict[str, list[float]] = {"hand-written": [], "exp, fresh": [], "exp, again": []}
    ours = [sys.executable, "-m", "exp"]
    theirs = [sys.executable, str(HERE / "hand_written.py"), "out"]
    for index in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory() as folder:
            cache = str(Path(folder) / "cache")
            measured = {
                "hand-written": wall(theirs, folder, cache),
                "exp, fresh": wall(ours, folder, cache),
                "exp, again": wall(ours, folder, cache),
            }
        if index:  # the first round warms the disk
            for name, value in measured.items():
                found[name].append(value)
    base = statistics.median(found["hand-written"])
    print(f"{'':<16}{'median s':>10}{'best s':>10}{'ratio':>10}")
    for name, values in found.items():
        middle = statistics.median(values)
        print(f"{name:<16}{middle:>10.2f}{min(values):>10.2f}{middle / base:>9.2f}x")


if __name__ == "__main__":
    main()

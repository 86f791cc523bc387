"""Seconds that a sweep takes to draw itself at its end.

    python benchmarks/sweep_pictures.py [RUNS ...]

The sweeps are those of `results.py`, of 200, 1,000 and 2,000 runs unless said (no larger one is
drawn unasked), with the curves and maps of runs that were really trained and one table of
predictions, so that the ensemble has an accuracy. Each is drawn in a process of its own that has
already imported what the main process of a sweep has.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from report import filled, trained
from results import make

DRAWN = """
import sys, time
from pathlib import Path
import sklearn.datasets, exp.sweeps.dispatch, exp.sweeps.sweeper, exp.sweeps.runs_table
from exp.sweeps import draw_sweep
begun, cpu = time.perf_counter(), time.process_time()
look = {"theme": "light", "format": ["png"], "dpi": 120}
line = draw_sweep.draw(Path(sys.argv[1]), look, runs=int(sys.argv[2]))
print(f"{time.perf_counter() - begun:.2f} s, {time.process_time() - cpu:.2f} s of CPU: {line}")
"""


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [200, 1_000, 2_000]
    with tempfile.TemporaryDirectory() as name:
        models = trained(Path(name) / "real")
        for count in counts:
            place = Path(name) / str(count)
            make(place, count)
            filled(place, models)
            for summary in place.glob("*/summary.json"):
                shutil.copy(models[0] / "predictions.csv", summary.parent)
            command = [sys.executable, "-c", DRAWN, str(place), str(count)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"{count:,} runs: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()

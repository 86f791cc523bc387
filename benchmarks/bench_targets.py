"""The targets of `exp bench` (src/exp/cli/bench/suite.yaml), from runs with seeds of their own.

    python benchmarks/bench_targets.py [FOLDER]

The target of a data set is 2 points less than the accuracy of validation rows that half of the
optimizers reach within half of the epochs, in the median over seeds: the highest of many noisy
values is partly luck.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from exp.cli.bench.bench import done
from exp.cli.bench.suite import Seeds, suite

SEEDS, TUNING = Seeds(2000, 3), Seeds(1000, 1)
BELOW = 0.02


def main(folder: str = "targets") -> None:
    bench = done(replace(suite(), seeds=SEEDS, tuning=TUNING), Path(folder), None)
    for dataset in bench.suite.datasets:
        reached = []
        for optimizer in bench.suite.optimizers:
            runs = bench.runs(dataset.name, optimizer.name)
            half = runs.history["validation/accuracy"][:, : len(runs.epoch) // 2]
            reached.append(np.median(np.nanmax(half, axis=1)))
        target = np.floor(float(np.median(reached) - BELOW) * 100 + 1e-6) / 100
        print(f"{dataset.name:<20}{target:.2f}  (suite.yaml: {dataset.target})")


if __name__ == "__main__":
    main(*sys.argv[1:])

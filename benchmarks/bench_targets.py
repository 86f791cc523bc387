"""The targets of `exp bench` (src/exp/cli/bench/suite.yaml), from runs with seeds of their own.

    python benchmarks/bench_targets.py [FOLDER]

The target of a data set is about the accuracy of validation rows that half of the optimizers reach
within half of the epochs on nine of ten seeds. Where each seed draws another problem (blobs,
clusters), some seeds are easier than others by more than optimizers differ.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from exp.cli.bench.bench import done
from exp.cli.bench.suite import Seeds, suite

SEEDS, TUNING = Seeds(2000, 40), Seeds(1000, 1)
SHARE = 0.1


def main(folder: str = "targets") -> None:
    bench = done(replace(suite(), seeds=SEEDS, tuning=TUNING), Path(folder), None)
    for dataset in bench.suite.datasets:
        reached = []
        for optimizer in bench.suite.optimizers:
            runs = bench.runs(dataset.name, optimizer.name)
            half = runs.history["validation/accuracy"][:, : len(runs.epoch) // 2]
            reached.append(np.quantile(np.nanmax(half, axis=1), SHARE))
        target = np.floor(float(np.median(reached)) * 100 + 1e-6) / 100
        print(f"{dataset.name:<20}{target:.2f}  (suite.yaml: {dataset.target})")


if __name__ == "__main__":
    main(*sys.argv[1:])

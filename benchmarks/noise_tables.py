"""Whether `exp fit` reports an honest test score: 200 tables in which nothing can be learned.

    python benchmarks/noise_tables.py [--tables 200] [--budget 4] [--json FILE]

Tables of 60 to 600 rows and 2 to 20 columns (numbers of several distributions, categories, gaps);
the labels are independent of everything. As many rows have one label as the other, and sizes are
multiples of ten, so that both are equally frequent among the test rows too: the accuracy of a
constant answer is 0.5 exactly, and what is above it would be a leak. The mean of the reported test
accuracy less 0.5 must lie within 0.01 of 0. Leaves with 1 where it does not. The budget of each is
in seconds of CPU time on one core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tables_clock

from exp.fitting import FitSettings, fit

ALLOWED = 0.01
SCORES = ("accuracy", "auroc", "log_loss")


def noise(number: int) -> pd.DataFrame:
    """A table of noise with the column `label`."""
    random = np.random.default_rng([20, number])
    rows, columns = 10 * int(random.integers(6, 61)), int(random.integers(2, 21))
    made: dict[str, Any] = {}
    for at in range(columns):
        kind = random.choice(["normal", "skewed", "whole", "category"])
        if kind == "normal":
            values: Any = np.round(random.normal(size=rows), 3)
        elif kind == "skewed":
            values = np.round(random.lognormal(sigma=1.5, size=rows), 2)
        elif kind == "whole":
            values = random.poisson(3, rows)
        else:
            levels = int(random.integers(2, 16))
            values = np.array([f"level {n}" for n in range(levels)])[
                random.integers(0, levels, rows)
            ]
        column = pd.Series(values).astype(object)
        if random.random() < 0.4:
            column[random.random(rows) < random.uniform(0.02, 0.3)] = None
        made[f"column {at + 1}"] = column
    labels = np.repeat(["no", "yes"], rows // 2)
    return pd.DataFrame(made).assign(label=random.permutation(labels))


def reported(number: int, budget: float, folder: Path) -> dict[str, Any]:
    """The test scores that the run directory of a fit reports."""
    frame = noise(number)
    path = folder / f"{number}.csv"
    frame.to_csv(path, index=False)
    run = fit(
        FitSettings(
            path=str(path), target="label", budget=budget, seed=number, workers=1,
            directory=folder / f"{number}", overrides=("figures=none",),
        )
    )  # fmt: skip
    summary = json.loads((run / "summary.json").read_text())
    final = {name: summary["final"][f"test/{name}"] for name in SCORES}
    return {"table": number, "rows": len(frame), "columns": frame.shape[1] - 1,
            **final}  # fmt: skip


def mean_of(values: list[float]) -> tuple[float, float]:
    """Mean and standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--budget", type=float, default=4.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    tables_clock.use(cores=1)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.first, given.first + given.tables):
            found.append(reported(number, given.budget, Path(folder)))
            if given.json:
                given.json.write_text(json.dumps(found, indent=1) + "\n")
            if len(found) % 20 == 0 or len(found) == given.tables:
                parts = [
                    "{} {:+.4f} (standard error {:.4f})".format(name, *mean_of(
                        [each[name] - 0.5 for each in found]))
                    for name in ("accuracy", "auroc")
                ]  # fmt: skip
                print(f"{len(found)} tables, mean less 0.5: {', '.join(parts)}", flush=True)
    return int(abs(mean_of([each["accuracy"] - 0.5 for each in found])[0]) > ALLOWED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

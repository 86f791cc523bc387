"""The same Optuna search twice: as stacks, and with one process for each trial.

    python benchmarks/search.py FOLDER [--jobs N] [--trials 64]

Spirals, 64 trials of TPE in batches of 16, by validation accuracy. First `python -m exp -m
hydra/sweeper=optuna ...`; then the same ask-and-tell loop, which asks for the same trials, with
`python -m exp ...` for every trial by itself, N at a time (one for each core unless said). Printed:
the wall time of each, the best trial's test accuracy, whether the trials and their metrics.csv are
the same in both, and how loaded the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser

from exp.sweeps.search_settings import SearchSettings
from exp.sweeps.search_space import space_of
from exp.sweeps.search_study import Study, Trial

FIXED = (
    "dataset=spirals", "optimizer=adam", "split.validation=0.2", "figures=none",
    "trainer.print_every=null",
)  # fmt: skip
SPACE = (
    "optimizer.lr=tag(log,interval(0.001,0.3))", "optimizer.weight_decay=interval(0,0.01)",
    "model.hidden=[8,8],[16,16]",
)  # fmt: skip
METRIC = "validation/accuracy"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--trials", type=int, default=64)
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    print(f"load before: {os.getloadavg()[0]:.2f}")
    stacked = searched(args.folder / "stacked", args.trials)
    print(f"load between: {os.getloadavg()[0]:.2f}")
    apart = one_by_one(args.folder / "apart", args.trials, args.jobs)
    print(f"load after: {os.getloadavg()[0]:.2f}")
    print(f"as stacks {stacked:.1f} s, one process per trial ({args.jobs} at a time) {apart:.1f} s")
    print(f"1/{apart / stacked:.1f} of the wall time")
    told(args.folder)


def searched(place: Path, trials: int) -> float:
    """The search by `hydra/sweeper=optuna`; its seconds."""
    command = [
        sys.executable, "-m", "exp", "-m", "hydra/sweeper=optuna", *FIXED, *SPACE,
        "run.reuse=false", f"hydra.sweeper.n_trials={trials}", f"hydra.sweeper.metric={METRIC}",
        f"sweep.dir={place}",
    ]  # fmt: skip
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr
    print("\n".join(done.stdout.splitlines()[-3:]))
    return seconds


def one_by_one(place: Path, trials: int, jobs: int) -> float:
    """The same trials, each a process of its own; the seconds of all."""
    place.mkdir()
    begun = time.perf_counter()
    settings = SearchSettings(n_trials=trials, metric=METRIC)
    space = space_of(OverridesParser.create().parse_overrides([*FIXED, *SPACE]), grid=False)
    study = Study(place / "study.db", space, settings, METRIC)
    study.open()

    def train(trial: Trial) -> None:
        run = place / str(trial.number)
        words = [*space.words(trial.values), "run.reuse=false", f"hydra.run.dir={run}"]
        done = subprocess.run(
            [sys.executable, "-m", "exp", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 3), done.stderr
        trial.state, trial.directory = "FAIL", str(trial.number)
        if done.returncode == 0:
            summary = json.loads((run / "summary.json").read_text())
            trial.state, trial.score = "COMPLETE", summary["final"][METRIC]

    with ThreadPoolExecutor(jobs) as pool:
        while len(study.trials) < trials:
            left = trials - len(study.trials)
            batch = study.ask(min(settings.batch, left), len(study.trials) // settings.batch, [])
            list(pool.map(train, batch))
            for trial in batch:
                study.finish(trial)
    study.close()
    return time.perf_counter() - begun


def told(folder: Path) -> None:
    """Whether both searches were the same, and what they have found."""
    content = json.loads((folder / "stacked/sweep.json").read_text())
    same = 0
    for run in content["runs"]:
        left = folder / "stacked" / run["directory"] / "metrics.csv"
        right = folder / "apart" / str(run["number"]) / "metrics.csv"
        same += left.read_bytes() == right.read_bytes()
    print(f"metrics.csv the same in both: {same} of {len(content['runs'])} trials")
    best = content["search"]["best"]
    final = json.loads((folder / "stacked" / best["directory"] / "summary.json").read_text())[
        "final"
    ]
    print(
        f"best trial {best['number']}: {METRIC} {best['score']:.4f}, "
        f"test/accuracy {final['test/accuracy']:.4f}"
    )


if __name__ == "__main__":
    main()

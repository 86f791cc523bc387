"""`exp fit` on the 20 tables, with the rows of its peers.

    python benchmarks/tables_exp.py RESULTS [--tables a,b] [--seed 0] [--budget 120]

Each table is written as a csv file with a column `part` (train or test), fitted by the command
`exp fit`, and its test rows, without the target, are predicted by `exp predict` from the run
directory. Two minutes on two cores are 240 seconds of CPU time, as for the peers (tables_clock.py).
Files as those of tables_peers.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tables import CLASSES, NAMED, Table, write
from tables_scores import save, saved

NAME = "exp_fit"


class Clock(threading.Thread):
    """CPU seconds of the processes of a session, worker processes included, on Linux.

    Args:
        session: its number.
    """

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.session, self.used, self.ended = session, dict[str, float](), threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.2):
            self.look()

    def look(self) -> None:
        for place in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = place.read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            if int(fields[3]) == self.session:
                ticks = int(fields[11]) + int(fields[12])
                self.used[place.parent.name] = ticks / os.sysconf("SC_CLK_TCK")

    @property
    def seconds(self) -> float:
        return sum(self.used.values())


def timed(words: list[str]) -> tuple[str, dict[str, float]]:
    """What a command prints, and its seconds.

    Raises:
        SystemExit: it failed.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        words, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    clock = Clock(process.pid)
    clock.start()
    text, _ = process.communicate()
    clock.ended.set()
    if process.returncode:
        raise SystemExit(text)
    return text, {"wall_seconds": time.monotonic() - begun, "cpu_seconds": clock.seconds}


def fitted(table: Table, seed: int, budget: float, folder: Path) -> tuple[np.ndarray, dict]:
    """Predictions of the test rows, and how it went."""
    path = write(table, folder, seed)
    _, test = table.split(seed)
    rows = test.drop(columns=table.target)
    rows.to_csv(folder / "new.csv", index=False)
    run, exp = folder / "run", [sys.executable, "-m", "exp"]
    clocked = [sys.executable, str(Path(__file__).with_name("tables_clock.py"))]
    task = "classes" if table.task == CLASSES else "number"
    words = ["--target", table.target, "--budget", f"{budget:g}", "--output", str(run)]
    settings = ("split.column=part", f"dataset.task={task}")
    words += [part for each in settings for part in ("--config", each)]
    _, about = timed([*clocked, "fit", str(path), *words])
    answers = folder / "answers.csv"
    subprocess.run(
        [*exp, "predict", str(run), str(folder / "new.csv"), "--output", str(answers)], check=True
    )
    found = pd.read_csv(answers)
    if table.task != CLASSES:
        return found["predicted"].to_numpy(float), about | reported(run)
    train, _ = table.split(seed)
    columns = [f"probability:{name}" for name in np.unique(train[table.target])]
    shares = found[columns].to_numpy(float)
    return shares / shares.sum(axis=1, keepdims=True), about | reported(run)


def reported(run: Path) -> dict[str, Any]:
    """The test scores that the run itself reports."""
    summary = json.loads((run / "summary.json").read_text())
    final = summary["final"]
    reported = {k: v for k, v in final.items() if k.startswith("test/") and isinstance(v, float)}
    return {"reported": reported}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("--tables", default=",".join(NAMED))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=120.0)
    parser.add_argument("--name", default=NAME)
    given = parser.parse_args(arguments)
    for name in given.tables.split(","):
        if saved(given.results, name, given.seed, given.name):
            continue
        table = NAMED[name]
        with tempfile.TemporaryDirectory() as folder:
            predicted, about = fitted(table, given.seed, given.budget, Path(folder))
        found = save(given.results, table, given.seed, given.name, predicted, about)
        print(
            f"{given.name:<24} {name:<16} loss {found['loss']:.5g}  "
            f"cpu {about['cpu_seconds']:.0f} s  wall {about['wall_seconds']:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])

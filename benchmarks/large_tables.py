"""The memory of runs on large tables, as multiples of their rows in the engine, and their time.

    python benchmarks/large_tables.py [KIND ROWS COLUMNS]

Each table is of normal numbers and two classes, written as csv, Parquet or npz. A process trains
two epochs on a small table, so that everything is imported, then on the large one with
`split.standardize=true`; what counts is the peak of its resident memory above what it had before,
over 4 bytes for each number.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TABLES = [("csv", 1_000_000, 20), *((kind, 20_000, 1500) for kind in ("csv", "parquet", "npz"))]


def write(path: Path, rows: int, columns: int) -> None:
    import pandas as pd

    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    y = np.where(X[:, 0] + rng.normal(size=rows) > 0, "yes", "no")
    if path.suffix == ".npz":
        np.savez(path, X=X, y=y)
        return
    frame = pd.DataFrame(X, columns=[f"x{n}" for n in range(columns)]).assign(y=y)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, float_format="%.6g")
    else:
        frame.to_parquet(path)


def status(key: str) -> int:
    """A number of /proc/self/status, in bytes."""
    found = re.search(rf"{key}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def trained(path: Path) -> float:
    """Seconds of a run."""
    from exp.cli import main

    words = [f"dataset={path.suffix[1:]}", f"dataset.path={path}", "figures=none"]
    words += ["split.standardize=true", "trainer.epochs=2"]
    words += [] if path.suffix == ".npz" else ["dataset.target=y"]
    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        assert main.dispatch(words) == 0
    return time.perf_counter() - begun


def measured(kind: str, rows: int, columns: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        small, large = Path(f"small.{kind}"), Path(f"large.{kind}")
        command = [
            sys.executable,
            __file__,
            "write",
            str(large.absolute()),
            str(rows),
            str(columns),
        ]
        subprocess.run(command, check=True)
        write(small, 50, 3)
        trained(small)
        before = status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts again
        seconds = trained(large)
        ratio = (status("VmHWM") - before) / (4 * rows * columns)
        print(f"{kind:<8} {rows:>9,} x {columns:<5,} peak {ratio:4.2f} x the rows {seconds:6.1f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    elif len(sys.argv) == 4:
        measured(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        for table in TABLES:
            subprocess.run([sys.executable, __file__, *map(str, table)], check=True)

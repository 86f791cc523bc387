"""Seconds and MB of `exp report`, and seconds until its page can be used in Chromium.

    python benchmarks/report.py [RUNS ...]

The sweeps are those of `results.py`, of 1,000 and 10,000 runs unless said, and every run has the
1,000 epochs of metrics.csv and the 16 decision maps of a run that was really trained, the maps
moved by some points so that no two are the same. The page is opened from its file, offline; it can
be used once the last chart stands, the table long before. Best of three openings. Leaves with 1
where a limit is missed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np
from results import make

LIMITS = {1_000: (20.0, 10.0, 10.0), 10_000: (60.0, 25.0, float("inf"))}
"""Runs -> seconds of `exp report`, MB, seconds until the page can be used."""
REAL = ["optimizer=sgd,adam", "seed=range(0,8)", "figures.draw=[data]", "run.reuse=false"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def trained(folder: Path) -> list[Path]:
    """16 default runs, as stacks."""
    command = [sys.executable, "-m", "exp", "-m", *REAL, f"sweep.dir={folder}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return sorted(run.parent for run in folder.glob("*/run.json"))


def filled(place: Path, models: list[Path]) -> None:
    """Gives the runs of a synthetic sweep curves and maps."""
    rng = np.random.default_rng(0)
    for summary, model in zip(sorted(place.glob("*/summary.json")), cycle(models)):
        shutil.copy(model / "metrics.csv", summary.parent)
        with np.load(model / "frames.npz", allow_pickle=False) as stored:
            arrays = dict(stored)
        shift = rng.integers(-12, 13, size=2)
        arrays["probabilities"] = np.roll(arrays["probabilities"], shift, axis=(-2, -1))
        np.savez_compressed(summary.parent / "frames.npz", **arrays)


def opened(page: Path) -> tuple[float, float]:
    """Seconds until the table can be used, and until all of a page can."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready]", timeout=120_000)
        marks = "name => performance.getEntriesByName(name)[0].startTime / 1000"
        found = tab.evaluate(marks, "table"), tab.evaluate(marks, "ready")
        browser.close()
    return found


def main() -> int:
    late = False
    with tempfile.TemporaryDirectory() as folder:
        models = trained(Path(folder, "real"))
        print(f"{'runs':>7}{'exp report s':>14}{'MB':>7}{'table s':>10}{'usable s':>10}")
        for runs in [int(word) for word in sys.argv[1:]] or list(LIMITS):
            place = Path(folder, str(runs))
            make(place, runs)
            filled(place, models)
            begun = time.perf_counter()
            command = [sys.executable, "-m", "exp", "report", str(place)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds = time.perf_counter() - begun
            page = place / "report.html"
            table, usable = min((opened(page) for _ in range(3)), key=lambda pair: pair[1])
            size = page.stat().st_size / 1e6
            print(f"{runs:>7,}{seconds:>14.1f}{size:>7.1f}{table:>10.1f}{usable:>10.1f}")
            print(*(f"        {line}" for line in said.splitlines()[:-1]), sep="\n", flush=True)
            found = (seconds, size, usable)
            late |= any(a > b for a, b in zip(found, LIMITS.get(runs, found), strict=True))
    return int(late)


if __name__ == "__main__":
    sys.exit(main())

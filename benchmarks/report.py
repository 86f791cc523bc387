"""Seconds and MB of `exp report`, and seconds until its page can be used in Chromium.

    python benchmarks/report.py [RUNS ...]

RUNS: 1,000 and 10,000 unless said. The page is opened from its file, offline; it can be used once
the last chart stands, the table long before. Best of three openings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import synthetic

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
COUNTS = [int(word) for word in sys.argv[1:]] or [1_000, 10_000]


def opened(page: Path) -> tuple[float, float]:
    """Seconds until the table, and until all of a page can be used."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready]", timeout=120_000)
        found = tab.evaluate(
            "[performance.getEntriesByName('table')[0].startTime, performance.getEntriesByName"
            "('ready')[0].startTime]"
        )
        browser.close()
    return found[0] / 1000, found[1] / 1000


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    models = synthetic.real(folder)
    print(f"{'runs':>7}{'exp report s':>14}{'MB':>7}{'table s':>10}{'usable s':>10}")
    for runs in COUNTS:
        path = synthetic.sweep(folder, models, runs)
        begun = time.perf_counter()
        command = [sys.executable, "-m", "exp", "report", str(path)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds = time.perf_counter() - begun
        page = path / "report.html"
        table, usable = min((opened(page) for _ in range(3)), key=lambda pair: pair[1])
        size = page.stat().st_size / 1e6
        print(f"{runs:>7,}{seconds:>14.1f}{size:>7.1f}{table:>10.1f}{usable:>10.1f}")
        print(*(f"        {line}" for line in said.splitlines()[:-1]), sep="\n")
    if not os.environ.get("KEEP"):
        shutil.rmtree(folder)
    else:
        print(folder)


if __name__ == "__main__":
    main()

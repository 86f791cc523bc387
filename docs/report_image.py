"""The picture of docs/report.md: the page of a sweep in Chromium.

python docs/report_image.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "images" / "report.png"
SWEEP = ["dataset=spirals", "optimizer.lr=0.01,0.1", "seed=range(0,8)", "sweep.dir=spirals"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        for words in (["-m", *SWEEP], ["report", "spirals"]):
            subprocess.run([sys.executable, "-m", "exp", *words], cwd=folder, check=True)
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(Path(folder, "spirals", "report.html").as_uri())
        page.wait_for_selector("html[data-ready]", timeout=60_000)
        page.get_by_label("test/accuracy at least").fill("0.84")
        page.focus("#epoch-slider")
        for _ in range(6):
            page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(1000)
        first, last = page.locator("#runs-heading"), page.locator("#boundary figcaption")
        top = first.bounding_box()["y"] + page.evaluate("scrollY") - 12
        box = last.bounding_box()
        end = box["y"] + box["height"] + page.evaluate("scrollY") + 12
        clip = {"x": 0, "y": top, "width": 1280, "height": end - top}
        page.screenshot(path=PICTURE, full_page=True, clip=clip)
        browser.close()
    small = Image.open(PICTURE).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
    small.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()

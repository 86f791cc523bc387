"""Makes the image of docs/play.md: the page of `exp play`, while a network learns two spirals.

    python docs/play_images.py

Needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import chromium, opened  # noqa: E402 - the tests' browser

WORDS = ("dataset=playground_spiral", "features=playground", "optimizer=adam", "activation=tanh")
EPOCHS, COLOURS = 400, 256


def main() -> None:
    """Opens the page, trains, and takes a picture."""
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "play.html"
        command = [sys.executable, "-m", "exp", "play", *WORDS, "--output", str(page)]
        subprocess.run(command, check=True)
        size = {"width": 1280, "height": 1000}
        with chromium() as browser, opened(browser, page, viewport=size) as tab:
            tab.page.evaluate(f"playing.loop.stop = {EPOCHS}; playing.loop.rate = 1e6")
            tab.page.click("#play")
            tab.until(f"playing.session.trainer.epoch === {EPOCHS} && !playing.loop.running")
            tab.page.get_by_role(
                "button", name="Hidden layer 2, unit 1"
            ).scroll_into_view_if_needed()
            tab.page.wait_for_timeout(300)
            tab.page.screenshot(path=str(Path(name) / "play.png"))
        picture = Image.open(Path(name) / "play.png").convert("RGB")
        picture.quantize(COLOURS).save(ROOT / "docs/images/play.png", optimize=True)


if __name__ == "__main__":
    main()

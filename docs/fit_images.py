"""Makes the images of docs/fit.md: the penguins of palmerpenguins and what matters of them.

python docs/fit_images.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parent / "images"
THEMES = {"columns": "light", "importance": "dark"}
DPI, COLOURS = 66, 256


def main() -> None:
    """Fits the table once for each theme and writes both images."""
    spec = find_spec("palmerpenguins")
    assert spec is not None
    assert spec.origin is not None
    rows = (Path(spec.origin).parent / "data/penguins.csv").read_bytes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "penguins.csv").write_bytes(rows)
        for figure, theme in THEMES.items():
            words = ["fit", "penguins.csv", "--target", "species", "--budget", "30s"]
            words += ["--output", theme, "--config", f"figures.theme={theme}"]
            words += ["--config", f"figures.dpi={DPI}"]
            subprocess.run([sys.executable, "-m", "exp", *words], cwd=folder, check=True)
            image = Image.open(folder / theme / "figures" / f"{figure}.png")
            image.quantize(COLOURS).save(IMAGES / f"fit-{figure}.png", optimize=True)


if __name__ == "__main__":
    main()

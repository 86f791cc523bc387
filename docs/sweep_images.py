"""Makes the images of docs/sweeps.md, docs/seeds.md and docs/figures.md that show more than a run.

    python docs/sweep_images.py

Each is a picture of real runs, drawn smaller and with 256 colours; the pages say by which command.
"""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"
DPI, COLOURS = 66, 256

MOONS = "-m optimizer=sgd,adam optimizer.lr=0.001,0.01,0.1,1 'seed=range(0,8)'"
SEEDS = "-m experiment=blog_moons 'seeds.init=range(0,100)'"
SWEEPS = {
    MOONS: {
        "sweep-contact_sheet": "light",
        "sweep-curves": "dark",
        "sweep-parameters": "light",
        "sweep-heat_map": "dark",
        "sweep-ensemble": "light",
    },
    SEEDS: {"seeds-contact_sheet": "light", "seeds-curves": "light", "seeds-ensemble": "dark"},
}
"""Command line of a sweep -> images of it, and their themes."""
RUNS = {
    "experiment=blog_moons seeds.init=42": "seeds-units-passes",
    "experiment=blog_moons seeds.init=199425794": "seeds-units-stuck",
}
"""Command line of a run -> image of its hidden units."""
QUIET = ("run.reuse=false", f"figures.dpi={DPI}")


def main() -> None:
    """Does all runs and writes all images."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (command, images) in enumerate(SWEEPS.items()):
            place = folder / f"sweep{number}"
            exp(command, "figures.draw=[data]", f"sweep.dir={place}", *QUIET)
            for image, theme in images.items():
                write(image, picture(place, image.partition("-")[2], theme))
        for command, image in RUNS.items():
            place = folder / image
            exp(command, "figures.draw=[hidden_units]", f"hydra.run.dir={place}", *QUIET)
            write(image, place / "figures" / "hidden_units.png")
        exp("list activations", "--plot", str(folder / "activations.png"))
        write("activations", folder / "activations.png")


def exp(command: str, *more: str) -> None:
    words = [*shlex.split(command), *more]
    subprocess.run([sys.executable, "-m", "exp", *words], check=True, capture_output=True)


def picture(sweep: Path, name: str, theme: str) -> Path:
    """A picture of a sweep, drawn in a theme of its own."""
    from exp.report.sweep_figures import draw
    from exp.runs.collection import gather

    drawn = draw(gather([sweep]), sweep / theme, theme=theme, dpi=DPI)
    return next(path for path in drawn if path.stem == name)


def write(name: str, path: Path) -> None:
    from PIL import Image

    target = io.BytesIO()
    with Image.open(path) as image:
        # Without means (kmeans), few pixels of a colour lose it, such as half a colour bar.
        rgb = image.convert("RGB")
        small = rgb.quantize(COLOURS, kmeans=3, dither=Image.Dither.NONE)
        small.save(target, "PNG", optimize=True)
    (IMAGES / f"{name}.png").write_bytes(target.getvalue())
    print(f"{name}.png", flush=True)


if __name__ == "__main__":
    main()

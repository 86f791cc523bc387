"""Makes docs/gallery.md and its images anew: every data set, every figure.

    python docs/gallery.py

Each image is a figure of a real run, drawn smaller; the page says by which command.
tests/test_gallery.py compares the page with what this script would write.
"""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent
IMAGES = DOCS / "images" / "gallery"
DPI = 70
MANY_MAPS = ("hidden_units", "network", "boundary_strip")
"""Figures of so many maps that 256 colours make them much smaller, and look the same."""

PLANAR = ("model.hidden=[16,16]", "optimizer=adam", "optimizer.lr=0.02", "trainer.epochs=300")
WIDE = "model.hidden=[64,64]"
TABULAR = ("split.standardize=true", "optimizer=adam", "trainer.epochs=100")


@dataclass(frozen=True)
class Shown:
    """A figure of a run.

    Attributes:
        caption: what to look at.
        figure: its name.
        words: of the command line, without those that all have in common.
        theme: light or dark.
        suffix: of the file.
    """

    caption: str
    figure: str
    words: tuple[str, ...]
    theme: str = "light"
    suffix: str = "png"

    @property
    def name(self) -> str:
        dataset = self.words[0].partition("=")[2]
        extra = "-features" if any("figures.plane" in word for word in self.words) else ""
        return f"{dataset}-{self.figure}{extra}-{self.theme}.{self.suffix}"

    @property
    def command(self) -> list[str]:
        draw = ["figures.animation=true"] if self.suffix == "webp" else []
        draw += [] if draw else [f"figures.draw=[{self.figure}]"]
        theme = [] if self.theme == "light" else [f"figures.theme={self.theme}"]
        return ["python", "-m", "exp", *self.words, *draw, *theme]


def boundary(dataset: str, caption: str, theme: str, *more: str) -> Shown:
    recipe = TABULAR if dataset in ("iris", "wine", "breast_cancer", "digits") else PLANAR
    return Shown(caption, "boundary", (f"dataset={dataset}", *recipe, *more), theme)


MOONS = ("dataset=moons",)
IRIS = ("dataset=iris", *TABULAR)
DIGITS = ("dataset=digits", *TABULAR)
SPIRALS = ("dataset=spirals", *PLANAR)

SECTIONS: dict[str, tuple[Shown, ...]] = {
    "Data sets of two features": (
        boundary("moons", "moons: two half circles", "light"),
        boundary("circles", "circles: one inside the other", "dark"),
        boundary("xor", "xor: opposite quadrants", "light"),
        boundary("gaussians", "gaussians: two clouds that a line can separate", "dark"),
        boundary("spirals", "spirals: three arms", "light"),
        boundary("two_spirals", "two spirals: hard for a small network", "dark", WIDE),
        boundary("checkerboard", "checkerboard: many corners", "light", WIDE),
        boundary("blobs", "blobs: one cloud for each class", "dark"),
        boundary("playground_circle", "the Playground's circle: a disc in a ring", "light"),
        boundary(
            "playground_spiral", "the Playground's spiral, with the Playground's features", "dark",
            "features=playground",
        ),
    ),
    "Data sets of more features": (
        boundary("iris", "iris in its principal plane: four features, three classes", "light"),
        boundary(
            "iris", "iris by two of its features, in centimetres", "dark",
            "figures.plane=[petal length,petal width]",
        ),
        boundary("wine", "wine: 13 features", "dark"),
        boundary("breast_cancer", "breast cancer: 30 features", "light"),
        boundary("digits", "digits: 64 features, ten classes", "light"),
    ),
    "Training over time": (
        Shown("The boundary of the default run over time", "boundary_strip", MOONS),
        Shown("Three spirals", "boundary_strip", SPIRALS, "dark"),
        Shown("Three spirals as an animation", "boundary", SPIRALS, "light", "webp"),
        Shown("Loss and accuracy of the default run", "learning_curves", MOONS),
        Shown(
            "A learning rate that varies, and the best epoch by the validation loss",
            "learning_curves",
            ("dataset=spirals", *PLANAR, "scheduler=cosine", "split.validation=0.2"),
            "dark",
        ),
        Shown("Norms of weights and gradients by layer", "norms", SPIRALS),
    ),
    "Rows, units and scores": (
        Shown("The rows: train filled, test hollow", "data", IRIS, "dark"),
        Shown("The default run's hidden units", "hidden_units", MOONS),
        Shown(
            "With tanh, units can also be negative (blue)", "hidden_units",
            ("dataset=circles", "activation=tanh", *PLANAR, "model.hidden=[8,8]"), "dark",
        ),
        Shown("The default run's network: its units, and its weights as lines", "network", MOONS),
        Shown("The network of the three spirals", "network", SPIRALS, "dark"),
        Shown("Predicted digits against true digits", "confusion_matrix", DIGITS),
        Shown("Predicted tumours against true tumours", "confusion_matrix",
              ("dataset=breast_cancer", *TABULAR), "dark"),
        Shown("ROC of two classes that overlap", "roc",
              ("dataset=moons", "dataset.noise=0.35", *PLANAR)),
        Shown("ROC of ten classes", "roc", DIGITS, "dark"),
        Shown("Precision over recall", "precision_recall",
              ("dataset=moons", "dataset.noise=0.35", *PLANAR), "dark"),
        Shown("A model that is too sure of itself", "calibration",
              ("dataset=moons", "dataset.noise=0.35", *PLANAR)),
        Shown("Calibration of ten classes", "calibration", DIGITS, "dark"),
    ),
    "A target that is a number": (
        Shown("A straight line with noise; the last rows are test rows", "fit",
              ("dataset=line", "dataset.noise=0.05", "split=last", "activation=identity")),
        Shown("The Playground's plane", "fit", ("dataset=plane", "activation=tanh"), "dark"),
        Shown("The Playground's bumps", "fit",
              ("dataset=bumps", "activation=tanh", *PLANAR, WIDE, "trainer.epochs=1000")),
        Shown("The rows of the bumps without the model", "data", ("dataset=bumps",), "dark"),
    ),
}  # fmt: skip


def every() -> list[Shown]:
    return [shown for section in SECTIONS.values() for shown in section]


def page() -> str:
    """The text of docs/gallery.md."""
    lines = [
        "# Gallery",
        "",
        "This page shows every data set and every figure, in the light and the dark theme.",
        "`python docs/gallery.py` generates it. The images are smaller than those of a run.",
        "[figures.md](figures.md) explains each figure.",
    ]
    for title, section in SECTIONS.items():
        lines += ["", f"## {title}"]
        for shown in section:
            image = (IMAGES / shown.name).relative_to(DOCS).as_posix()
            lines += [
                "",
                f"**{shown.caption}**",
                "",
                "```console",
                f"$ {shlex.join(shown.command)}",
            ]
            lines += ["```", "", f"![{shown.caption}]({image})"]
    return "\n".join(lines) + "\n"


def draw(shown: Shown, folder: Path) -> bytes:
    """Does the run and gives the small image."""
    from PIL import Image

    quiet = ("run.reuse=false", "trainer.print_every=null", f"figures.dpi={DPI}")
    where = ("hydra.run.dir=run", *quiet)
    subprocess.run(
        [sys.executable, *shown.command[1:], *where], cwd=folder, check=True, capture_output=True
    )
    path = folder / "run" / "figures" / f"{shown.figure}.{shown.suffix}"
    if shown.suffix == "webp":
        return path.read_bytes()
    target = io.BytesIO()
    with Image.open(path) as opened:
        # Slower and smaller than a run's own.
        image = opened.convert("RGB")
        if shown.figure in MANY_MAPS:
            image = image.quantize(256, kmeans=3, dither=Image.Dither.NONE)
        image.save(target, "PNG", optimize=True)
    return target.getvalue()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for old in IMAGES.iterdir():
        old.unlink()
    for shown in every():
        with tempfile.TemporaryDirectory() as folder:
            (IMAGES / shown.name).write_bytes(draw(shown, Path(folder)))
        print(shown.name, flush=True)
    (DOCS / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

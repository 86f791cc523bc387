"""Makes the images of docs/course/ anew, each by the command of its section.

    python docs/course_images.py

An image is named after a figure: images/course/4-learning_curves.png is the figure learning_curves
of what the first command under the heading above it has made, drawn smaller and with 256 colours;
5-boundary.webp is the animation of its decision boundary.
6-tanh.png is drawn here.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from sweep_images import DPI, QUIET, exp, picture, write

from exp.components.activations import TanhFromExp
from exp.plotting import layout, points
from exp.plotting.style import settings

TANH = "6-tanh"
PAGES = ("index.md", "lessons.md")
FOLDER = "images/course"


def images(page: str) -> Iterator[tuple[str, str]]:
    """Each image of a page: its name, and the words of the command that it is a picture of."""
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        command = re.search(r"^\$ python -m exp(.*)$", section, re.M)
        for name in re.findall(rf"\]\(\.\./{FOLDER}/(.*\.(?:png|webp))\)", section):
            assert command is not None, name
            if name != TANH:
                yield name, command[1].strip()


def main() -> None:
    """Does all runs and writes all images."""
    for page in PAGES:
        text = (Path(__file__).parent / "course" / page).read_text(encoding="utf-8")
        for name, command in images(text):
            with tempfile.TemporaryDirectory() as folder:
                stem, _, suffix = name.rpartition(".")
                figure, place = stem.partition("-")[2], Path(folder) / "d"
                if suffix == "webp":
                    content = animated(command, place).read_bytes()
                    (Path(__file__).parent / FOLDER / name).write_bytes(content)
                else:
                    write(f"course/{stem}", drawn(command, figure, place))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tanh.png"
        file.write_bytes(tanh_figure())
        write(f"course/{TANH}", file)


def animated(command: str, place: Path) -> Path:
    """The animation of a run."""
    words = re.sub(r"figures\.draw=\S+|'figures\.draw=[^']*'", "", command)
    more = ("figures.draw=[data]", "figures.animation=true")
    exp(words, *more, f"hydra.run.dir={place}", *QUIET)
    return place / "figures" / "boundary.webp"


def drawn(command: str, figure: str, place: Path) -> Path:
    """A figure of a run or of a sweep."""
    if command.startswith("show"):
        exp(command, "--output", f"{place}.png")
        return Path(f"{place}.png")
    words = re.sub(r"sweep\.dir=\S+|figures\.draw=\S+|'figures\.draw=[^']*'", "", command)
    if "-m" in shlex.split(words):
        exp(words, "figures.draw=[data]", f"sweep.dir={place}", *QUIET)
        return picture(place, figure, "light")
    exp(words, f"figures.draw=[{figure}]", f"hydra.run.dir={place}", *QUIET)
    return place / "figures" / f"{figure}.png"


def tanh_figure() -> bytes:
    """tanh of PyTorch and tanh from exponentials, and the textbook formula where it overflows."""
    x = torch.linspace(-4, 4, 801, requires_grad=True)
    far = torch.linspace(-100, 100, 2001)
    (slope,) = torch.autograd.grad(torch.tanh(x).sum(), x)
    (ours,) = torch.autograd.grad(TanhFromExp()(x).sum(), x)
    textbook = (far.exp() - (-far).exp()) / (far.exp() + (-far).exp())
    with settings("light") as theme:
        figure = layout.figure()
        ((left, right),) = layout.panels(figure, [4.1, 4.1], [2.6], gap=(0.6, 0.5))
        at = x.detach()
        wide: dict[str, Any] = {"linewidth": 5, "alpha": 0.35}
        thin: dict[str, Any] = {"linewidth": 1.4, "linestyle": (0, (4, 2))}
        left.plot(at, torch.tanh(at), color=theme.test, **wide)
        left.plot(at, TanhFromExp()(at), color=theme.ink, **thin)
        left.plot(at, slope, color=theme.validation, **wide)
        left.plot(at, ours.detach(), color=theme.muted, **thin)
        layout.title(left, "near 0", "the two coincide, derivatives too")
        right.plot(far, TanhFromExp()(far), color=theme.ink, **thin)
        right.plot(far, textbook, color=theme.wrong, linewidth=2.2)
        for end in (-100.0, 100.0):
            edge = float(far[torch.isfinite(textbook)].max()) * (1 if end > 0 else -1)
            right.axvspan(edge, end, color=theme.wrong, alpha=0.15, linewidth=0)
        layout.title(right, "far from 0", "in float32")
        for axes in (left, right):
            axes.grid(True)
            axes.set_xlabel("x")
        entries = [
            points.handle("torch.tanh", color=theme.test, **wide),
            points.handle("tanh from exponentials", color=theme.ink, **thin),
            points.handle("derivative of torch.tanh", color=theme.validation, **wide),
            points.handle("derivative, from exponentials", color=theme.muted, **thin),
            points.handle("textbook formula", color=theme.wrong, linewidth=2.2),
            points.handle("there it is NaN", color=theme.wrong, alpha=0.15, linewidth=8),
        ]
        layout.legend(right, entries)
        layout.heading(figure, "tanh")
        return layout.encode(figure, "png", dpi=DPI + 20)


if __name__ == "__main__":
    main()

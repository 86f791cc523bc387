"""Makes the images of docs/course/ anew, each by the command of its section.

    python docs/course_images.py

An image is named after a figure: images/course/4-learning_curves.png is the figure learning_curves
of what the first command under the heading above it has made, drawn smaller and with 256 colours.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sweep_images import QUIET, exp, picture, write

PAGES = ("index.md", "lessons.md")
FOLDER = "images/course"


def images(page: str) -> Iterator[tuple[str, str]]:
    """Each image of a page: its name, and the words of the command that it is a picture of."""
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        command = re.search(r"^\$ python -m exp(.*)$", section, re.M)
        for name in re.findall(rf"\]\(\.\./{FOLDER}/(.*)\.png\)", section):
            assert command is not None, name
            yield name, command[1].strip()


def main() -> None:
    """Does all runs and writes all images."""
    for page in PAGES:
        text = (Path(__file__).parent / "course" / page).read_text(encoding="utf-8")
        for name, command in images(text):
            with tempfile.TemporaryDirectory() as folder:
                write(f"course/{name}", drawn(command, name.partition("-")[2], Path(folder) / "d"))


def drawn(command: str, figure: str, place: Path) -> Path:
    """A figure of a run or of a sweep."""
    words = re.sub(r"sweep\.dir=\S+|figures\.draw=\S+|'figures\.draw=[^']*'", "", command)
    if "-m" in shlex.split(words):
        exp(words, "figures.draw=[data]", f"sweep.dir={place}", *QUIET)
        return picture(place, figure, "light")
    exp(words, f"figures.draw=[{figure}]", f"hydra.run.dir={place}", *QUIET)
    return place / "figures" / f"{figure}.png"


if __name__ == "__main__":
    main()

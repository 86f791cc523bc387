"""Presets: what `experiment=NAME` can name, and what their files say of themselves."""

from __future__ import annotations

import textwrap
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from exp.registry import entry_points
from exp.util.errors import DataError
from exp.util.untrusted import read

GROUP = "experiment"
WIDTH = 100
"""Characters of a line that is printed."""


def presets() -> dict[str, Traversable]:
    """Name -> file: packaged ones, those of installed packages, and the user's own, which win."""
    found: dict[str, Traversable] = {}
    packaged = files("exp.conf") / GROUP
    found |= {each.name: each for each in packaged.iterdir()}
    folders = [place for entry in entry_points.found() if (place := entry.folder()) is not None]
    for folder in (*folders, Path("conf")):
        found |= {path.name: path for path in (folder / GROUP).glob("*.yaml")}
    wanted = sorted(name for name in found if name.endswith(".yaml"))
    return {name.removesuffix(".yaml"): found[name] for name in wanted}


def text(file: Traversable) -> str:
    """What a file holds.

    Raises:
        DataError: it cannot be read, or is larger than a config may be.
    """
    try:
        data = read(file) if isinstance(file, Path) else file.read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: {error}") from error
    return data.decode("utf-8", "replace")


def about(text: str) -> list[str]:
    """The paragraphs of the comment that a preset begins with. A line that is indented goes on with
    the one before."""
    found: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words = line.lstrip("#")
        if words.startswith("  ") and found:
            found[-1] += f" {words.strip()}"
        elif words.strip() and not words.lstrip().startswith("@"):  # which is for Hydra
            found.append(words.strip())
    return found


def outline() -> str:
    """Each preset with all that it says of itself."""
    lines = []
    for name, file in presets().items():
        first, *rest = about(text(file)) or [""]
        lines += wrapped(f"{name:<24} {first}", 25)
        lines += [line for each in rest for line in wrapped(" " * 25 + each, 25)]
    return "\n".join(lines)


def wrapped(text: str, indent: int) -> list[str]:
    """Lines of a terminal's width, all but the first indented."""
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )

"""Presets: what `experiment=NAME` can name, and what their files say of themselves."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from exp.registry import entry_points
from exp.util.errors import DataError
from exp.util.untrusted import read

GROUP = "experiment"


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


def summary(text: str) -> str:
    """The first sentence of the comment that a preset begins with, or nothing."""
    comment = []
    for line in text.splitlines():
        words = line.lstrip("# ")
        if not line.startswith("#"):
            break
        if not words.startswith("@"):  # which is for Hydra
            comment.append(words)
    sentence, stop, _ = " ".join(comment).partition(". ")
    return sentence + "." if stop else sentence


def outline() -> str:
    """A line for each."""
    return "\n".join(f"{name:<24} {summary(text(file))}" for name, file in presets().items())

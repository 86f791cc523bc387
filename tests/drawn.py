"""Pictures as files."""

from __future__ import annotations

from pathlib import Path

from exp.plotting import Picture
from exp.plotting.draw import drawings


def draw(given: Picture, folder: Path) -> list[Path]:
    """Every figure of a picture as a file."""
    folder.mkdir(exist_ok=True)
    paths = []
    for name, content in drawings(given):
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    return paths

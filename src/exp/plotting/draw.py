"""From a picture to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from exp.plotting import (
    boundary,
    calibration,
    confusion,
    curves,
    data,
    film,
    fit,
    norms,
    thresholds,
    units,
)
from exp.plotting.paper import Paper
from exp.plotting.picture import Picture
from exp.plotting.png import png
from exp.plotting.sheet import Sheet
from exp.plotting.style import settings
from exp.util.files import write_whole

_SHEETS: dict[str, Callable[[Picture], Sheet]] = {
    "fit": fit.sheet,
    "data": data.sheet,
    "boundary": boundary.sheet,
    "boundary_strip": film.strip,
    "learning_curves": curves.sheet,
    "confusion_matrix": confusion.sheet,
    "roc": thresholds.roc_sheet,
    "precision_recall": thresholds.precision_recall_sheet,
    "calibration": calibration.sheet,
    "hidden_units": units.sheet,
    "norms": norms.sheet,
}


def draw(picture: Picture, folder: Path) -> list[Path]:
    """Draw every named figure in every format into files.

    Args:
        folder: made if missing, its parent must exist; each file in it is written whole.

    Returns:
        The paths, in the order of `drawings`.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(exist_ok=True)
    paths = []
    for name, content in drawings(picture):
        write_whole(folder / name, content)
        paths.append(folder / name)
    return paths


def drawings(picture: Picture) -> Iterator[tuple[str, bytes]]:
    """Name (`<figure>.<format>`) and content of every figure in every format, in the order of
    `picture.names`, the animation last; the same picture gives the same bytes."""
    with settings():
        for name in picture.names:
            sheet = _SHEETS[name](picture)
            for suffix in picture.format:
                yield f"{name}.{suffix}", encoded(sheet, suffix)
        if picture.animation and picture.frames is not None and len(picture.frames):
            yield "boundary.webp", film.animation(picture)


def encoded(sheet: Paper, suffix: str) -> bytes:
    """A sheet as a file of a format, of `FORMATS`."""
    if suffix == "png":
        return png(sheet)
    from exp.plotting.vector import vector  # most never need matplotlib's figures and axes

    return vector(sheet, suffix)

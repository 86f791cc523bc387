"""From a picture to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exp.figures import (
    boundary,
    calibration,
    confusion,
    curves,
    data,
    film,
    norms,
    thresholds,
    units,
)
from exp.figures.picture import Picture
from exp.figures.png import png
from exp.figures.sheet import Sheet
from exp.figures.style import settings
from exp.files import write_whole

_SHEETS: dict[str, Callable[[Picture], Sheet]] = {
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
    """Draw every named figure in every format; the same picture gives the same bytes.

    Args:
        folder: made if missing, its parent must exist; each file in it is written whole.

    Returns:
        The paths, `<name>.<format>`, in the order of `picture.names`; the animation's last.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(exist_ok=True)
    paths = []
    with settings():
        for name in picture.names:
            sheet = _SHEETS[name](picture)
            for suffix in picture.format:
                path = folder / f"{name}.{suffix}"
                write_whole(path, _encoded(sheet, suffix))
                paths.append(path)
        if picture.animation and picture.frames is not None and len(picture.frames):
            path = folder / "boundary.webp"
            write_whole(path, film.animation(picture))
            paths.append(path)
    return paths


def _encoded(sheet: Sheet, suffix: str) -> bytes:
    if suffix == "png":
        return png(sheet)
    from exp.figures.vector import vector  # most never need matplotlib's figures and axes

    return vector(sheet, suffix)

"""From a picture to files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from exp.figures import boundary, confusion, curves
from exp.figures import data as data_figure
from exp.figures.picture import Picture
from exp.figures.style import settings
from exp.files import write_whole

_FIGURES: dict[str, Callable[[Picture], Figure]] = {
    "data": data_figure.figure,
    "boundary": boundary.figure,
    "learning_curves": curves.figure,
    "confusion_matrix": confusion.figure,
}
# What would make the same picture differ from one minute to the next.
_METADATA = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def draw(picture: Picture, folder: Path) -> list[Path]:
    """Draw every named figure in every format; the same picture gives the same bytes.

    Args:
        folder: made if missing, its parent must exist; each file in it is written whole.

    Returns:
        The paths, `<name>.<format>`, in the order of `picture.names`.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(exist_ok=True)
    paths = []
    with settings():
        for name in picture.names:
            for suffix in picture.format:
                # Made anew for each format: drawing leaves traces in a figure.
                data = _encoded(_FIGURES[name](picture), suffix, picture.dpi)
                path = folder / f"{name}.{suffix}"
                write_whole(path, data)
                paths.append(path)
    return paths


def _encoded(figure: Figure, suffix: str, dpi: int) -> bytes:
    if suffix == "png":
        return _png(figure, dpi)
    target = io.BytesIO()
    figure.savefig(target, format=suffix, dpi=dpi, metadata=_METADATA[suffix])
    return target.getvalue()


def _png(figure: Figure, dpi: int) -> bytes:
    """The figure as a PNG without a word on when and by what it was made.

    Pillow's encoder tries every filter on every line; on flat areas none of them helps, and zlib
    alone is three times as fast and the file smaller.
    """
    canvas: Any = figure.canvas  # a FigureCanvasAgg, whose methods carry no types
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    height, width = pixels.shape[:2]
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each starts with "no filter"
    for channel in range(3):  # the page is opaque: no need for the fourth
        lines[:, 1 + channel :: 3] = pixels[..., channel]
    per_metre = round(dpi / 0.0254)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"IDAT", zlib.compress(lines.tobytes(), 3)),
        (b"IEND", b""),
    )
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        checksum = zlib.crc32(kind + body)
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)]
    return b"".join(parts)

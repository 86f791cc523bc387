"""A sheet as the bytes of a PNG."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from numpy.typing import NDArray

from exp.plotting.marks import rgba
from exp.plotting.paper import Paper


def png(sheet: Paper) -> bytes:
    """The sheet without a word on when and by what it was made.

    Pillow's encoder tries every filter on every line; on flat areas none of them helps, and zlib
    alone is three times as fast and the file smaller.
    """
    pixels, lines = _painted(sheet)
    height, width = pixels.shape[:2]
    for channel in range(3):  # the page is opaque: no need for the fourth
        lines[:, 1 + channel :: 3] = pixels[..., channel]
    # A table of hashes that stays in the processor's cache is faster, and packs no worse.
    packer = zlib.compressobj(3, memLevel=7)
    per_metre = round(sheet.dpi / 0.0254)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"IDAT", packer.compress(lines.data) + packer.flush()),
        (b"IEND", b""),
    )
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        checksum = zlib.crc32(body, zlib.crc32(kind))
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)]
    return b"".join(parts)


def pixels(sheet: Paper) -> NDArray[np.uint8]:
    """The sheet as RGB `[height, width, 3]`."""
    return np.array(_painted(sheet)[0][..., :3])


def _painted(sheet: Paper) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """RGBA `[height, width, 4]` and room for its lines; both until another sheet is painted."""
    width, height = round(sheet.width * sheet.dpi), round(sheet.height * sheet.dpi)
    canvas, lines = _paper(width, height, sheet.dpi)
    pixels = np.asarray(canvas.buffer_rgba())
    page = np.array(rgba(sheet.theme.page)) * 255.0 + 0.5
    pixels.view(np.uint32)[...] = page.astype(np.uint8).view(np.uint32)
    sheet.paint(canvas, sheet.dpi)
    return pixels, lines


@lru_cache(8)
def _paper(width: int, height: int, dpi: int) -> tuple[Any, NDArray[np.uint8]]:
    """A `RendererAgg`, and room for its lines as a PNG holds them; each starts with "no filter".

    Both are used again for every sheet of this size: new memory has to be cleared by the system,
    which takes as long as to fill it.
    """
    untyped: Any = RendererAgg
    return untyped(width, height, dpi), np.zeros((height, 1 + 3 * width), dtype=np.uint8)

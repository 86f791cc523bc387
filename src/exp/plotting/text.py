"""Text of unknown origin, made safe to draw."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font, LoadFlags
from numpy.typing import NDArray

# matplotlib ships it, so the same text has the same pixels on every machine.
FAMILY = "DejaVu Sans"
HEADING, SUBHEADING, TITLE, NORMAL, SMALL = 12.5, 10.0, 10.0, 8.5, 8.0  # points
_LONGEST = 400
_MISSING = "\N{WHITE SQUARE}"


@cache
def _font(bold: bool) -> FT2Font:
    weight = "bold" if bold else "normal"
    return get_font(findfont(FontProperties(family=FAMILY, weight=weight)))


@cache
def _drawable() -> frozenset[int]:
    return frozenset(_font(False).get_charmap())


def plain(text: str) -> str:
    """`text` on one line, of characters that the font has; others become a square."""
    text = " ".join(str(text)[:_LONGEST].split())
    if text.isascii() and text.isprintable():
        return text or "(empty)"
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        # More than two marks on a letter would reach into the lines above.
        marks = marks + 1 if category.startswith("M") else 0
        if category == "Cf" or marks > 2:  # Cf: marks of direction and the like, nothing to see
            continue
        known = ord(character) in _drawable() and not category.startswith("C")
        kept.append(character if known else _MISSING)
    return "".join(kept) or "(empty)"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide `text` is drawn, in points, at a font size in points."""
    return float(written(text, size, 72.0, bold).coverage.shape[1])


@dataclass(frozen=True, eq=False)
class Written:
    """A line of text as pixels.

    Attributes:
        coverage: `[height, width]` uint8, how much of each pixel is ink; from the first column
            with ink to the last.
        descent: how many pixels it reaches below the baseline.
    """

    coverage: NDArray[np.uint8]
    descent: float


@lru_cache(2048)
def written(text: str, size: float, dpi: float, bold: bool) -> Written:
    """`text` in a size in points; the same lines stand on several figures, so it is cached."""
    font = _font(bold)
    font.clear()
    font.set_size(size, dpi)
    # Hinted vertically only: crisp and evenly spaced.
    font.set_text(text, 0.0, flags=LoadFlags.TARGET_LIGHT)
    font.draw_glyphs_to_bitmap(antialiased=True)
    image = np.array(font.get_image(), dtype=np.uint8)
    ink = np.flatnonzero(image.any(axis=0))
    if not len(ink):  # such as the Braille pattern without dots
        return Written(coverage=np.zeros((1, 1), dtype=np.uint8), descent=0.0)
    # FreeType leaves a row below the lowest ink.
    return Written(coverage=image[:, : ink[-1] + 1], descent=font.get_descent() / 64 + 1.0)


@lru_cache(4096)
def shortened(text: str, size: float, limit: float, *, bold: bool = False) -> str:
    """`text` made plain and, beyond `limit` points, shortened in its middle.

    Names that go together often begin alike and differ at their ends.
    """
    text = plain(text)
    # What is short even if all its characters are the font's widest is not measured.
    widest = 1.11 if text.isascii() else 2.02
    if len(text) * size * widest <= limit or width(text, size, bold=bold) <= limit:
        return text

    def kept(count: int) -> str:
        tail = count // 3
        return text[: count - tail].rstrip() + "…" + text[len(text) - tail :].lstrip()

    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if width(kept(middle), size, bold=bold) <= limit:
            low = middle
        else:
            high = middle - 1
    return kept(low)

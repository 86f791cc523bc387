"""The colours of figures, of pages and of notebooks: classes, and what is not data. No matplotlib:
a notebook shows its first picture without waiting for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]

# Petroff's sequences (arXiv:2107.02270), as matplotlib has them; not every version has both.
_SIX = ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#7a21dd")
_TEN = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)


@dataclass(frozen=True)
class Theme:
    """The colours that are not data.

    Attributes:
        page: the background, which also means "undecided" in a map and "none" in a matrix.
        ink, muted, faint: text; lesser text; frames and grid lines.
        tint: how much of a class's colour a map shows where the model is certain.
        lift: how much white is mixed into the palette, so that it stands out from the page.
        train, validation, test: the lines of the learning curves.
        right, wrong: the two hues of the confusion matrix.
    """

    page: str
    ink: str
    muted: str
    faint: str
    tint: float
    lift: float
    train: str
    validation: str
    test: str
    right: str
    wrong: str


THEMES = {
    "light": Theme(
        page="#ffffff",
        ink="#1d2530",
        muted="#66717f",
        faint="#dbe0e6",
        tint=0.42,
        lift=0.0,
        train="#8d99a8",
        validation="#e08a1e",
        test="#2f66c9",
        right="#2f66c9",
        wrong="#d9542b",
    ),
    "dark": Theme(
        page="#14181f",
        ink="#e8ebf0",
        muted="#98a3b1",
        faint="#333b47",
        tint=0.46,
        lift=0.18,
        train="#8391a3",
        validation="#f0a646",
        test="#6ea0ff",
        right="#4f86ea",
        wrong="#e8683f",
    ),
}


@lru_cache(64)
def palette(count: int, theme: Theme) -> NDArray[np.float64]:
    """`[count, 3]` RGB, one colour per class.

    Up to 6 and up to 10 classes these are Petroff's sequences, made to be distinguished with any
    colour vision. Beyond that no such sequence exists: hues a golden angle apart in
    three alternating lightnesses keep neighbours distinct for any count, and the marker shapes
    carry what colour alone cannot.
    """
    if count <= 10:
        base = np.array([rgb(colour) for colour in (_SIX if count <= 6 else _TEN)[:count]])
    else:
        index = np.arange(count)
        base = _oklch(
            lightness=np.array([0.58, 0.74, 0.66])[index % 3],
            chroma=0.13,
            hue=np.deg2rad(255.0 + index * 137.50776),
        )
    mixed: NDArray[np.float64] = base + (1.0 - base) * theme.lift
    mixed.flags.writeable = False  # all callers share it
    return mixed


def colours(
    strength: NDArray[np.floating], label: NDArray[np.integer], count: int, theme: Theme
) -> NDArray[np.float32]:
    """The map's RGB `[..., 3]`: the page's colour at strength 0, a tint of the class's at 1."""
    page = np.array(rgb(theme.page))
    tints = ((palette(count, theme) - page) * theme.tint).astype(np.float32)
    mixed: NDArray[np.float32] = tints[label] * strength[..., None].astype(np.float32)
    mixed += page.astype(np.float32)
    return mixed


def rgb(colour: str) -> Colour:
    """The parts of `#rrggbb`, 0..1."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _oklch(
    *, lightness: NDArray[np.float64], chroma: float, hue: NDArray[np.float64]
) -> NDArray[np.float64]:
    """sRGB `[n, 3]` of OKLCH colours (https://bottosson.github.io/posts/oklab)."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    mix = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(np.column_stack([long, medium, short]) @ mix.T, 0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(srgb, dtype=np.float64)

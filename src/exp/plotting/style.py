"""How every figure looks: markers, text, matplotlib's settings, and the colours of `theme`."""

from __future__ import annotations

import textwrap
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties, findfont, get_font

from exp.plotting.theme import THEMES as THEMES
from exp.plotting.theme import Colour as Colour
from exp.plotting.theme import Theme as Theme
from exp.plotting.theme import palette as palette

# matplotlib ships this font, so the same text has the same pixels on every machine.
FAMILY = "DejaVu Sans"
HEADING, TITLE, NORMAL, SMALL = 12.5, 10.0, 8.5, 8.0
"""Font sizes in points."""

# Their order matters: neighbours differ in form, and those that look heavy are drawn smaller.
# No x and no +: crosses mean "misclassified".
_MARKERS = (
    ("o", 1.0),
    ("s", 0.88),
    ("^", 1.06),
    ("D", 0.80),
    ("v", 1.06),
    ("P", 1.18),
    ("<", 1.06),
    ("*", 1.36),
    (">", 1.06),
    ("p", 1.06),
    ("d", 1.10),
    ("h", 1.04),
)


DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.2, 1.2), (6, 1.5, 1.2, 1.5))


def marker(label: int) -> tuple[str, float]:
    """The marker of a class and the factor on its size."""
    return _MARKERS[label % len(_MARKERS)]


def blend(background: str | Colour, colour: str | Colour, amount: float) -> Colour:
    """`amount` 0..1 of the colour laid over the background."""
    below, above = np.array(to_rgb(background)), np.array(to_rgb(colour))
    red, green, blue = (below + (above - below) * amount).tolist()
    return (red, green, blue)


_one_at_a_time = threading.RLock()


@contextmanager
def settings(theme: str = "light") -> Iterator[Theme]:
    """matplotlib's settings while figures are made and saved; the caller's come back afterwards.

    They start from matplotlib's defaults, whatever a matplotlibrc or the caller has set, so that
    a picture depends on its content alone. One thread at a time: the settings are global.
    """
    defaults: Any = matplotlib.rcParamsDefault
    with _one_at_a_time:
        current: Any = matplotlib.rcParams
        changed: Any = {
            key: defaults[key]
            for key in defaults
            # Looking at the backend would choose one, which may load a window system.
            if key != "backend" and current[key] != defaults[key]
        }
        with matplotlib.rc_context({**changed, **_rc(THEMES[theme])}):
            yield THEMES[theme]


def _rc(theme: Theme) -> dict[Any, Any]:
    return {
        "font.family": [FAMILY],
        "font.size": NORMAL,
        # Names come from users' files: "$" is a dollar sign.
        "text.parse_math": False,
        "text.hinting": "none",
        "text.color": theme.ink,
        "figure.facecolor": theme.page,
        "axes.facecolor": theme.page,
        "axes.edgecolor": theme.faint,
        "axes.linewidth": 0.9,
        "axes.labelcolor": theme.muted,
        "axes.titlelocation": "left",
        "axes.titlesize": TITLE,
        "axes.titleweight": "bold",
        "axes.titlepad": 7.0,
        "axes.titley": 1.0,  # where it stays: matplotlib need not look for labels in its way
        "axes.axisbelow": True,
        "axes.formatter.useoffset": False,
        "axes.formatter.limits": (-4, 6),
        "xtick.color": theme.faint,
        "ytick.color": theme.faint,
        "xtick.labelcolor": theme.muted,
        "ytick.labelcolor": theme.muted,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "grid.color": theme.faint,
        "grid.linewidth": 0.6,
        "image.origin": "lower",
        "image.aspect": "auto",
        "legend.frameon": False,
        "legend.borderaxespad": 0.0,
        "legend.borderpad": 0.0,
        "legend.labelspacing": 0.65,
        "legend.handlelength": 2.0,
        "lines.linewidth": 1.5,
        "svg.hashsalt": "exp",
    }


def line(index: int, count: int, theme: Theme) -> dict[str, Any]:
    """How one of several lines is drawn: its colour, and dashes for those who see no colours."""
    dashes = DASHES[index % len(DASHES)]
    return {
        "color": palette(max(count, 2), theme)[index].tolist(),
        "linewidth": 1.5,
        "linestyle": (0, dashes) if dashes else "-",
    }


def plain(text: str, most: int = 60) -> str:
    """`text` on one line and safe to draw: characters that the font lacks become a square.

    Args:
        most: characters; of longer text the end is left out. Where there is room for more than a
            line, `wrapped` keeps more.
    """
    text = " ".join(str(text)[:5000].split())
    if not (text.isascii() and text.isprintable()):
        text = _drawable(text)
    if len(text) > most:
        text = f"{text[: most - 1].rstrip()}…"
    return text or "(empty)"


def wrapped(text: str, width: int = 24, lines: int = 3) -> str:
    """As `plain`, on at most so many lines of so many characters."""
    whole = plain(text, 5000)
    if len(whole) <= width:
        return whole
    parts = textwrap.wrap(whole, width)
    if len(parts) > lines:
        last = parts[lines - 1] if len(parts[lines - 1]) < width else parts[lines - 1][:-1]
        parts[lines - 1 :] = [f"{last}…"]
    return "\n".join(parts)


def _drawable(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        # More than two marks on a letter would reach into the lines above.
        marks = marks + 1 if category.startswith("M") else 0
        if category == "Cf" or marks > 2:  # Cf: marks of direction and the like, nothing to see
            continue
        known = ord(character) in _characters() and not category.startswith("C")
        kept.append(character if known else "\N{WHITE SQUARE}")
    return "".join(kept)


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=FAMILY))).get_charmap())

"""Pictures in terminals that can show them: which protocol one has, and a PNG in it.

- kitty: https://sw.kovidgoyal.net/kitty/graphics-protocol/
- iTerm2: https://iterm2.com/documentation-images.html
- sixel: https://vt100.net/docs/vt3xx-gp/chapter14.html
"""

from __future__ import annotations

import base64
import io
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping

import numpy as np
from PIL import Image

PATIENCE = 0.2
"""Seconds within which a terminal says what it can show; over a slow line none is seen."""
CHUNK = 4096
COLOURS = 128
WIDEST = 900
"""Pixels of a sixel picture across."""


def protocol(environment: Mapping[str, str] = os.environ) -> str | None:
    """kitty, iterm or sixel; None where the terminal shows none of them, as far as it can be seen.

    Args:
        environment: variables by which terminals name themselves.
    """
    program = environment.get("TERM_PROGRAM", "")
    if "TMUX" not in environment and not environment.get("TERM", "").startswith("screen"):
        if "KITTY_WINDOW_ID" in environment or environment.get("TERM") == "xterm-kitty":
            return "kitty"
        if program in ("ghostty", "WezTerm"):
            return "kitty"
        if program == "iTerm.app" or environment.get("LC_TERMINAL") == "iTerm2":
            return "iterm"
    return "sixel" if "4" in attributes() else None


def attributes() -> set[str]:
    """What the terminal answers to `ESC [ c`: numbers of what it can do, 4 for sixel graphics."""
    try:
        into, out = sys.stdin.fileno(), sys.stdout.fileno()
        if not (os.isatty(into) and os.isatty(out)):
            return set()
        before = termios.tcgetattr(into)
    except (OSError, ValueError, termios.error):
        return set()
    answer, end = b"", time.monotonic() + PATIENCE
    try:
        tty.setcbreak(into, termios.TCSANOW)
        os.write(out, b"\x1b[c")
        while not answer.endswith(b"c") and (rest := end - time.monotonic()) > 0:
            if select.select([into], [], [], rest)[0]:
                answer += os.read(into, 64)
    except (OSError, termios.error):
        return set()
    finally:
        termios.tcsetattr(into, termios.TCSANOW, before)
    found = re.search(rb"\x1b\[\?([0-9;]*)c", answer)
    return set(found[1].decode().split(";")) if found else set()


def encoded(png: bytes, way: str) -> str:
    """A PNG as the text that makes a terminal show it.

    Args:
        way: kitty, iterm or sixel.
    """
    if way == "kitty":
        return "".join(kitty(base64.b64encode(png).decode()))
    if way == "iterm":
        data = base64.b64encode(png).decode()
        return f"\x1b]1337;File=inline=1;size={len(png)}:{data}\x07\n"
    return sixel(png)


def kitty(data: str) -> Iterator[str]:
    """In chunks, the last of which says that it is."""
    for start in range(0, len(data), CHUNK):
        first = "f=100,a=T," if start == 0 else ""
        more = int(start + CHUNK < len(data))
        yield f"\x1b_G{first}m={more};{data[start : start + CHUNK]}\x1b\\"
    yield "\n"


def sixel(png: bytes) -> str:
    """Bands of six lines; in each band every colour by itself, as runs of one character."""
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)))
    reduced = image.quantize(COLOURS)
    places = np.asarray(reduced)
    table = np.asarray((reduced.getpalette() or [])[: 3 * COLOURS]).reshape(-1, 3)
    parts = [f'\x1bPq"1;1;{image.width};{image.height}']
    for number, colour in enumerate(table.tolist()):
        red, green, blue = (round(value / 2.55) for value in colour)
        parts.append(f"#{number};2;{red};{green};{blue}")
    for top in range(0, image.height, 6):
        band = places[top : top + 6]
        bits = 1 << np.arange(len(band))[:, None]
        for number in np.unique(band).tolist():
            parts.append(f"#{number}{runs(((band == number) * bits).sum(axis=0) + 63)}$")
        parts.append("-")
    return "".join([*parts, "\x1b\\\n"])


def runs(codes: np.ndarray) -> str:
    """Characters of these codes; more than three equal ones as `!count`."""
    ends = np.flatnonzero(np.diff(codes, append=-1))
    counts = np.diff(ends, prepend=-1)
    return "".join(
        f"!{count}{chr(code)}" if count > 3 else chr(code) * count
        for code, count in zip(codes[ends].tolist(), counts.tolist(), strict=True)
    )

"""A picture on the terminal, as good as that can show it; plain characters where there is none."""

from __future__ import annotations

import sys

from rich.console import Console

from exp.cli.show.graphics import encoded, protocol
from exp.cli.show.half_blocks import lines
from exp.cli.show.plane_picture import PlanePicture
from exp.util.terminal import raw

SIDE = 64
"""Pixels along each side at most, where characters stand for two of them."""
BESIDE = 12
"""Lines of text that should be seen together with the picture."""


def show(picture: PlanePicture, png: bytes | None = None) -> None:
    """Prints a picture.

    Args:
        png: the same as a file; used where the terminal shows images.
    """
    terminal = Console(file=raw(sys.stdout), highlight=False)
    if not sys.stdout.isatty():
        print("\n".join(picture.text()))
        return
    if png is not None and (way := protocol()) is not None:
        sys.stdout.flush()
        terminal.file.write(encoded(png, way))
        terminal.file.flush()
        return
    # The characters of other terminals are wrong, or all of one colour.
    coloured = terminal.color_system is not None and not terminal.no_color
    if not coloured or "utf" not in (sys.stdout.encoding or "").lower():
        print("\n".join(picture.text(min(60, terminal.width - 12))))
        return
    side = max(20, min(SIDE, terminal.width - 1, 2 * (terminal.height - BESIDE)))
    for line in lines(picture, side - side % 2):
        terminal.print(line, soft_wrap=True)

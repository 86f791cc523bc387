"""A picture of colours in a terminal: each character is the upper half of two pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.style import Style
from rich.text import Text

from exp.cli.show.plane_picture import PlanePicture
from exp.plotting.theme import THEMES, Theme, colours, palette, rgb

UPPER = "\u2580"
Pixels = NDArray[np.uint8]


def pixels(picture: PlanePicture, side: int, theme: Theme) -> Pixels:
    """RGB `[side, side, 3]`: the map in its tints with the boundary, and the rows above it;
    misclassified ones in the colour of the text."""
    shown = np.tile(np.array(rgb(theme.page)), (side, side, 1))
    chances = picture.map(side, side)
    count = len(picture.classes)
    if chances.size:
        winner = chances.argmax(axis=0)
        strength = np.clip((chances.max(axis=0) - 1 / count) / (1 - 1 / count), 0.0, 1.0)
        shown = colours(strength, winner, count, theme).astype(np.float64)
        edge = np.zeros((side, side), bool)
        edge[:, 1:] |= winner[:, 1:] != winner[:, :-1]
        edge[1:] |= winner[1:] != winner[:-1]
        shown[edge] = rgb(theme.muted)
    rows, wrong = picture.cells(side, side)
    there = rows >= 0
    shown[there] = palette(count, theme)[rows[there]]
    shown[wrong] = rgb(theme.ink)
    return np.round(shown * 255).astype(np.uint8)


def lines(picture: PlanePicture, side: int, theme: str = "light") -> list[Text]:
    """The picture, two lines of pixels in each line of text, and its key."""
    look = THEMES[theme]
    image = pixels(picture, side, look)
    found = []
    for top, bottom in zip(image[::2].tolist(), image[1::2].tolist(), strict=True):
        text = Text()
        for upper, lower in zip(top, bottom, strict=True):
            style = Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
            text.append(UPPER, style)
        found.append(text)
    return [*found, key(picture, look)]


def key(picture: PlanePicture, theme: Theme) -> Text:
    """The classes in their colours."""
    text = Text(f"{picture.axes[0]} to the right, {picture.axes[1]} up: ")
    table = np.round(palette(len(picture.classes), theme) * 255).astype(int)
    for name, colour in zip(picture.classes[:20], table.tolist(), strict=False):
        text.append("\u25a0 ", Style(color=Color.from_rgb(*colour)))
        text.append(f"{name}  ")
    if picture.wrong.any():
        text.append("\u25a0 ", Style(color="black", bgcolor="white"))
        text.append("misclassified")
    return text

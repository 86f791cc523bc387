"""How the decision boundary came about, as an animated picture."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

from exp.plotting import layout, points
from exp.plotting.boundary import SIDE
from exp.plotting.boundary_strip import epoch_and_score, scored, still
from exp.plotting.decision_map import DecisionMap
from exp.plotting.picture import TRAIN, Picture
from exp.plotting.style import THEMES, wrapped

_FINER = 4  # points of an animated map for each of a frame's
_QUALITY = 85  # without loss it takes six times as long, or three times as much room
_SHOWN, _LAST_SHOWN = 280, 2000  # milliseconds of a frame, and of the last one


def draw(picture: Picture) -> bytes:
    """The frames as the bytes of an animated WebP; it repeats for ever."""
    frames, theme = picture.frames, THEMES[picture.theme]
    assert frames is not None
    figure = layout.figure()
    ((axes,),) = layout.panels(figure, [SIDE], [SIDE])
    points.scatter(axes, picture, TRAIN)
    axes.set(xlim=frames.xs[[0, -1]], ylim=frames.ys[[0, -1]])
    axes.set_xlabel(wrapped(picture.axes[0], 56, 2))
    axes.set_ylabel(wrapped(picture.axes[1], 56, 2))
    layout.legend(axes, points.handles(picture.classes, theme))
    layout.note(figure, picture.note, picture.map_note)
    layout.heading(figure, *picture.subject, remark=picture.metric)
    figure.set_dpi(picture.dpi)
    box, images = figure.get_tightbbox().padded(layout.MARGIN), []
    count = min(len(frames), picture.animated or len(frames))
    for index in np.linspace(0, len(frames) - 1, count).round().astype(int).tolist():
        texts = _title(axes, picture, int(frames.epochs[index]))
        decision = DecisionMap(still(frames, index, finer=_FINER), theme)
        decision.shade(axes)
        decision.outline(axes)
        images.append(layout.image(layout.pixels(figure, box, dpi=picture.dpi)))
        for artist in (*axes.images, *axes.collections, *texts):
            artist.remove()
    target = io.BytesIO()
    images[0].save(
        target, "WEBP", save_all=True, append_images=images[1:], loop=0, quality=_QUALITY,
        method=0, duration=[_SHOWN] * (len(images) - 1) + [_LAST_SHOWN],
    )  # fmt: skip
    return target.getvalue()


def _title(axes: Axes, picture: Picture, epoch: int) -> list[Text]:
    """Says which epoch a frame is of; gives what has to go before the next."""
    text, share = epoch_and_score(picture, epoch)
    layout.title(axes, text, f"{scored(picture)} accuracy {share}" if share else "")
    return list(axes.texts)

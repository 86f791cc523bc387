"""From a picture to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from matplotlib.figure import Figure

from exp.plotting import (
    animation,
    boundary,
    boundary_strip,
    calibration,
    confusion_matrix,
    data,
    fit,
    hidden_units,
    layer_norms,
    layout,
    learning_curves,
    network,
    precision_recall,
    roc,
)
from exp.plotting.picture import Picture
from exp.plotting.style import settings

DRAWERS: dict[str, Callable[[Picture], Figure]] = {
    "data": data.draw,
    "boundary": boundary.draw,
    "boundary_strip": boundary_strip.draw,
    "learning_curves": learning_curves.draw,
    "confusion_matrix": confusion_matrix.draw,
    "roc": roc.draw,
    "precision_recall": precision_recall.draw,
    "calibration": calibration.draw,
    "hidden_units": hidden_units.draw,
    "network": network.draw,
    "norms": layer_norms.draw,
    "fit": fit.draw,
}
"""Every figure of a run; each has its file. A new one also has its name in `exp.plotting.names`."""


def drawings(picture: Picture) -> Iterator[tuple[str, bytes]]:
    """Name (`<figure>.<format>`) and content of every figure in every format, in the order of
    `picture.names`, the animation last; the same picture gives the same bytes."""
    for name in picture.names:
        with settings(picture.theme):
            figure = DRAWERS[name](picture)
            if name == "data":  # which neither a model nor a score belongs to
                subject = (picture.dataset, "data", f"seed {picture.seed}")
                layout.heading(figure, *subject, remark=data.about(picture), above=0.12)
            else:
                layout.heading(figure, *picture.subject, remark=picture.metric)
            files = {
                f"{name}.{suffix}": layout.encode(figure, suffix, dpi=picture.dpi)
                for suffix in picture.format
            }
        yield from files.items()
    if picture.animation and picture.frames is not None and len(picture.frames):
        with settings(picture.theme):
            yield "boundary.webp", animation.draw(picture)

"""The rows of a run on the page, which are drawn on its decision map."""

from __future__ import annotations

import base64
import zlib

import numpy as np

from exp.plotting.frames import Frames

FINEST = 65_535
"""Steps between the edges of a map, along each side."""


def packed_rows(frames: Frames, most: int) -> tuple[str, list[int]]:
    """At most so many rows, at even distances: base64 of a zlib stream of uint16 `[4, rows]`
    (across, up, true class, split), and the places of those that the result misclassifies.

    Places are in steps of the map's window. Runs on the same rows have the same text.
    """
    kept = np.arange(len(frames.points))
    if len(kept) > most:
        kept = np.linspace(0, len(kept) - 1, most).astype(np.intp)
    if not len(kept):
        return "", []
    low = np.array([frames.xs[0], frames.ys[0]])
    size = np.array([frames.xs[-1], frames.ys[-1]]) - low
    places = np.rint(np.clip((frames.points[kept] - low) / size, 0.0, 1.0) * FINEST)
    columns = [*places.T, frames.labels[kept], frames.split[kept]]
    data = np.stack(columns).astype("<u2").tobytes()
    wrong = np.flatnonzero(frames.labels[kept] != frames.predicted[kept])
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii"), wrong.tolist()

"""How a run's decision map came about: frames.npz, read with bounds."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

NAME = "frames.npz"
SIZE = 64 << 20
"""Bytes of all arrays of one file; those that exp writes have a thousandth of that."""
LEVELS = 32
"""Steps of a probability on the page."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The decision maps of one run.

    Attributes:
        epochs: `[F]`, increasing.
        xs, ys: `[G]`, where the map was computed.
        probabilities: `[F, K', G, G]` uint8, 255 times the probability of class k at
            `(xs[column], ys[row])`; only that of class 1 where there are two.
        classes: K names.
        axes: the two axis labels.
        note: what the reader must know about the plane; may be empty.
    """

    epochs: NDArray[np.int64]
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    probabilities: NDArray[np.uint8]
    classes: tuple[str, ...]
    axes: tuple[str, str]
    note: str

    def chances(self, frame: int) -> NDArray[np.float64]:
        """`[K, G, G]` probabilities of every class in one frame."""
        found = self.probabilities[frame] / 255.0
        return np.concatenate([1.0 - found, found]) if len(found) == 1 else found

    def packed(self) -> dict[str, Any]:
        """For the page: JSON, in which the maps are base64 of a zlib stream.

        A probability has `LEVELS` steps there, and class 0 is left out: it has what the others
        leave of 1. Differences between maps or neighbours would pack worse.
        """
        others = self.probabilities[:, -(len(self.classes) - 1) :]
        levels = np.rint(others * ((LEVELS - 1) / 255.0)).astype(np.uint8)
        return {
            "epochs": self.epochs.tolist(),
            "x": [float(f"{self.xs[i]:.6g}") for i in (0, -1)],
            "y": [float(f"{self.ys[i]:.6g}") for i in (0, -1)],
            "grid": [len(self.xs), len(self.ys)],
            "levels": LEVELS,
            "classes": list(self.classes),
            "axes": list(self.axes),
            "note": self.note,
            "maps": base64.b64encode(zlib.compress(levels.tobytes(), 6)).decode("ascii"),
        }


def frames(path: Path) -> Frames | None:
    """The frames in a run directory; None where there are none that can be read."""
    try:
        with ZipFile(path / NAME) as archive:
            if sum(info.file_size for info in archive.infolist()) > SIZE:
                return None
        with np.load(path / NAME, allow_pickle=False) as stored:
            found = {name: stored[name] for name in Frames.__dataclass_fields__}
    except (OSError, ValueError, KeyError, BadZipFile, EOFError, zlib.error):
        return None
    classes, axes = (tuple(map(str, found[name].ravel())) for name in ("classes", "axes"))
    result = Frames(
        epochs=found["epochs"],
        xs=found["xs"],
        ys=found["ys"],
        probabilities=found["probabilities"],
        classes=classes,
        axes=axes[:2],  # type: ignore[arg-type]
        note=str(found["note"]),
    )
    return result if fit(result) else None


def fit(found: Frames) -> bool:
    """Whether the arrays belong together."""
    count = len(found.classes)
    shape = (
        len(np.atleast_1d(found.epochs)),
        1 if count == 2 else count,
        len(np.atleast_1d(found.ys)),
        len(np.atleast_1d(found.xs)),
    )
    return (
        found.probabilities.dtype == np.uint8
        and found.probabilities.shape == shape
        and min(shape) > 0
        and count > 1
        and min(shape[2:]) > 1
        and len(found.axes) == 2
        and found.epochs.dtype.kind in "iu"
        and all(
            line.ndim == 1 and line.dtype.kind == "f" and bool(np.isfinite(line).all())
            for line in (found.xs, found.ys)
        )
    )

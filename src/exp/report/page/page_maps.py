"""The decision maps of a run on the page: frames.npz, read and packed."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from exp.plotting.frames import SWEEP_FRAMES, SWEEP_GRID, Frames
from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError

FINE, COARSE = 256, 32
"""Steps of a probability on a page of up to `FEW_MAPS` runs, and of a larger one."""
FEW_MAPS = 100
FINE_RUNS = 12
"""Runs of a page that has all frames of its runs, as they were recorded; a larger one has frames as
those of a sweep."""


def frames_of(run: Path) -> Frames | None:
    """The frames in a run directory; None where there are none, or none that can be read."""
    try:
        found = RunRecord(run).frames_of_result()
    except RunDirectoryError:
        return None
    drawable = min(len(found.epochs), len(found.xs) - 1, len(found.ys) - 1) > 0
    return found if drawable else None


def reduced(frames: Frames) -> Frames:
    """Frames as those of a run of a sweep: as many, and no finer."""
    kept = np.linspace(0, len(frames) - 1, min(len(frames), SWEEP_FRAMES)).round().astype(int)
    across, up = (-(-len(line) // SWEEP_GRID) for line in (frames.xs, frames.ys))
    return replace(
        frames,
        epochs=frames.epochs[kept],
        xs=frames.xs[::across],
        ys=frames.ys[::up],
        probabilities=frames.probabilities[kept][:, :, ::up, ::across],
    )


def packed_maps(frames: Frames, levels: int) -> dict[str, Any]:
    """For the page: JSON, in which the maps are base64 of a zlib stream.

    Class 0 is left out: it has what the others leave of 1. Differences between maps or neighbours
    would pack worse.

    Args:
        levels: steps of a probability; a boundary that lies where the model is undecided needs
            many to be smooth.
    """
    others = frames.probabilities[:, -(len(frames.classes) - 1) :]
    steps = np.rint(others * ((levels - 1) / 255.0)).astype(np.uint8)
    return {
        "epochs": frames.epochs.tolist(),
        "x": [float(f"{frames.xs[i]:.6g}") for i in (0, -1)],
        "y": [float(f"{frames.ys[i]:.6g}") for i in (0, -1)],
        "grid": [len(frames.xs), len(frames.ys)],
        "levels": levels,
        "classes": list(frames.classes),
        "axes": list(frames.axes),
        "note": frames.note,
        "maps": base64.b64encode(zlib.compress(steps.tobytes(), 6)).decode("ascii"),
    }

"""How the decision map of a run came about: the content of frames.npz."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.util.npz import packed, unpacked

FRAMES, GRID = 60, 80
"""Frames of a single run, and points of each along each side, G."""
SWEEP_FRAMES, SWEEP_GRID = 16, 40
"""The same of a run of a sweep, which has many runs and a short page."""
MULTIPLE = 8
"""Of G: squared, it is a multiple of the vector width, as the engine wants it."""

LARGEST = 1000
"""Points of a frame along each side that are read."""

_KINDS = {
    "epochs": "i", "xs": "f", "ys": "f", "probabilities": "u", "classes": "U", "axes": "U",
    "note": "U",
}  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Frames:
    """Decision maps of one run at some epochs.

    Attributes:
        epochs: int64 `[F]`, increasing; the last is the final epoch of a run that has ended.
        xs, ys: float64 `[G]` each, increasing; the grid over the plane.
        probabilities: uint8 `[F, K', G, G]`, round(255 p): element `[f, k, j, i]` belongs to
            `(xs[i], ys[j])`. K' is K, or 1 (class 1) for two classes.
        classes: the K class names.
        axes: the two axis labels.
        note: what the reader must know about the plane; may be empty.

    Raises:
        ValueError: arrays that do not fit together.
    """

    epochs: NDArray[np.int64]
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    probabilities: NDArray[np.uint8]
    classes: tuple[str, ...]
    axes: tuple[str, str]
    note: str = ""

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise ValueError("; ".join(faults))

    def _faults(self) -> Iterator[str]:
        count = len(self.classes)
        shape = (len(self.epochs), 1 if count == 2 else count, len(self.ys), len(self.xs))
        if self.probabilities.shape != shape:
            yield f"probabilities: expected {list(shape)}, found {list(self.probabilities.shape)}"
        if count < 2 or len(self.axes) != 2:
            yield "expected two classes at least, and two axes"
        for name in ("epochs", "xs", "ys"):
            line = getattr(self, name)
            if line.ndim == 1 and name != "epochs" and len(line) > LARGEST:
                yield f"{name}: expected at most {LARGEST} points, found {len(line)}"
            if line.ndim != 1 or not (np.isfinite(line).all() and (np.diff(line) > 0).all()):
                yield f"{name}: expected finite, increasing numbers"

    def until(self, epoch: int) -> Frames:
        """The frames up to that of an epoch; all of them where it has none."""
        place = np.flatnonzero(self.epochs == epoch)
        if not len(place):
            return self
        end = int(place[0]) + 1
        return replace(self, epochs=self.epochs[:end], probabilities=self.probabilities[:end])

    def __len__(self) -> int:
        return len(self.epochs)

    def map(self, index: int) -> NDArray[np.float32]:
        """The probabilities of one frame, `[K, G, G]`; 0 and 1 only stand for what rounds to them,
        so they are taken to be a quarter of a step away."""
        found = self.probabilities[index].clip(0.25, 254.75).astype(np.float32) / np.float32(255)
        return np.concatenate([1 - found, found]) if len(self.classes) == 2 else found

    def before(self, epoch: int) -> Frames:
        """The frames of earlier epochs only."""
        early = self.epochs < epoch
        values = {name: getattr(self, name) for name in _KINDS}
        kept = {"epochs": self.epochs[early], "probabilities": self.probabilities[early]}
        return Frames(**(values | kept))

    def to_bytes(self) -> bytes:
        """The content of frames.npz; the same frames give the same bytes."""
        return self._packed

    @cached_property
    def _packed(self) -> bytes:
        return packed({name: np.asarray(getattr(self, name)) for name in _KINDS})

    @classmethod
    def from_bytes(cls, data: bytes) -> Frames:
        """The frames that `to_bytes` wrote.

        Raises:
            ValueError: anything else.
        """
        arrays = unpacked(data, _KINDS)
        for name, kind in _KINDS.items():
            if name not in arrays or arrays[name].dtype.kind != kind:
                raise ValueError(f"{name} is missing, or of another kind")
        if arrays["probabilities"].dtype != np.uint8:
            raise ValueError("probabilities: expected uint8")
        note = arrays["note"].ravel().tolist()
        classes, axes = (tuple(map(str, arrays[n].ravel().tolist())) for n in ("classes", "axes"))
        found: dict[str, Any] = {n: arrays[n] for n in ("epochs", "xs", "ys", "probabilities")}
        return cls(**found, classes=classes, axes=axes, note=str(note[0]) if note else "")  # type: ignore[arg-type]

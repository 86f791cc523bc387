"""How the decision map of a run came about: the content of frames.npz."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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

MOST_ROWS = 1000
"""Rows that are kept with the frames: more only cover each other on a small map."""

_KINDS = {
    "epochs": "i", "xs": "f", "ys": "f", "probabilities": "u", "classes": "U", "axes": "U",
    "note": "U",
}  # fmt: skip
_ROWS = {"points": "f", "labels": "u", "predicted": "u", "split": "u"}


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
        points: float32 `[rows, 2]`, where some rows of the run lie in the plane; there are none
            while the run trains.
        labels, predicted: uint16 `[rows]`, their true classes, and those that the run's result
            predicts.
        split: uint8 `[rows]`, 0 train, 1 validation, 2 test.

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
    points: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    labels: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, np.uint16))
    predicted: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, np.uint16))
    split: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))

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
        rows = self.points.size // 2
        if self.points.shape != (rows, 2) or not np.isfinite(self.points).all():
            yield "points: expected two finite numbers for each row"
        for name, largest in (("labels", count - 1), ("predicted", count - 1), ("split", 2)):
            codes = getattr(self, name)
            if codes.shape != (rows,) or (rows and codes.max() > largest):
                yield f"{name}: expected {rows} whole numbers from 0 to {largest}"

    def with_rows(
        self,
        points: NDArray[np.floating],
        labels: NDArray[np.integer],
        predicted: NDArray[np.integer],
        split: NDArray[np.integer],
    ) -> Frames:
        """The same frames with the rows of their run, as `Picture` has them: at most `MOST_ROWS`,
        at even distances."""
        kept = np.flatnonzero(np.isfinite(points).all(axis=1))
        if len(kept) > MOST_ROWS:
            kept = kept[np.linspace(0, len(kept) - 1, MOST_ROWS).astype(np.intp)]
        return replace(
            self,
            points=points[kept].astype(np.float32),
            labels=labels[kept].astype(np.uint16),
            predicted=predicted[kept].astype(np.uint16),
            split=split[kept].astype(np.uint8),
        )

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
        return replace(self, epochs=self.epochs[early], probabilities=self.probabilities[early])

    def to_bytes(self) -> bytes:
        """The content of frames.npz; the same frames give the same bytes."""
        return self._packed

    @cached_property
    def _packed(self) -> bytes:
        names = [*_KINDS, *(_ROWS if len(self.points) else ())]
        return packed({name: np.asarray(getattr(self, name)) for name in names})

    @classmethod
    def from_bytes(cls, data: bytes) -> Frames:
        """The frames that `to_bytes` wrote.

        Raises:
            ValueError: anything else.
        """
        arrays = unpacked(data, (*_KINDS, *_ROWS))
        rows = {name: arrays[name] for name in _ROWS if name in arrays}
        for name, kind in (_KINDS | (_ROWS if rows else {})).items():
            if name not in arrays or arrays[name].dtype.kind != kind:
                raise ValueError(f"{name} is missing, or of another kind")
        if arrays["probabilities"].dtype != np.uint8:
            raise ValueError("probabilities: expected uint8")
        note = arrays["note"].ravel().tolist()
        classes, axes = (tuple(map(str, arrays[n].ravel().tolist())) for n in ("classes", "axes"))
        found: dict[str, Any] = {n: arrays[n] for n in ("epochs", "xs", "ys", "probabilities")}
        found |= rows
        return cls(**found, classes=classes, axes=axes, note=str(note[0]) if note else "")  # type: ignore[arg-type]

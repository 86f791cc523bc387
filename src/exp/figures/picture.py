"""Everything the figures of one run need, as plain arrays."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = 0, 1, 2
FIGURES = ("data", "boundary", "learning_curves", "confusion_matrix")
FORMATS = ("png", "svg", "pdf")
THEMES = ("light", "dark")

_TEXTS = ("dataset", "model", "optimizer", "seed", "metric", "note", "map_note", "monitor", "theme")
_TUPLES = ("classes", "axes", "names", "format")
_ARRAYS: dict[str, Any] = {
    "points": np.float64,
    "labels": np.int32,
    "predicted": np.int32,
    "split": np.uint8,
    "xs": np.float64,
    "ys": np.float64,
    "probabilities": np.float32,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """The content of all figures of one run; it crosses a pipe as one npz, never as a pickle.

    Attributes:
        dataset, model, optimizer, seed: what the title says was run.
        metric: the test metric as text, such as "test accuracy 97.5 %".
        classes: the K class names.
        axes: the two axis labels, with units.
        note: what the reader must know about the plane; may be empty.
        map_note: what else of a map of it; may be empty.
        points: `[rows, 2]`, where the rows lie in the plane.
        labels: `[rows]` in 0..K-1, the true classes.
        predicted: `[rows]` in 0..K-1, the model's.
        split: `[rows]`, 0 train, 1 validation, 2 test.
        xs, ys: `[G]` each, increasing; the grid over the plane. May be empty: no map is drawn.
        probabilities: `[K, G, G]`, of class k at `(xs[column], ys[row])`. The boundary is
            smoothest where small values are exact: give sigmoid(-z), not 1 - sigmoid(z).
        history: the columns of metrics.csv, `[epochs]` each: `epoch`, `train/loss`,
            `train/accuracy` (a fraction), the same of `validation` and `test`, `lr`.
        best_epoch: the epoch to mark; None marks none.
        monitor: the column of the history by which it is best; may be empty.
        names: which figures to draw, of `FIGURES`.
        format: in which formats, of `FORMATS`.
        theme: "light" or "dark".
        dpi: pixels per inch of a PNG, and of the maps inside SVG and PDF.

    Raises:
        ValueError: arrays that do not fit together, or an unknown name, format or theme.
    """

    dataset: str
    model: str
    optimizer: str
    seed: str
    metric: str
    classes: tuple[str, ...]
    axes: tuple[str, str]
    points: NDArray[Any]
    labels: NDArray[Any]
    predicted: NDArray[Any]
    split: NDArray[Any]
    note: str = ""
    map_note: str = ""
    xs: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    ys: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    probabilities: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    history: dict[str, NDArray[Any]] = field(default_factory=dict)
    best_epoch: int | None = None
    monitor: str = ""
    names: tuple[str, ...] = FIGURES
    format: tuple[str, ...] = ("png",)
    theme: str = "light"
    dpi: int = 120

    def __post_init__(self) -> None:
        # One dtype per array, so that a picture and its copy beyond a pipe draw the same bytes.
        for name, dtype in _ARRAYS.items():
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=dtype))
        # Plain types, as others (a NumPy integer, a path) have no place in a JSON header.
        for name in _TEXTS:
            object.__setattr__(self, name, str(getattr(self, name)))
        object.__setattr__(self, "dpi", int(self.dpi))
        if self.best_epoch is not None:
            object.__setattr__(self, "best_epoch", int(self.best_epoch))
        columns = {
            name: np.asarray(column, dtype=np.float64) for name, column in self.history.items()
        }
        object.__setattr__(self, "history", columns)
        for name in _TUPLES:
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    def _faults(self) -> Iterator[str]:
        rows, count = len(self.labels), len(self.classes)
        if count < 2:
            yield f"classes: expected at least two, found {count}"
        labels: tuple[str, ...] = self.axes
        if len(labels) != 2:
            yield f"axes: expected two labels, found {len(labels)}"
        if self.points.shape != (rows, 2):
            yield f"points: expected [{rows}, 2], found {list(self.points.shape)}"
        for name in ("labels", "predicted", "split"):
            column, top = getattr(self, name), 3 if name == "split" else count
            if column.shape != (rows,):
                yield f"{name}: expected [{rows}], found {list(column.shape)}"
            elif rows and not 0 <= column.min() <= column.max() < top:
                yield f"{name}: expected 0..{top - 1}, found {column.min()}..{column.max()}"
        grid = (count, len(self.ys), len(self.xs))
        if self.probabilities.shape != grid and (len(self.xs) or len(self.ys)):
            yield f"probabilities: expected {list(grid)}, found {list(self.probabilities.shape)}"
        if len({column.shape for column in self.history.values()}) > 1:
            yield "history: expected columns of one length"
        for name, known in (("names", FIGURES), ("format", FORMATS)):
            for unknown in set(getattr(self, name)) - set(known):
                yield f"{name}: expected some of {', '.join(known)}, found {unknown!r}"
        if not np.isfinite(self.points).all():
            yield "points: expected finite numbers"
        for name in ("xs", "ys"):
            line = getattr(self, name)
            if not (np.isfinite(line).all() and (np.diff(line) > 0).all()):
                yield f"{name}: expected finite, increasing numbers"
        if not 20 <= self.dpi <= 2000:
            yield f"dpi: expected 20..2000, found {self.dpi}"
        if self.theme not in THEMES:
            yield f"theme: expected one of {', '.join(THEMES)}, found {self.theme!r}"

    def to_bytes(self) -> bytes:
        """The picture as the bytes of an npz file."""
        header = {name: getattr(self, name) for name in (*_TEXTS, *_TUPLES, "best_epoch", "dpi")}
        header["history"] = list(self.history)
        text = json.dumps(header).encode("ascii")
        columns = list(self.history.values())
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        target = io.BytesIO()
        np.savez(
            target,
            allow_pickle=False,
            header=np.frombuffer(text, dtype=np.uint8),
            history=np.stack(columns) if columns else np.zeros((0, 0)),
            **arrays,
        )
        return target.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Picture:
        """The picture that `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            history = dict(zip(header.pop("history"), stored["history"], strict=True))
            return cls(**header, history=history, **{name: stored[name] for name in _ARRAYS})

"""Everything the figures of one run need, as plain arrays."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.plotting.frames import Frames

TRAIN, VALIDATION, TEST = 0, 1, 2
FIGURES = (
    "data", "boundary", "boundary_strip", "learning_curves", "confusion_matrix", "roc",
    "precision_recall", "calibration", "hidden_units", "norms", "fit",
)  # fmt: skip
OF_CLASSES = frozenset({
    "boundary", "boundary_strip", "confusion_matrix", "roc", "precision_recall", "calibration",
})  # fmt: skip
"""Figures that there are only where the target is one of some classes."""
OF_NUMBERS = frozenset({"fit"})
"""And those that there are only where it is a number."""
FORMATS = ("png", "svg", "pdf")
THEMES = ("light", "dark")

_TEXTS = (
    "dataset", "model", "optimizer", "seed", "metric", "note", "map_note", "monitor", "theme",
    "no_units",
)  # fmt: skip
_TUPLES = ("classes", "axes", "names", "format", "unit_names")
_TABLES = ("history", "norms")
_ARRAYS: dict[str, Any] = {
    "points": np.float64,
    "labels": np.int32,
    "predicted": np.int32,
    "targets": np.float64,
    "fitted": np.float64,
    "split": np.uint8,
    "xs": np.float64,
    "ys": np.float64,
    "probabilities": np.float32,
    "scores": np.float32,
    "units": np.float32,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """The content of all figures of one run; it crosses a pipe as one npz, never as a pickle.

    Attributes:
        dataset, model, optimizer, seed: what the title says was run.
        metric: the test metric as text, such as "test accuracy 97.5 %".
        classes: the K class names; () where the target is a number.
        axes: the two axis labels, with units.
        note: what the reader must know about the plane; may be empty.
        map_note: what else of a map of it; may be empty.
        points: `[rows, 2]`, where the rows lie in the plane.
        labels: `[rows]` in 0..K-1, the true classes; 0 where the target is a number.
        predicted: `[rows]` in 0..K-1, the model's; likewise.
        targets, fitted: `[rows]`, the true numbers and the model's; empty where there are classes.
        positive: of two classes the one that counts as positive; None where it is not known.
        features: how many features the rows have.
        split: `[rows]`, 0 train, 1 validation, 2 test.
        xs, ys: `[G]` each, increasing; the grid over the plane. May be empty: no map is drawn.
        probabilities: `[K, G, G]`, of class k at `(xs[column], ys[row])`. The boundary is
            smoothest where small values are exact: give sigmoid(-z), not 1 - sigmoid(z). Of a
            number `[1, G, G]`: what the model says there.
        history: the columns of metrics.csv, `[epochs]` each: `epoch`, `train/loss`,
            `train/accuracy` (a fraction), the same of `validation` and `test`, `lr`.
        scores: `[rows, K]`, the probability of each class for each row; may be empty, where no
            figure is drawn that needs them.
        frames: how the map came about; None where none were kept.
        norms: columns over some epochs, `[epochs]` each: `epoch`, then `weight/<name>` and
            `gradient/<name>` of each layer.
        units: `[U, G, G]`, what each hidden unit gives over the plane, on a grid of its own.
        unit_names: `[U]`, `<layer>.<unit>`, both counted from 1.
        no_units: why there are none.
        best_epoch: the epoch to mark; None marks none.
        monitor: the column of the history by which it is best; may be empty.
        animation: whether the frames are also drawn as an animation.
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
    targets: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    fitted: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    positive: int | None = None
    features: int = 2
    note: str = ""
    map_note: str = ""
    xs: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    ys: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    probabilities: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    scores: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0)))
    frames: Frames | None = None
    units: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    unit_names: tuple[str, ...] = ()
    no_units: str = ""
    history: dict[str, NDArray[Any]] = field(default_factory=dict)
    norms: dict[str, NDArray[Any]] = field(default_factory=dict)
    best_epoch: int | None = None
    monitor: str = ""
    names: tuple[str, ...] = ()
    format: tuple[str, ...] = ("png",)
    theme: str = "light"
    dpi: int = 120
    animation: bool = False

    def __post_init__(self) -> None:
        # One dtype per array, so that a picture and its copy beyond a pipe draw the same bytes.
        for name, dtype in _ARRAYS.items():
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=dtype))
        # Plain types, as others (a NumPy integer, a path) have no place in a JSON header.
        for name in _TEXTS:
            object.__setattr__(self, name, str(getattr(self, name)))
        object.__setattr__(self, "dpi", int(self.dpi))
        object.__setattr__(self, "features", int(self.features))
        for name in ("best_epoch", "positive"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, int(getattr(self, name)))
        object.__setattr__(self, "animation", bool(self.animation))
        for name in _TABLES:
            table = getattr(self, name).items()
            columns = {key: np.asarray(column, dtype=np.float64) for key, column in table}
            object.__setattr__(self, name, columns)
        for name in _TUPLES:
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def numeric(self) -> bool:
        """Whether the target is a number."""
        return not self.classes

    @property
    def subject(self) -> tuple[str, ...]:
        """What was run."""
        return self.dataset, self.model, self.optimizer, f"seed {self.seed}"

    @property
    def mapped(self) -> bool:
        """Whether there is a map of the plane."""
        return len(self.xs) > 1 and len(self.ys) > 1

    def _faults(self) -> Iterator[str]:
        rows, count = len(self.labels), max(len(self.classes), 1)
        if self.positive is not None and (count != 2 or self.positive not in (0, 1)):
            yield f"positive: expected 0 or 1 of two classes, found {self.positive}"
        if len(self.classes) == 1:
            yield f"classes: expected at least two, found {count}"
        for name in ("targets", "fitted"):
            wanted = rows if self.numeric else 0
            if getattr(self, name).shape != (wanted,):
                yield f"{name}: expected [{wanted}], found {list(getattr(self, name).shape)}"
        if self.numeric and not np.isfinite(self.targets).all():
            yield "targets: expected finite numbers"
        apart = OF_CLASSES if self.numeric else OF_NUMBERS
        for name in sorted(apart & set(self.names)):
            yield f"names: {name} is of another kind of target"
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
        for name in _TABLES:
            if len({column.shape for column in getattr(self, name).values()}) > 1:
                yield f"{name}: expected columns of one length"
        if self.scores.shape != (rows, count) and self.scores.size:
            yield f"scores: expected [{rows}, {count}], found {list(self.scores.shape)}"
        if self.units.ndim != 3 or len(self.units) != len(self.unit_names):
            yield f"units: expected [{len(self.unit_names)}, G, G], found {list(self.units.shape)}"
        if self.frames is not None and self.frames.classes != self.classes:
            yield "frames: expected the same classes"
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
        plain = (*_TEXTS, *_TUPLES, "best_epoch", "positive", "dpi", "animation", "features")
        header = {name: getattr(self, name) for name in plain}
        header |= {name: list(getattr(self, name)) for name in _TABLES}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        for name in _TABLES:
            columns = list(getattr(self, name).values())
            arrays[name] = np.stack(columns) if columns else np.zeros((0, 0))
        arrays["header"] = np.frombuffer(json.dumps(header).encode("ascii"), np.uint8)
        film = b"" if self.frames is None else self.frames.to_bytes()
        arrays["frames"] = np.frombuffer(film, np.uint8)
        target = io.BytesIO()
        np.savez(target, allow_pickle=False, **arrays)
        return target.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Picture:
        """The picture that `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            for name in _TABLES:
                header[name] = dict(zip(header[name], stored[name], strict=True))
            film = stored["frames"].tobytes()
            frames = Frames.from_bytes(film) if film else None
            return cls(**header, frames=frames, **{name: stored[name] for name in _ARRAYS})

"""Everything the figures of one run need, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.plotting.frames import Frames

TRAIN, VALIDATION, TEST = 0, 1, 2
OF_CLASSES = frozenset({
    "boundary", "boundary_strip", "confusion_matrix", "roc", "precision_recall", "calibration",
})  # fmt: skip
"""Figures that there are only where the target is one of some classes."""
OF_NUMBERS = frozenset({"fit"})
"""And those that there are only where it is a number."""
FORMATS = ("png", "svg", "pdf")
THEMES = ("light", "dark")

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
    "inputs": np.float32,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """The content of all figures of one run.

    Attributes:
        dataset, model, optimizer, seed: what was run, for the title.
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
            number `[1, G, G]`: what the model predicts there.
        history: the columns of metrics.csv, `[epochs]` each: `epoch`, `train/loss`,
            `train/accuracy` (a fraction), the same of `validation` and `test`, `lr`.
        scores: `[rows, K]`, the probability of each class for each row; may be empty, where no
            figure is drawn that needs them.
        frames: how the map came about; None where none were kept.
        norms: columns over some epochs, `[epochs]` each: `epoch`, then `weight/<name>` and
            `gradient/<name>` of each layer.
        units: `[U, G, G]`, what each hidden unit gives over the plane, on a separate grid.
        unit_names: `[U]`, `<layer>.<unit>`, both counted from 1.
        no_units: why there are none.
        inputs: `[I, G, G]`, what the network is given over the same grid; may be empty.
        input_names: `[I]`.
        weights: `[units, inputs]` of each linear layer, the first one's inputs being `inputs`; ()
            where the network is not a chain of layers.
        best_epoch: the epoch to mark; None marks none.
        monitor: the column of the history by which it is best; may be empty.
        animation: whether the frames are also drawn as an animation.
        animated: how many of them at most, at even distances; None: all.
        names: which figures to draw, of `exp.plotting.names.EVERY`.
        format: in which formats, of `FORMATS`.
        theme: "light" or "dark".
        dpi: pixels per inch of a PNG, and of the maps inside SVG and PDF.

    Raises:
        ValueError: frames of other classes, or columns of different lengths.
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
    inputs: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    input_names: tuple[str, ...] = ()
    weights: tuple[NDArray[Any], ...] = ()
    history: dict[str, NDArray[Any]] = field(default_factory=dict)
    norms: dict[str, NDArray[Any]] = field(default_factory=dict)
    best_epoch: int | None = None
    monitor: str = ""
    names: tuple[str, ...] = ()
    format: tuple[str, ...] = ("png",)
    theme: str = "light"
    dpi: int = 120
    animation: bool = False
    animated: int | None = None

    def __post_init__(self) -> None:
        for name, kind in _ARRAYS.items():
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=kind))
        if self.frames is not None and self.frames.classes != self.classes:
            raise ValueError("frames: expected the same classes")
        for name in ("history", "norms"):
            columns = {
                key: np.asarray(each, np.float64) for key, each in getattr(self, name).items()
            }
            if len({each.shape for each in columns.values()}) > 1:
                raise ValueError(f"{name}: expected columns of one length")
            object.__setattr__(self, name, columns)

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

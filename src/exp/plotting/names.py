"""The names of the figures of a run."""

from __future__ import annotations

from typing import Literal, get_args

Name = Literal[
    "data",
    "boundary",
    "boundary_strip",
    "learning_curves",
    "confusion_matrix",
    "roc",
    "precision_recall",
    "calibration",
    "hidden_units",
    "norms",
    "fit",
]

USUAL: list[Name] = ["data", "boundary", "fit", "learning_curves", "confusion_matrix"]
EVERY: list[Name] = list(get_args(Name))

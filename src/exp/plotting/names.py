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
    "network",
    "norms",
    "fit",
]

USUAL: list[Name] = ["data", "boundary", "fit", "learning_curves", "confusion_matrix"]
"""What a single run draws where `figures.draw` names none."""
OF_SWEEP: list[Name] = ["boundary", "fit"]
"""What each run of a sweep draws where `figures.draw` names none."""
NEED_MODEL: frozenset[Name] = frozenset(
    {"data", "boundary", "boundary_strip", "hidden_units", "network", "fit"}
)
"""What can be drawn only with a run's rows and its model; its tables hold all other figures."""
EVERY: list[Name] = list(get_args(Name))

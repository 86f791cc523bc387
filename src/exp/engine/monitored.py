"""A score that is computed at every evaluated epoch because `trainer.monitor` names it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from exp.components.metrics import value
from exp.engine.job import Job

if TYPE_CHECKING:
    from exp.components.losses.loss import Loss


class Monitored:
    """One score of one split. Each run is looked at by itself, in NumPy, so that its value does not
    depend on its neighbours.

    Args:
        column: such as `validation/f1`.
    """

    def __init__(self, column: str) -> None:
        self.split, _, self.name = column.partition("/")

    def __call__(self, logits: Sequence[Tensor], loss: Loss, jobs: Sequence[Job]) -> list[float]:
        """The score of each run; NaN where it is not defined.

        Args:
            logits: `[runs, outputs, rows]` of all rows of the split, in pieces, padding included.
            jobs: of the runs.
        """
        chances = torch.cat([loss.probabilities(piece) for piece in logits], dim=2).cpu().numpy()
        labels = torch.cat([loss.labels(piece) for piece in logits], dim=1).cpu().numpy()
        return [self.of_run(job, chances[run], labels[run]) for run, job in enumerate(jobs)]

    def of_run(self, job: Job, chances: np.ndarray, labels: np.ndarray) -> float:
        """
        Args:
            chances: `[classes, rows]`, padding included.
            labels: `[rows]`, likewise.
        """
        data = job.data
        truth = data.y[job.data.split.parts[self.split]]
        rows = len(truth)
        # A copy: the same memory layout whatever the stack.
        probabilities = np.ascontiguousarray(chances[:, :rows].T)
        if not np.isfinite(probabilities).all():
            return math.nan
        predicted = data.restored(np.ascontiguousarray(labels[:rows]))
        probabilities = data.restored(probabilities)
        found = value(self.name, truth, predicted, probabilities, data.positive, data.data.classes)
        return math.nan if found is None else found

"""How long and in which batches a run trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from exp.registry import register
from exp.schema import Count, Finite, NonNegative, Positive

Column = Literal[
    "train/loss", "train/accuracy", "validation/loss", "validation/accuracy",
    "test/loss", "test/accuracy", "train/rmse", "train/mae", "train/r2",
    "validation/rmse", "validation/mae", "validation/r2", "test/rmse", "test/mae", "test/r2",
]  # fmt: skip
"""What is measured at every evaluated epoch."""
Limit = Annotated[list[Finite], Field(min_length=2, max_length=2)]
"""A number of epochs and a value."""
Monitor = Literal["auto", "train/loss", "validation/loss", "test/loss"]


@register.trainer("standard")
@dataclass(frozen=True, kw_only=True)
class Trainer:
    """The one training loop: full batch or mini-batches, early stopping, clipping, checkpoints.

    Attributes:
        epochs: passes over the training rows.
        batch_size: rows per step; null is the full batch, in the order of the split.
        eval_every: epochs between two evaluations of every split (a row of metrics.csv each).
        print_every: epochs between two printed lines; null prints none.
        checkpoint_every: epochs between two checkpoints; null saves only the end.
        early_stopping: stop after so many evaluations without improvement; null never stops.
        min_delta: the least fall of the monitored loss that counts as an improvement.
        monitor: the loss that early stopping, the plateau scheduler and the best checkpoint
            follow; auto is validation/loss where there is a validation split, else train/loss.
        clip_norm: the gradient of a run is scaled down to this Euclidean norm; null never.
        prune: column -> [[epochs, value], ...]: a run stops at its first evaluation after so many
            epochs if the best that the column has had is worse than the value: a higher loss, a
            lower accuracy; null: it never does. A search with a pruner writes it.
    """

    epochs: Count = 1000
    batch_size: Count | None = None
    eval_every: Count = 1
    print_every: Count | None = 10
    checkpoint_every: Count | None = None
    early_stopping: Count | None = None
    min_delta: NonNegative = 0.0
    monitor: Monitor = "auto"
    clip_norm: Positive | None = None
    prune: dict[Column, list[Limit]] | None = None

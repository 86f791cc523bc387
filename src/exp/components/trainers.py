"""Settings of the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from exp.registry.registry import register
from exp.registry.types import Count, Finite, NonNegative, Positive, Probability

Text = Annotated[str, Field(min_length=1, max_length=200)]
Limit = Annotated[list[Finite], Field(min_length=2, max_length=2)]
"""A number of epochs and a value."""
Epoch = Annotated[int, Field(ge=0, le=1_000_000_000)]


@register.trainer("standard")
@dataclass(frozen=True, kw_only=True)
class Trainer:
    """The one training loop: full batch or mini-batches, early stopping, clipping, checkpoints.

    Attributes:
        epochs: passes through the training rows.
        batch_size: rows of a step; null is the full batch, in the order of the split.
        eval_every: epochs between two evaluations of every split (a row of metrics.csv each).
        print_every: epochs between two printed lines; null prints none.
        checkpoint_every: epochs between two checkpoints; null saves only the end.
        early_stopping: stop after so many evaluations without improvement; null never stops.
        min_delta: the least change of the monitored score that counts as an improvement.
        monitor: the score that early stopping, the plateau scheduler and the best checkpoint
            follow, such as validation/f1, each in its own direction; without a split it is that of
            the validation rows where there are any, else of the training rows; auto is loss.
        restore_best: whether final scores, predictions, figures and the model are those of the best
            epoch and not of the last one; null: they are where there is early stopping.
        clip_norm: the largest Euclidean norm of a gradient, which is scaled down to it; null: any.
        prune: column -> [[epochs, value], ...]: a run stops at its first evaluation after so many
            epochs if the best that the column of metrics.csv has had is worse than the value: a
            higher loss, a lower accuracy; null: it never does. A search with a pruner writes it.
        accumulate: mini-batches of a step, whose gradient is the mean over all of their rows.
        average: which weights are evaluated, saved and predicted with: ema, a running mean over the
            steps; swa, the mean over the epochs; null, those that are trained.
        average_decay: share of the running mean that each step keeps, with ema.
        average_start: the epoch with which the mean begins; null: the first with ema, and with swa
            the one after three quarters of them.
    """

    epochs: Count = 1000
    batch_size: Count | None = None
    eval_every: Count = 1
    print_every: Count | None = 10
    checkpoint_every: Count | None = None
    early_stopping: Count | None = None
    min_delta: NonNegative = 0.0
    monitor: Text = "auto"
    restore_best: bool | None = None
    clip_norm: Positive | None = None
    prune: dict[Text, list[Limit]] | None = None
    accumulate: Count = 1
    average: Literal["ema", "swa"] | None = None
    average_decay: Probability = 0.99
    average_start: Epoch | None = None

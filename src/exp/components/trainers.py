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
    """The training loop: full batch or mini-batches, early stopping, clipping, checkpoints.

    Attributes:
        epochs: passes through the training rows.
        batch_size: rows per step; null: all training rows, in the order of the split.
        eval_every: epochs between two evaluations; each is a row of metrics.csv.
        print_every: epochs between two printed lines; null: print none.
        checkpoint_every: epochs between two checkpoints; null: save only the last.
        early_stopping: stop after this number of evaluations without improvement; null: never.
        min_delta: the smallest change of the monitored score that counts as an improvement.
        monitor: the score for early stopping, the plateau scheduler and the best checkpoint, such
            as validation/f1. Without a split it refers to the validation rows if there are any,
            else to the training rows. auto: the loss.
        restore_best: whether the final scores, predictions, figures and model use the weights of
            the best epoch instead of the last; null: only with early stopping.
        clip_norm: the largest Euclidean norm of a gradient; a larger gradient is scaled down.
            null: no limit.
        prune: column of metrics.csv -> [[epochs, value], ...]: after this number of epochs, the run
            stops if the best value of the column so far is worse than the given value (a higher
            loss, a lower accuracy). null: never. A search with a pruner sets this key.
        accumulate: mini-batches per step; the gradient is the mean over all their rows.
        average: the weights for evaluation, checkpoints and predictions. ema: a running mean over
            the steps; swa: the mean over the epochs; null: the trained weights.
        average_decay: weight of the past in the running mean, with ema.
        average_start: the first epoch of the mean; null: the first epoch with ema, and three
            quarters of the epochs with swa.
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

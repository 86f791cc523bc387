"""The base class of losses, each with its link from logits to probabilities and labels.

A loss sees a stack: logits `[runs, outputs, rows]`, labels `[runs, rows]`, and its float
hyperparameters as tensors `[runs, 1]` (class weights `[runs, classes]`). Two classes have one
logit, K > 2 have K. A run's loss is the sum of `per_row` over the sum of `row_weights`. A
hyperparameter that is 0 in the whole stack stays the float 0.0: its term is left out.

The target of a row is a class, or a number, which is one output as it is. `Loss.regression` is the
form of a loss for that; `regression_losses` holds the losses that have both forms.

`class_weights` is the same in every loss: one number for each class in the order of the classes,
or by their names (one that is not named weighs 1), or `balanced`, which is
rows / (classes * rows of the class) over the training rows, as in scikit-learn. A row counts as
much as its class, and the mean is over these weights. Where the rows of the data have weights too
(`Data.weights`), a row counts as much as the product of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field
from torch import Tensor

from exp.registry.registry import register
from exp.registry.types import NonNegative


def with_text_keys(given: Any) -> Any:
    """A mapping by class name; YAML may have read the names as numbers."""
    return {str(name): value for name, value in given.items()} if isinstance(given, dict) else given


ClassWeights = (
    Annotated[list[NonNegative], Field(min_length=2)]
    | Annotated[dict[str, NonNegative], Field(min_length=1), BeforeValidator(with_text_keys)]
    | Literal["balanced"]
)


@register.common("loss")
def penalty(*, l1: NonNegative = 0.0, l2: NonNegative = 0.0) -> None:
    """A penalty on weights, not biases: l1 * sum |w| + l2 / 2 * sum w^2, added to the loss."""


class Loss:
    """One loss for R runs.

    Args:
        classes: K, at least 2.
        class_weights: one number for each class, in class order or by name, or balanced. The mean
            divides by the sum of the rows' weights.

    Attributes:
        slope: factor of a single logit before the sigmoid turns it into a probability.
        measures: scores of a split at every evaluated epoch, besides the loss.
        answers: name of the output of exported models.
        regression: the form of this loss for regression; None: there is none.
        positive: the positive class of two (`dataset.positive`), 0 or 1; the engine sets it, the
            same for all R runs.
        rows_weighted: whether the rows of the data have weights (`Data.weights`); the engine sets
            it.
    """

    slope = 1.0
    measures: ClassVar[tuple[str, ...]] = ("accuracy",)
    answers: ClassVar[str] = "probabilities"
    regression: ClassVar[type[Loss] | None] = None
    positive = 1
    rows_weighted = False
    stackable: ClassVar[bool] = True
    plain_values: ClassVar[bool] = False

    def __init__(self, classes: int, *, class_weights: ClassWeights | None = None) -> None:
        self.classes = classes
        self.outputs = 1 if classes == 2 else classes
        self.class_weights: Any = class_weights

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        """Why this loss cannot be used with this number of classes, or None."""
        weights = params.get("class_weights")
        if weights is not None and len(weights) != classes:
            return (
                f"loss.class_weights has {len(weights)} numbers, and these data have {classes} "
                "classes: give one number for each class"
            )
        if weights is not None and sum(weights) == 0:
            return "loss.class_weights are all 0: no row would count"
        return None

    def targets(self, labels: Tensor, dtype: torch.dtype) -> Tensor:
        """Labels in the dtype of `per_row`: float for one logit, else int64; the same shape."""
        return labels.to(dtype) if self.outputs == 1 else labels

    def marked(self, targets: Tensor, padding: Tensor) -> Tensor:
        """Targets in which padding rows have a value that no prediction equals."""
        return targets.masked_fill(padding, -1)

    def unmarked(self, marked: Tensor) -> Tensor:
        """Targets in which padding rows have a value that `per_row` accepts."""
        return marked.clamp_min(0)

    def spread(self, labels: Sequence[NDArray[Any]]) -> Tensor | None:
        """Statistics `[runs]` of the targets `[rows]` that `measured` needs, if any."""
        return None

    def row_weights(self, labels: Tensor, dtype: torch.dtype) -> Tensor | None:
        """The weight of each row in the divisor of the mean, `[runs, rows]`; None: each row has
        weight 1."""
        if self.class_weights is None:
            return None
        weights: Tensor = self.class_weights.to(dtype).gather(1, labels)
        return weights

    def weighted(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Losses `[runs, rows]`, multiplied by the weight of each row's class."""
        weights = self.row_weights(targets.long(), rows.dtype)
        return rows if weights is None else rows * weights

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of every row, `[runs, rows]`."""
        raise NotImplementedError

    def mean(self, logits: Tensor, targets: Tensor, share: Tensor, count: int) -> Tensor:
        """The loss of every run, `[runs]`.

        Args:
            share: how much each row counts in the mean, `[runs, rows]`: its weight / the sum of
                the weights; 0 for padding.
            count: the number of rows of each run without padding.
        """
        return (self.per_row(logits, targets) * share).sum(dim=-1)

    def probabilities(self, logits: Tensor) -> Tensor:
        """`[runs, classes, rows]`: sigmoid for one logit, softmax for more."""
        if self.outputs == 1:
            if self.slope != 1:
                logits = self.slope * logits
            # 1 - sigmoid(z) would lose the digits of a small chance; sigmoid(-z) keeps them.
            return torch.sigmoid(torch.cat([-logits, logits], dim=1))
        return torch.softmax(logits, dim=1)

    def labels(self, logits: Tensor) -> Tensor:
        """The most probable class of each row, `[runs, rows]` int64; class 0 in a tie."""
        if self.outputs == 1:
            return (logits.squeeze(1) > 0).long()
        return logits.argmax(dim=1)

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Whether each row's most probable class is its target, `[runs, rows]` bool.

        Args:
            targets: `marked`.
        """
        if self.outputs == 1:
            return (logits.squeeze(1) > 0) == targets
        return logits.argmax(dim=1) == targets

    def summed(self, correct: Tensor) -> Tensor:
        """The sum of `correct` over the rows of a batch, `[runs]`; the caller adds the batches."""
        return correct.sum(dim=-1)

    def measured(self, sums: Tensor, count: int, spread: Tensor | None) -> list[Tensor]:
        """The `measures` of a split, `[runs]` each, from its sums and its number of rows."""
        return [sums / count]

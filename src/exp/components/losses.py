"""Losses, each with its link from logits to probabilities and labels.

A loss sees a stack: logits `[runs, outputs, rows]`, labels `[runs, rows]`, and its float
hyperparameters as tensors `[runs, 1]` (class weights `[runs, classes]`). Two classes have one
logit, K > 2 have K. A run's loss is the sum of `per_row` over the sum of `row_weights`. A
hyperparameter that is 0 in the whole stack stays the float 0.0: its term is left out.

The target of a row is a class, or a number, which is one output as it is. `Loss.numbers` of a loss
is its other form for that; `regression_losses` has both forms of those that have one.

`class_weights` is the same in every loss: one number for each class in the order of the classes,
or by their names (one that is not named weighs 1), or `balanced`, which is
rows / (classes * rows of the class) over the training rows, as in scikit-learn. A row counts as
much as its class, and the mean is over these weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field
from torch import Tensor

from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Share
from exp.util.errors import ConfigError, Fault, ImpossibleError, unknown
from exp.util.metric_names import class_named


def with_text_keys(given: Any) -> Any:
    """A mapping by the names of classes, which YAML may have read as numbers."""
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
        class_weights: one number for each class; the mean is over the rows' weights.

    Attributes:
        slope: what one logit is multiplied by before the sigmoid that makes it a probability.
        measures: what is measured of a split at every evaluated epoch, beside the loss.
        answers: what `probabilities` gives, as exported models call it.
        numbers: this loss for a target that is a number; None: it has no such form.
        positive: of two classes the one that counts as positive (`dataset.positive`), 0 or 1; the
            engine sets it, the same for all R runs.
    """

    slope = 1.0
    measures: ClassVar[tuple[str, ...]] = ("accuracy",)
    answers: ClassVar[str] = "probabilities"
    numbers: ClassVar[type[Loss] | None] = None
    positive = 1
    stackable: ClassVar[bool] = True
    plain_numbers: ClassVar[bool] = False

    def __init__(self, classes: int, *, class_weights: ClassWeights | None = None) -> None:
        self.classes = classes
        self.outputs = 1 if classes == 2 else classes
        self.class_weights: Any = class_weights

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        """Why this loss cannot be used with so many classes, or None."""
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
        """Labels as `per_row` wants them: float for one logit, else int64. Shape kept."""
        return labels.to(dtype) if self.outputs == 1 else labels

    def marked(self, targets: Tensor, padding: Tensor) -> Tensor:
        """Targets that no answer equals where a row is padding."""
        return targets.masked_fill(padding, -1)

    def unmarked(self, marked: Tensor) -> Tensor:
        """The targets again, with any that `per_row` can take where a row is padding."""
        return marked.clamp_min(0)

    def spread(self, labels: Sequence[NDArray[Any]]) -> Tensor | None:
        """What `measured` must know of the targets `[rows]` of R runs, `[runs]`, if anything."""
        return None

    def row_weights(self, labels: Tensor, dtype: torch.dtype) -> Tensor | None:
        """What each row adds to the mean's divisor, `[runs, rows]`; None: each row adds 1."""
        if self.class_weights is None:
            return None
        weights: Tensor = self.class_weights.to(dtype).gather(1, labels)
        return weights

    def weighted(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Losses `[runs, rows]`, each times the weight of its row's class."""
        weights = self.row_weights(targets.long(), rows.dtype)
        return rows if weights is None else rows * weights

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of every row, `[runs, rows]`."""
        raise NotImplementedError

    def mean(self, logits: Tensor, targets: Tensor, share: Tensor, count: int) -> Tensor:
        """The loss of every run, `[runs]`.

        Args:
            share: what each row counts, `[runs, rows]`; 0 for padding.
            count: the rows of each run that are no padding: the first ones.
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
        """The likeliest class of every row, `[runs, rows]` int64; class 0 where two tie."""
        if self.outputs == 1:
            return (logits.squeeze(1) > 0).long()
        return logits.argmax(dim=1)

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Whether each row's likeliest class is its target, `[runs, rows]` bool.

        Args:
            targets: `marked`.
        """
        if self.outputs == 1:
            return (logits.squeeze(1) > 0) == targets
        return logits.argmax(dim=1) == targets

    def summed(self, correct: Tensor) -> Tensor:
        """What `correct` says, over the rows of a batch: `[runs]`, added up over batches."""
        return correct.sum(dim=-1)

    def measured(self, sums: Tensor, count: int, spread: Tensor | None) -> list[Tensor]:
        """The `measures` of a split, `[runs]` each, of its sums and its number of rows."""
        return [sums / count]


@register.loss("bce")
class BinaryCrossEntropy(Loss):
    """Binary cross entropy on one logit, as `BCEWithLogitsLoss`. For two classes.

    Args:
        pos_weight: how much a row of the positive class (`dataset.positive`) counts against a row
            of the other; the mean is over the number of rows.
        class_weights: one number for each class, in their order or by their names, or balanced;
            the mean is over the rows' weights.
    """

    def __init__(
        self,
        classes: int,
        *,
        pos_weight: Positive | None = None,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.pos_weight: Any = pos_weight

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        if classes > 2:
            return (
                f"loss bce has one logit for two classes, and these data have {classes}. "
                "Use loss=cross_entropy or loss=auto"
            )
        return super().impossible(classes, params)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        weight = None if self.pos_weight is None else self.pos_weight.to(logits.dtype)
        z, wanted = logits.squeeze(1), targets
        if weight is not None and self.positive == 0:
            z, wanted = -z, 1 - targets  # torch weighs the rows whose target is 1
        rows = F.binary_cross_entropy_with_logits(z, wanted, pos_weight=weight, reduction="none")
        return self.weighted(rows, targets)


@register.loss("cross_entropy")
class CrossEntropy(Loss):
    """Cross entropy on one logit for each class, as `CrossEntropyLoss`; two classes have two.

    Args:
        label_smoothing: share of each target spread evenly over all classes.
        class_weights: one number for each class, in their order or by their names, or balanced;
            the mean is over the rows' weights.
    """

    def __init__(
        self,
        classes: int,
        *,
        label_smoothing: Share = 0.0,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.outputs = classes
        self.smoothing: Any = label_smoothing

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        surprise = -F.log_softmax(logits, dim=1)
        if self.class_weights is not None:
            surprise = surprise * self.class_weights.to(logits.dtype)[:, :, None]
        own: Tensor = surprise.gather(1, targets[:, None])[:, 0]
        if isinstance(self.smoothing, float):
            return own
        smoothing = self.smoothing.to(logits.dtype)
        rows: Tensor = (1 - smoothing) * own + smoothing * surprise.mean(dim=1)
        return rows


@register.loss("focal")
class Focal(Loss):
    """Cross entropy times (1 - p)^gamma, so that easy rows count less (Lin et al. 2017).

    Args:
        gamma: how strongly easy rows are played down; 0 is cross entropy.
        alpha: for two classes, the weight of the positive class (`dataset.positive`; the other gets
            1 - alpha); null weighs none.
        class_weights: one number for each class, in their order or by their names, or balanced;
            the mean is over the rows' weights.
    """

    def __init__(
        self,
        classes: int,
        *,
        gamma: NonNegative = 2.0,
        alpha: Share | None = None,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.gamma: Any = gamma
        self.alpha: Any = alpha

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        if params["alpha"] is not None and classes > 2:
            return (
                "loss.alpha of focal is the weight of the positive class of two, and these data "
                f"have {classes} classes. Leave it null"
            )
        return super().impossible(classes, params)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        if self.outputs == 1:
            entropy = F.binary_cross_entropy_with_logits(
                logits.squeeze(1), targets, reduction="none"
            )
        else:
            entropy = -F.log_softmax(logits, dim=1).gather(1, targets[:, None])[:, 0]
        if isinstance(self.gamma, float):
            rows = entropy
        else:
            # The floor keeps the gradient of the power finite where p is 1.
            miss = (-torch.expm1(-entropy)).clamp_min(torch.finfo(logits.dtype).tiny)
            rows = miss.pow(self.gamma.to(logits.dtype)) * entropy
        rows = self.weighted(rows, targets)
        if self.alpha is None:
            return rows
        alpha = torch.as_tensor(self.alpha, dtype=logits.dtype, device=logits.device)
        if self.positive == 0:
            alpha = 1 - alpha
        return rows * (alpha * targets + (1 - alpha) * (1 - targets))


@register.loss("hinge")
class Hinge(Loss):
    """The support vector machine's loss: rows beyond the margin cost nothing.

    Two classes: max(0, margin - s z) with s = -1 or 1; K classes: Crammer and Singer (2001), the
    largest max(0, margin - z_own + z_other). Its probabilities are sigmoid or softmax of scores
    that were never fitted as such: good for drawing, not calibrated.

    Args:
        margin: the score difference that is asked for.
        class_weights: one number for each class, in their order or by their names, or balanced;
            the mean is over the rows' weights.
    """

    def __init__(
        self,
        classes: int,
        *,
        margin: Positive = 1.0,
        class_weights: ClassWeights | None = None,
    ) -> None:
        super().__init__(classes, class_weights=class_weights)
        self.margin: Any = margin

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        margin = self.margin.to(logits.dtype)
        if self.outputs == 1:
            rows = torch.relu(margin - (2 * targets - 1) * logits.squeeze(1))
            return self.weighted(rows, targets)
        own = targets[:, None]
        others = logits.scatter(1, own, -torch.inf).amax(dim=1)
        rows = torch.relu(margin - logits.gather(1, own)[:, 0] + others)
        return self.weighted(rows, targets)


@register.loss("tanh_mse")
class TanhMeanSquaredError(Loss):
    """Half the squared difference between tanh of the logit and -1 or 1. For two classes.

    Source: `Errors.SQUARE` on a tanh output, which is how TensorFlow Playground trains. The
    probability of class 1 is (1 + tanh z) / 2.

    Args:
        class_weights: one number for each class, in their order or by their names, or balanced;
            the mean is over the rows' weights.
    """

    slope = 2.0

    def __init__(self, classes: int, *, class_weights: ClassWeights | None = None) -> None:
        super().__init__(classes, class_weights=class_weights)

    @classmethod
    def impossible(cls, classes: int, params: dict[str, Any]) -> str | None:
        if classes > 2:
            return (
                f"loss tanh_mse has one logit for two classes, and these data have {classes}. "
                "Use loss=mse or loss=auto"
            )
        return super().impossible(classes, params)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        rows = (torch.tanh(logits.squeeze(1)) - (2 * targets - 1)).square() / 2
        return self.weighted(rows, targets)


@register.loss("auto")
def auto(*, class_weights: ClassWeights | None = None) -> None:
    """bce for two classes, cross_entropy for more, mse for a number; the data decide which.

    Args:
        class_weights: one number for each class, in their order or by their names, or balanced;
            the mean is over the rows' weights.
    """


def settled(loss: Chosen, counts: Sequence[int], classes: Sequence[str] = ()) -> Chosen:
    """The loss with what the data decide: which one `auto` is, and what each class weighs.

    Args:
        counts: training rows of each class, at least one; () where the target is a number.
        classes: their names.

    Raises:
        ConfigError: `class_weights` names a class that is not there.
        ImpossibleError: the target is a number, and the loss is for classes.
    """
    if loss.name == "auto":
        name = {0: "mse", 2: "bce"}.get(len(counts), "cross_entropy")
        loss = register.choose("loss", {"name": name, **loss.params}, "loss")
    if not counts:
        return of_numbers(loss)
    given = loss.params.get("class_weights")
    if given == "balanced":
        weights = [sum(counts) / (len(counts) * count) for count in counts]
    elif isinstance(given, Mapping):
        weights = by_name(given, classes)
    else:
        return loss
    return Chosen(loss.component, {**loss.params, "class_weights": weights})


def by_name(given: Mapping[Any, float], classes: Sequence[str]) -> list[float]:
    """The weight of each class, 1 where none is given.

    Raises:
        ConfigError: there is no such class, or it is named twice.
    """
    places = {name: class_named(name, classes) for name in given}
    path = "loss.class_weights"
    faults = [
        Fault(path, unknown("class", str(name), classes, allowed="The classes are"))
        for name, place in places.items()
        if place is None
    ]
    if not faults and len(set(places.values())) < len(places):
        faults = [Fault(path, f"a class is named twice: {', '.join(map(str, given))}")]
    if faults:
        raise ConfigError(faults)
    weights = [1.0] * len(classes)
    for name, place in places.items():
        assert place is not None
        weights[place] = float(given[name])
    return weights


def of_numbers(loss: Chosen) -> Chosen:
    """The form of a loss that takes numbers as targets.

    Raises:
        ImpossibleError: it has none, or weighs classes.
    """
    form: type[Loss] | None = getattr(loss.component.builder, "numbers", None)
    if form is None:
        raise ImpossibleError(
            f"loss {loss.name} is for classes, and the target of these data is a number. "
            "Use loss=mse, loss=l1 or loss=auto"
        )
    if loss.params.get("class_weights") is not None:
        raise ImpossibleError(
            "loss.class_weights are for classes, and the target of these data is a number: "
            "leave it null"
        )
    return Chosen(replace(loss.component, builder=form), loss.params)

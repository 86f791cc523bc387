"""Custom losses on (logits, target), such as `nn.CrossEntropyLoss`, as losses of a run.

What can be registered besides a `Loss`: a class of `nn.Module`, a function on (logits, target), or
a function that builds either. It is called as in plain PyTorch, with the real rows of a batch; a
mean or a sum is taken as it comes, and of a loss for each row the mean. Rows can only have weights
if there is a loss for each row.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from exp.components.custom_signatures import annotated, names_of
from exp.components.losses.loss import Loss
from exp.components.losses.regression_losses import RegressionLoss
from exp.registry.annotations import unwrapped
from exp.util.errors import ComponentError, ImpossibleError

Criterion = Callable[[Tensor, Tensor], Any]
INJECTED = ("classes", "num_classes", "n_classes")
DEPRECATED = ("size_average", "reduce")
"""Parameters of torch's losses that `reduction` has replaced."""
FOR_REGRESSION = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.PoissonNLLLoss)
OF_PROBABILITIES = {
    nn.BCELoss: ("probabilities", "nn.BCEWithLogitsLoss"),
    nn.NLLLoss: ("logarithms of probabilities", "nn.CrossEntropyLoss"),
}
"""Losses whose input is not logits, and which to use instead."""


def adapted(builder: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Converts a registered loss to a subclass of `Loss`, unless it is one."""
    if inspect.isclass(builder) and issubclass(builder, Loss):
        return builder
    target = unwrapped(builder)
    is_class = inspect.isclass(target)
    for kind, (what, better) in OF_PROBABILITIES.items():
        if is_class and issubclass(target, kind):
            raise TypeError(
                f"loss {name!r}: {kind.__name__} takes {what}, but a model returns logits. "
                f"Register {better}"
            )
    return wrapped(builder, name, direct=not is_class and is_criterion(builder))


def is_criterion(function: Callable[..., Any]) -> bool:
    """Whether this is a function on (logits, target) instead of one that builds a loss."""
    if isinstance(function, nn.Module):
        return True
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty and parameter.kind in kinds
    ]
    return len(required) == 2 and not set(required) & set(INJECTED)


def wrapped(builder: Callable[..., Any], name: str, *, direct: bool) -> Callable[..., Any]:
    """
    Args:
        direct: whether the registered function is the loss itself.
    """
    signature = [] if isinstance(builder, nn.Module) else annotated(builder)
    signature = [each for each in signature[2 if direct else 0 :] if each.name not in DEPRECATED]
    injected = next((each.name for each in signature if each.name in INJECTED), None)
    if injected is None:
        classes = inspect.Parameter("classes", inspect.Parameter.KEYWORD_ONLY)
        free = [p for p in signature if p.kind is not p.VAR_KEYWORD]
        rest = [p for p in signature if p.kind is p.VAR_KEYWORD]
        signature = [*free, classes, *rest]

    def criterion(given: dict[str, Any]) -> Criterion:
        passed = dict(given)
        if injected is None:
            passed.pop("classes", None)
        if direct:
            return partial(builder, **passed) if passed else builder
        found = builder(**passed)
        if not callable(found):
            raise ComponentError(
                f"loss {name} must be a loss on (logits, target), found a {type(found).__name__}"
            )
        return found  # type: ignore[no-any-return]

    attributes = {
        "title": name,
        "criterion": staticmethod(criterion),
        "injected": injected or "classes",
        **names_of(builder, signature),
    }
    regression = type(name, (CustomRegressionLoss,), attributes)
    return type(name, (CustomLoss,), {**attributes, "regression": regression})


class Criteria:
    """The common part of both forms of a custom loss."""

    stackable: ClassVar[bool] = False
    plain_values: ClassVar[bool] = True
    placed = False
    rows_weighted: bool
    title: ClassVar[str]
    injected: ClassVar[str]
    criterion: ClassVar[Callable[[dict[str, Any]], Criterion]]
    outputs: int
    loss: Criterion

    def build(self, given: dict[str, Any]) -> Criterion:
        """Builds the loss with plain numbers as parameters.

        Raises:
            ComponentError: the loss has trainable parameters.
        """
        found = type(self).criterion(given)
        if isinstance(found, nn.Module) and any(p.requires_grad for p in found.parameters()):
            raise ComponentError(
                f"loss {self.title} has parameters, but exp trains only those of the "
                "model: move them into the model"
            )
        return found

    def rows_of(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[rows, outputs]` and targets in the form that the loss accepts."""
        raise NotImplementedError

    def mean(self, logits: Tensor, targets: Tensor, share: Tensor, count: int) -> Tensor:
        """The loss on the first `count` rows, `[1]`; the stack has one run."""
        if isinstance(self.loss, nn.Module) and not self.placed:
            self.loss.to(logits.device, logits.dtype)
            self.placed = True
        rows = self.rows_of(logits[0, :, :count].T, targets[0, :count])
        if not self.rows_weighted:
            return self.loss_of(*rows)[None]
        return (self.loss_of_each(*rows) * share[0, :count]).sum()[None]

    def loss_of_each(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each row, `[rows]`.

        Raises:
            ComponentError: the loss returns one number for all of them.
        """
        found = self.loss(logits, targets)
        if isinstance(found, Tensor) and found.shape in ((len(logits),), targets.shape):
            return found.reshape(-1)
        raise ComponentError(
            f"loss {self.title} returns one number for a batch, but the rows of these data have "
            "weights: return the loss of each row, as torch's losses do with reduction='none'"
        )

    def loss_of(self, logits: Tensor, targets: Tensor) -> Tensor:
        """
        Raises:
            ComponentError: the loss returns neither one number nor one number per row.
        """
        found = self.loss(logits, targets)
        if not isinstance(found, Tensor):
            raise ComponentError(
                f"loss {self.title} must return a tensor, found a {type(found).__name__}"
            )
        if found.dim() == 0:
            return found
        if found.shape in ((len(logits),), targets.shape):
            return found.mean()
        if found.numel() == 1:
            return found.reshape(())
        raise ComponentError(
            f"loss {self.title} must return one number, or one for each row [{len(logits)}], found "
            f"{list(found.shape)}"
        )


class CustomLoss(Criteria, Loss):
    """A custom loss on (logits, target) for classes.

    There are two forms: one logit per class with int64 targets `[rows]`, as `nn.CrossEntropyLoss`;
    or, for two classes, one logit with float targets, as `nn.BCEWithLogitsLoss`. exp uses the first
    form that works.
    """

    def __init__(self, **given: Any) -> None:
        classes = given.get(self.injected, given.get("classes"))
        assert isinstance(classes, int)
        super().__init__(classes)
        self.loss = self.build(given)
        if isinstance(self.loss, FOR_REGRESSION):
            raise ImpossibleError(
                f"loss {self.title} ({type(self.loss).__name__}) is a regression loss, "
                f"and these data have {classes} classes: use loss=auto, or loss=mse, "
                "which compares probabilities"
            )
        self.column = True
        self.outputs = self.logits_taken()

    def logits_taken(self) -> int:
        """The number of logits that the loss needs.

        Raises:
            ComponentError: the loss accepts neither form.
        """
        several = torch.zeros(7, self.classes), torch.arange(7) % self.classes
        forms: list[tuple[int, bool, Tensor, Tensor]] = [(self.classes, True, *several)]
        if self.classes == 2:
            ones = (torch.arange(7) % 2).float()
            forms += [(1, True, torch.zeros(7, 1), ones[:, None]), (1, False, torch.zeros(7), ones)]
        first: Exception | None = None
        for outputs, column, logits, targets in forms:
            try:
                with warnings.catch_warnings(), torch.enable_grad():
                    warnings.simplefilter("error")  # torch warns before it broadcasts
                    self.loss_of(logits.requires_grad_(), targets)
            except Exception as error:
                first = first or error
                continue
            self.column = column
            return outputs
        assert first is not None
        if self.classes > 2 and self.takes_one():
            raise ImpossibleError(
                f"loss {self.title} needs two classes, and these data have "
                f"{self.classes}: use loss=auto or loss=cross_entropy"
            )
        raise first

    def takes_one(self) -> bool:
        """Whether the loss is for two classes."""
        ones = (torch.arange(7) % 2).float()
        try:
            self.loss_of(torch.zeros(7, 1), ones[:, None])
        except Exception:
            return False
        return True

    def rows_of(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        if self.outputs > 1:
            return logits, targets
        return (logits, targets[:, None]) if self.column else (logits[:, 0], targets)

    def per_row(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each row, `[runs, rows]`, row by row, since the loss may return a mean."""
        rows = []
        for run in range(len(logits)):
            z, y = self.rows_of(logits[run].T, targets[run])
            rows.append(
                torch.stack([self.loss_of(z[i : i + 1], y[i : i + 1]) for i in range(len(z))])
            )
        return torch.stack(rows)


class CustomRegressionLoss(Criteria, RegressionLoss):
    """A custom loss on (prediction, target), both `[rows, 1]`, for regression."""

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self.loss = self.build(given)

    def rows_of(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return logits, targets[:, None]

    per_row = CustomLoss.per_row

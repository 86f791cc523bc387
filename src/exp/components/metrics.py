"""Custom metrics: scores that users register, besides those of exp.

    @register.metric("cost", higher_is_better=False)
    def cost(y_true, y_pred):
        return 10 * ((y_true == 1) & (y_pred == 0)).mean() + ((y_true == 0) & (y_pred == 1)).mean()

    register.metric("jaccard")(sklearn.metrics.jaccard_score)
    register.metric("f_1")(torchmetrics.classification.BinaryF1Score)

exp computes a metric for every split at the end of a run. If `trainer.monitor` names it, exp also
computes it for one split at every evaluated epoch.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.components.final_scores import score
from exp.registry.registry import register
from exp.registry.user_code import calling
from exp.util.metric_names import EVERY, OF_NUMBERS

CHANCES = (
    "y_score", "y_scores", "y_prob", "y_proba", "y_probs", "pred_proba", "y_pred_proba",
    "probability", "probabilities", "proba", "probas", "pred_decision",
)  # fmt: skip
"""Names of a second parameter that takes probabilities; any other takes predicted classes."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,60}")
ENDINGS = {"_score": True, "_loss": False, "_error": False, "_deviance": False}
"""Endings of the names of scikit-learn's functions, and whether higher values are better."""


class Metric:
    """A registered metric.

    Args:
        name: the key in summary.json.
        function: a function of the true values `[rows]` and the predictions `[rows]` or the
            probabilities, as NumPy arrays; or a class of torchmetrics.
        module: the module that registers it.
        higher_is_better: the direction; None: that of the torchmetrics class, or of the
            scikit-learn function of that name.
        probabilities: whether the second argument is probabilities; None: its name decides.
        regression: whether the metric is for regression; None: as in torchmetrics or
            scikit-learn, else for classes.

    Raises:
        ValueError: the name is in use or not allowed, or the direction is unknown.

    Two classes are numbered 0 and 1, where 1 is the positive class, and the probabilities are those
    of the positive class, `[rows]`. More classes are numbered 0..K-1, with probabilities
    `[rows, K]`. A parameter called `classes` receives the names of the classes in this order.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        module: str,
        higher_is_better: bool | None = None,
        probabilities: bool | None = None,
        regression: bool | None = None,
    ) -> None:
        if not NAME.fullmatch(name) or name in (*EVERY, "confusion", "epoch", "monitor", "lr"):
            raise ValueError(
                f"metric {name!r}: this name is in use or not allowed. Use another one, of "
                "letters, digits, '_', '.' and '-'"
            )
        self.name, self.function = name, function
        self.__module__, self.__qualname__ = module, name
        inner = function.func if isinstance(function, partial) else function
        self.__doc__ = inspect.getdoc(inner)
        self.torch = hasattr(inner, "update") and hasattr(inner, "compute")
        self.parameters = tuple(inspect.signature(function).parameters)
        place = str(getattr(inner, "__module__", ""))
        if regression is None:
            regression = "regression" in place and place.startswith(("sklearn.", "torchmetrics."))
        self.regression = regression
        if probabilities is None:
            second = self.parameters[1] if len(self.parameters) > 1 else ""
            probabilities = self.torch or second in CHANCES
        self.probabilities = probabilities
        if higher_is_better is None:
            higher_is_better = direction(inner, torch=self.torch, place=place)
        if higher_is_better is None:
            wanted = f"register.metric({name!r}, higher_is_better=True or False)"
            raise ValueError(f"metric {name!r}: set whether higher values are better: {wanted}")
        self.higher_is_better = higher_is_better

    def __call__(
        self,
        truth: NDArray[Any],
        predicted: NDArray[Any],
        probabilities: NDArray[Any],
        positive: int | None,
        classes: tuple[str, ...],
    ) -> float | None:
        """Its value for some rows; None where it is not a finite number.

        Args:
            truth: `[rows]`, classes 0..K-1 or numbers.
            predicted: `[rows]`, likewise.
            probabilities: `[rows, K]`; not used for numbers.
            positive: of two classes the one that counts as positive.
            classes: the names of the classes.

        Raises:
            CustomCodeError: it raises an error, or does not return a number.
        """
        names = classes
        if positive is not None:
            names = (classes[1 - positive], classes[positive])
            truth, predicted = (np.asarray(y == positive, np.int64) for y in (truth, predicted))
            probabilities = probabilities[:, positive]
        second = probabilities if self.probabilities and classes else predicted
        with calling(f"metric {self.name}"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a class without rows: the value shows it
            found = self.found(truth.copy(), second.copy(), names)
            value = None if found is None else float(found)
        return value if value is not None and np.isfinite(value) else None

    def found(self, truth: NDArray[Any], second: NDArray[Any], classes: tuple[str, ...]) -> Any:
        if not self.torch:
            more = {"classes": classes} if "classes" in self.parameters else {}
            return self.function(truth, second, **more)
        import torch

        given = {
            "num_classes": len(classes),
            "task": "binary" if len(classes) == 2 else "multiclass",
        }
        set_already = self.function.keywords if isinstance(self.function, partial) else {}
        wanted = {
            name: value
            for name, value in given.items()
            if name in self.parameters and name not in set_already and classes
        }
        metric = self.function(**wanted)
        metric.update(torch.from_numpy(second), torch.from_numpy(truth))
        return metric.compute()


def direction(inner: Any, *, torch: bool, place: str) -> bool | None:
    """Whether higher values of a metric are better, if its package defines this."""
    if torch:
        found: bool | None = getattr(inner, "higher_is_better", None)
        return found
    if place.startswith("sklearn.metrics"):
        name = str(getattr(inner, "__name__", ""))
        return next((better for end, better in ENDINGS.items() if name.endswith(end)), None)
    return None


def custom(*, regression: bool) -> list[Metric]:
    """Every registered metric for classes or for regression, sorted by name."""
    found = register.kinds["metric"].components
    metrics = [found[name].builder for name in sorted(found)]
    return [each for each in metrics if isinstance(each, Metric) and each.regression == regression]


def directions() -> dict[str, bool]:
    """Name -> whether higher values are better, of every registered metric."""
    return {
        m.name: m.higher_is_better for m in (*custom(regression=False), *custom(regression=True))
    }


def value(
    name: str,
    truth: NDArray[Any],
    predicted: NDArray[Any],
    probabilities: NDArray[Any],
    positive: int | None,
    classes: tuple[str, ...],
) -> float | None:
    """One score of exp or of a registered metric.

    Args:
        name: any score except the loss. For the others see `Metric`.
    """
    if name not in EVERY:
        metric: Any = register.kinds["metric"].components[name].builder
        found: float | None = metric(truth, predicted, probabilities, positive, classes)
        return found
    assert name not in OF_NUMBERS  # metrics.csv has these at every epoch
    return score(name, probabilities, predicted, truth, positive)

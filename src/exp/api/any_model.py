"""Any model as a function from rows to probabilities: a run, an `nn.Module`, an estimator of
scikit-learn, or a Python function."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor

from exp.api.model import Predicting
from exp.util.errors import ExpError, shown

Outputs = Literal["logits", "probabilities"]
CHUNK = 8192
"""Rows that a module is given at a time."""
EXPECTED = (
    "expected a run, a torch.nn.Module, a fitted estimator of scikit-learn, or a function from "
    "rows [rows, features] to probabilities or classes"
)
ENDINGS = {"Sigmoid": "probabilities", "Softmax": "probabilities", "LogSoftmax": "logits"}
"""What the last layer of an `nn.Sequential` gives; softmax takes log-probabilities as well."""


@dataclass(frozen=True)
class Answers:
    """What a model says of rows.

    Attributes:
        probabilities: [rows, K]; of a model that only names classes 0 and 1.
        classes: their names, if the model knows them.
        certain: whether they are probabilities, and not only classes.
    """

    probabilities: NDArray[np.float64]
    classes: tuple[str, ...] | None
    certain: bool = True


def ask(model: Any, rows: Any, outputs: Outputs | None, labels: tuple[str, ...]) -> Answers:
    """The answers of a model for rows, a matrix of float64 or a DataFrame.

    Args:
        outputs: what a module or a function gives; None: found out.
        labels: names of the classes of the known rows, for models that only name classes.

    Raises:
        ExpError: it is no model, its answers have an unexpected shape, or it is not clear whether
            they are logits.
    """
    if isinstance(model, type):
        raise ExpError(f"{model.__name__} is a class: create a model of it and train it first")
    if isinstance(model, Predicting):
        trained = model.trained()
        return Answers(trained.predict_proba(rows).astype(np.float64), trained.classes)
    if is_module(model):
        return of_module(model, rows, outputs)
    if hasattr(model, "predict_proba") or hasattr(model, "predict"):
        return of_estimator(model, rows, labels)
    if not callable(model):
        raise ExpError(f"model: {EXPECTED}; found {shown(model)}")
    try:
        found = array(model(rows))
    except Exception as error:
        kind = "DataFrame" if hasattr(rows, "columns") else "NumPy array"
        about = f"with a {kind} of shape {list(rows.shape)}"
        raise ExpError(f"the function raised {type(error).__name__} {about}: {error}") from error
    checked(found, len(rows))
    if not np.issubdtype(found.dtype, np.floating):
        return only_classes(found, labels)
    return Answers(probabilities(found, outputs or given_by_function(found)), None)


def is_module(model: Any) -> bool:
    """Whether it is an `nn.Module`; without torch, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def of_module(model: Any, rows: Any, outputs: Outputs | None) -> Answers:
    """The answers of an `nn.Module`, which is in evaluation mode meanwhile."""
    torch = sys.modules["torch"]
    numbers = rows.to_numpy(np.float64) if hasattr(rows, "columns") else rows
    first = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(0))
    found = []
    with evaluating(model), torch.no_grad():
        for start in range(0, len(numbers), CHUNK):
            part = torch.from_numpy(np.ascontiguousarray(numbers[start : start + CHUNK])).to(first)
            try:
                found.append(array(model(part)))
            except RuntimeError as error:
                wide = "1 feature" if part.shape[1] == 1 else f"{part.shape[1]} features"
                raise ExpError(f"the model cannot take rows of {wide}: {error}") from error
    whole = np.concatenate(found)
    checked(whole, len(numbers))
    if not np.issubdtype(whole.dtype, np.floating):
        raise ExpError(
            f"the model gives values of type {whole.dtype}: expected logits or probabilities"
        )
    return Answers(probabilities(whole, outputs or given_by_module(model, whole)), None)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Every part of a module in evaluation mode, and afterwards as it was."""
    modes = [(part, part.training) for part in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for part, training in modes:
            part.training = training


def of_estimator(model: Any, rows: Any, labels: tuple[str, ...]) -> Answers:
    """The answers of an estimator of scikit-learn."""
    if hasattr(model, "__sklearn_tags__") and is_regressor(model):
        raise ExpError(f"{type(model).__name__} predicts numbers: a boundary needs classes")
    names = None
    if hasattr(model, "predict_proba"):
        found = checked(array(model.predict_proba(rows)), len(rows))
        if hasattr(model, "classes_"):
            names = tuple(text(each) for each in model.classes_)
        return Answers(probabilities(found, "probabilities"), names)
    found = checked(array(model.predict(rows)), len(rows))
    if hasattr(model, "classes_"):
        labels = tuple(text(each) for each in model.classes_)
    return only_classes(found, labels)


def only_classes(found: NDArray[Any], labels: tuple[str, ...]) -> Answers:
    """The answers of a model that gives the class of each row."""
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise ExpError(f"classes: expected one for each row, found the shape {list(found.shape)}")
    texts = [text(each) for each in found.tolist()]
    if {*texts} <= {str(at) for at in range(len(labels))} and not {*texts} <= {*labels}:
        texts = [labels[int(each)] for each in texts]  # places among the classes
    names = (*labels, *sorted({*texts} - {*labels}))
    place = {name: at for at, name in enumerate(names)}
    chosen = np.array([place[each] for each in texts], np.intp)
    return Answers(np.eye(len(names))[chosen], names, certain=False)


def given_by_module(model: Any, found: NDArray[Any]) -> Outputs:
    """Whether a module gives logits or probabilities.

    Raises:
        ExpError: it could be either.
    """
    last = model
    torch = sys.modules["torch"]
    while isinstance(last, torch.nn.Sequential) and len(last):
        last = last[-1]
    name = type(last).__name__
    if name in ENDINGS:
        return ENDINGS[name]  # type: ignore[return-value]
    if last is not model or isinstance(last, torch.nn.Linear) or not within(found):
        return "logits"
    if found.ndim == 2 and found.shape[1] > 1:
        return "probabilities" if np.allclose(found.sum(axis=1), 1.0, atol=1e-3) else "logits"
    raise ExpError(
        "every output of the model is between 0 and 1, so it could be a probability or a logit: "
        "add outputs='probabilities' (after a sigmoid) or outputs='logits' (without)"
    )


def given_by_function(found: NDArray[Any]) -> Outputs:
    """What a function gives: probabilities.

    Raises:
        ExpError: they are none.
    """
    sums = found.ndim == 1 or found.shape[1] == 1 or np.allclose(found.sum(axis=1), 1.0, atol=1e-3)
    if within(found) and sums:
        return "probabilities"
    low, high = float(np.nanmin(found)), float(np.nanmax(found))
    raise ExpError(
        f"the function gives numbers from {low:.3g} to {high:.3g}, which are no probabilities: "
        "return probabilities or classes, or add outputs='logits'"
    )


def within(found: NDArray[Any]) -> bool:
    """Whether all finite numbers are between 0 and 1."""
    finite = found[np.isfinite(found)]
    return bool(((finite >= -1e-6) & (finite <= 1 + 1e-6)).all())


def probabilities(found: NDArray[Any], outputs: Outputs) -> NDArray[np.float64]:
    """`[rows, K]` from outputs `[rows]`, `[rows, 1]` or `[rows, K]`; one is that of two classes.

    Raises:
        ExpError: `outputs` has another value, or they are no probabilities.
    """
    found = found.astype(np.float64)
    if found.ndim == 1:
        found = found[:, None]
    if outputs not in ("logits", "probabilities"):
        raise ExpError(f"outputs: expected 'logits' or 'probabilities', found {shown(outputs)}")
    if outputs == "probabilities":
        if not within(found):
            low, high = float(np.nanmin(found)), float(np.nanmax(found))
            raise ExpError(
                f"outputs='probabilities': found numbers from {low:.3g} to {high:.3g}. For logits, "
                "use outputs='logits'"
            )
        return found if found.shape[1] > 1 else np.hstack([1 - found, found])
    if found.shape[1] == 1:
        found = np.hstack([-found / 2, found / 2])
    with np.errstate(invalid="ignore"):
        powers = np.exp(found - found.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def array(values: Any) -> NDArray[Any]:
    """Values of NumPy, torch or pandas, or a list of them, as an array."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def checked(found: NDArray[Any], rows: int) -> NDArray[Any]:
    """
    Raises:
        ExpError: these are not the answers for so many rows.
    """
    if found.ndim not in (1, 2) or len(found) != rows or not found.size:
        raise ExpError(
            f"the model gives values of shape {list(found.shape)} for {rows} rows: expected "
            f"[{rows}], [{rows}, 1] or [{rows}, classes]"
        )
    return found


def text(label: Any) -> str:
    """A label as the name of its class: 1.0 is the same class as 1."""
    if isinstance(label, float | np.floating) and float(label).is_integer():
        label = int(label)
    return str(label)

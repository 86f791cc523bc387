"""A model file as an object, and the answers of a model, which a run gives as well."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from exp.runs.trained.predictor import Trained
    from exp.runs.trained.source import Source


def loaded(source: Source, *, trust: bool, checkpoint: str = "final") -> Trained:
    """The model of a run or in a model file, as `Trained.of` reads it."""
    from exp.runs.trained.predictor import Trained  # torch

    return Trained.of(source, trust=trust, checkpoint=checkpoint)


class Predicting(ABC):
    """What can be asked of a model that has learned."""

    @abstractmethod
    def trained(self, checkpoint: str = "final") -> Trained:
        """The model of a checkpoint, with the preparation of its rows."""

    def predict_proba(self, X: Any, *, checkpoint: str = "final", as_frame: bool = False) -> Any:
        """Probabilities `[rows, classes]` for rows `[rows, features]` in their original units; the
        preparation of the training rows is applied.

        Args:
            X: a matrix, or a DataFrame, which is matched by its column names. It contains numbers,
                the texts of categories, and dates as timestamps, as texts in the format of the
                training data, or as days since 1970-01-01. Missing values are None or NaN.
            checkpoint: as for `trained`; a model file has one model.
            as_frame: return a DataFrame with a column for each class, by its name, and with the
                index of X if that is a DataFrame.

        Raises:
            DataError: the rows do not match the training data.
            ExpError: the target is a number.
        """
        model = self.trained(checkpoint)
        found = model.predict_proba(X)
        if not as_frame:
            return found
        return pd.DataFrame(found, X.index if isinstance(X, pd.DataFrame) else None, model.classes)

    def predict(self, X: Any, *, checkpoint: str = "final") -> NDArray[Any]:
        """The name of the most probable class of each row, `[rows]`; in regression, the
        prediction."""
        return self.trained(checkpoint).predict(X)

    @cached_property
    def model(self) -> nn.Module:
        """The trained network, plain PyTorch, with the weights of the final scores: on the CPU, in
        evaluation mode, and in memory of its own, so that it can be changed or trained further.

        `run.model(run.inputs(X))` are logits `[rows, outputs]`, one output for two classes; in
        regression they are numbers `[rows, 1]` on the scale that was trained.
        """
        return self.trained().module()

    def inputs(self, X: Any) -> Tensor:
        """Rows as `model` takes them, `[rows, inputs]`: encoded, standardized and mapped as the
        training rows were.

        Args:
            X: rows `[rows, features]` in their original units, as for `predict_proba`.

        Raises:
            DataError: the rows do not match the training data.
        """
        return self.trained().tensor(X)


class Model(Predicting):
    """A model file, from `exp.load`.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path, model: Trained) -> None:
        self.path, self._model = path, model

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns that rows need."""
        return self._model.features

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of `predict_proba`; () if the target is a number."""
        return self._model.classes

    def trained(self, checkpoint: str = "final") -> Trained:
        """The model with the preparation of its rows; a file has one, whatever the checkpoint."""
        return self._model

    def __repr__(self) -> str:
        target = f"{len(self.classes)} classes" if self.classes else "a number as target"
        return f"<model {self.path.name}, {len(self.features)} features, {target}>"

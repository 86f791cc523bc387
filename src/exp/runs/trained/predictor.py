"""A trained model from raw rows to answers: the run's own preparation stands in between."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from exp.engine import Job, Predictor
from exp.runs.record import CHECKPOINTS, RunRecord
from exp.runs.targets import target_of
from exp.runs.trained.load_model import model_without_rows
from exp.runs.trained.model_file import content, model_of
from exp.runs.trained.preparation import Preparation
from exp.runs.trained.raw_rows import raw_rows
from exp.runs.trained.source import Source
from exp.util.errors import ExpError, unknown


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that has learned, and how its rows are prepared.

    Attributes:
        job: of the run; its data say how rows are prepared, but those of a run that was loaded have
            no rows (`load_model.model` reads them again).
        predictor: takes prepared rows, as training does.
        stored: the preparation as it was stored; None: that of the job's data.
    """

    job: Job
    predictor: Predictor
    stored: Preparation | None = None

    @classmethod
    def of(cls, source: Source, *, trust: bool, checkpoint: str = "final") -> Trained:
        """The model of a finished run, or that in a model file.

        Args:
            trust: whether the modules that its config names may be imported.
            checkpoint: of a run; a model file has one model.

        Raises:
            ExpError: there is no such checkpoint; the run has not ended; or its config, its
                components or the version of exp are not what they were.
        """
        if checkpoint not in CHECKPOINTS:
            raise ExpError(unknown("checkpoint", checkpoint, CHECKPOINTS, "There are"))
        if isinstance(source, RunRecord):
            return cls(*model_without_rows(source, trust=trust, checkpoint=checkpoint))
        return cls(*model_of(source, trust=trust))

    @cached_property
    def preparation(self) -> Preparation:
        """What stands between a raw row and the model."""
        return Preparation.of(self.job.data) if self.stored is None else self.stored

    def file(self) -> bytes:
        """The bytes of the model as one safetensors file, which `Trained.of` and `exp.load` read
        without the run and its data.

        Raises:
            ExpError: it cannot be such a file.
        """
        return content(self.job, self.predictor, self.preparation)

    @property
    def features(self) -> tuple[str, ...]:
        return self.job.data.data.features

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names; () where the target is a number."""
        return self.job.data.data.classes

    def logits(self, X: Any) -> NDArray[np.floating]:
        """Logits `[rows, outputs]` of raw rows `[rows, features]`.

        Raises:
            DataError: rows that the model cannot be given.
        """
        return self.predictor.logits(self.inputs(X))

    def inputs(self, X: Any) -> NDArray[np.float32]:
        """What the network is given for raw rows: `[rows, features]` to `[rows, inputs]`.

        Raises:
            DataError: rows that the model cannot be given.
        """
        prepared = self.job.data
        return prepared.transform(prepared.encoded(raw_rows(X, prepared.data)))

    def tensor(self, X: Any) -> Tensor:
        """The same in the dtype of the network."""
        return torch.from_numpy(self.inputs(X)).to(self.job.device.dtype)

    def module(self) -> nn.Module:
        """The network as its component builds it, on the CPU, with the weights that it has learned;
        it shares no memory with the run."""
        module = self.job.module().to(self.job.device.dtype)
        learned = self.predictor.model.state(0)
        module.load_state_dict({name: learned[name] for name in module.state_dict()})
        return module.cpu().eval()

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Probabilities `[rows, classes]` of raw rows `[rows, features]`: those of
        predictions.csv for the same rows, bit for bit, however many there are.

        Raises:
            ExpError: the target is a number.
            DataError: rows that the model cannot be given.
        """
        if not self.classes:
            raise ExpError("this run is a regression, which has no probabilities: use predict")
        return self.answers(X)

    def answers(self, X: Any) -> NDArray[np.floating]:
        """What an exported model gives for raw rows: probabilities `[rows, classes]`, or
        predictions `[rows, 1]` where the target is a number."""
        return self.predictor.probabilities(self.logits(X))

    def numbered(self, X: Any) -> NDArray[Any]:
        """The likeliest class of raw rows, `[rows]`, counted from 0; or the predicted number."""
        return self.predictor.labels(self.logits(X))

    def table(self, X: Any) -> pd.DataFrame:
        """The columns that `exp predict` adds to raw rows: `probability:CLASS` of each class, and
        `predicted`; with the index of `X` if that is a DataFrame."""
        logits = self.logits(X)
        predicted = self.predictor.labels(logits)
        *names, last = target_of(self.job.data.data).answers
        columns = dict(zip(names, self.predictor.probabilities(logits).T, strict=False))
        named = np.array(self.classes, object)[predicted] if self.classes else predicted
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame({**columns, last: named}, index)

    def predict(self, X: Any) -> NDArray[Any]:
        """The name of the likeliest class of raw rows, `[rows]`; or the predicted number."""
        found = self.numbered(X)
        return np.array(self.classes)[found] if self.classes else found

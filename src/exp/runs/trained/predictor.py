"""A trained model from raw rows to answers: the run's own preparation stands in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.engine import Job, Predictor
from exp.runs.record import CHECKPOINTS, RunRecord
from exp.runs.trained.load_model import model
from exp.runs.trained.raw_rows import raw_rows
from exp.util.errors import ExpError, unknown


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that has learned, and how its rows are prepared.

    Attributes:
        job: of the run; its data know how rows are prepared.
        predictor: takes prepared rows, as training does.
    """

    job: Job
    predictor: Predictor

    @classmethod
    def of(cls, run: RunRecord, *, trust: bool, checkpoint: str = "final") -> Trained:
        """The model of a finished run.

        Raises:
            ExpError: there is no such checkpoint; it has not ended; or its data, its config or
                the version of exp are not what they were.
        """
        if checkpoint not in CHECKPOINTS:
            raise ExpError(unknown("checkpoint", checkpoint, CHECKPOINTS, "There are"))
        return cls(*model(run, trust=trust, checkpoint=checkpoint))

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
        prepared = self.job.data
        rows = prepared.encoded(raw_rows(X, prepared.data))
        return self.predictor.logits(prepared.transform(rows))

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

    def predict(self, X: Any) -> NDArray[Any]:
        """The name of the likeliest class of raw rows, `[rows]`; or the predicted number."""
        found = self.numbered(X)
        return np.array(self.classes)[found] if self.classes else found

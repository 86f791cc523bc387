"""The code of a model of MLflow, which MLflow copies into its folder and runs to load it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from exp.runs.trained.predictor import Trained


class ExpModel(PythonModel):  # type: ignore[misc]
    """Rows as a DataFrame to the columns that `exp predict` adds: probability:CLASS of each class
    and predicted."""

    def load_context(self, context: Any) -> None:
        """Reads the model file."""
        self.trained = Trained.of(Path(context.artifacts["model"]), trust=True)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """The answers for rows, with the same index."""
        return self.trained.table(model_input)


set_model(ExpModel())

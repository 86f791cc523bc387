"""A trained model as MLflow's: a folder that `mlflow.pyfunc.load_model` reads. Importing this
imports mlflow, an extra.

    save(Trained.of(run, trust=...), folder)

The folder holds the model as one safetensors file, the code that reads it (`mlflow_code.py`, which
needs exp installed), a signature and an example of rows. Nothing in it is a pickle.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import mlflow
import torch
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from exp.runs.record import RunRecord
from exp.runs.targets import target_of
from exp.runs.trained.example_rows import examples
from exp.runs.trained.model_file import NAME
from exp.runs.trained.predictor import Trained
from exp.util.packages import installed

CODE = Path(__file__).with_name("mlflow_code.py")
KINDS = {"number": "double", "date": "datetime", "category": "string"}
"""What MLflow calls the kinds of a column."""


def save(trained: Trained, folder: Path) -> None:
    """Writes the folder of a model; it must not exist yet.

    Raises:
        ExpError: the model cannot be a file.
        OSError: the folder cannot be written.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mlflow's own use of what others deprecate
        file = Path(place, NAME)
        file.write_bytes(trained.file())
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=str(CODE),
            artifacts={"model": str(file)},
            signature=signature(trained),
            input_example=examples(trained.preparation, 5),
            pip_requirements=[f"exp=={installed('exp')}"],
        )


def save_run(run: RunRecord, folder: Path, *, trust: bool) -> None:
    """Writes the folder of the model of a finished run.

    Args:
        trust: whether the modules that its config names may be imported.

    Raises:
        ExpError: as of `Trained.of` and `save`.
    """
    save(Trained.of(run, trust=trust), folder)


def signature(trained: Trained) -> Any:
    """Names and types of the columns of rows, and of their answers, which are those of
    `exp predict`."""
    columns = [
        ColSpec(KINDS[column.kind], column.name, required=True)
        for column in trained.preparation.columns
    ]
    *scores, predicted = target_of(trained.job.data.data).answers
    number = "double" if trained.job.device.dtype == torch.float64 else "float"
    kind = "string" if trained.classes else number
    answers = [*(ColSpec(number, name) for name in scores), ColSpec(kind, predicted)]
    return ModelSignature(inputs=Schema(columns), outputs=Schema(answers))

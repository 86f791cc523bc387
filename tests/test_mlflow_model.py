"""A run as a model of MLflow, which `mlflow.pyfunc.load_model` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import exp
from commands import inside
from test_export_raw_rows import STRANGE, TRAIN, pets

pytest.importorskip("mlflow")


@pytest.mark.filterwarnings("ignore")
def test_mlflow_loads_the_model_with_its_signature(in_tmp: Path) -> None:
    import mlflow

    from exp.runs.trained.mlflow_model import save

    pets(120).to_csv("pets.csv", index=False)
    ended = inside(
        in_tmp, "dataset=csv", "dataset.path=pets.csv", "dataset.target=kind", *TRAIN,
        "dataset.categorical=[legs]", "dataset.dates=[born]", "dataset.missing=impute",
        "hydra.run.dir=run",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    trained = exp.load("run").trained()
    save(trained, in_tmp / "model")
    assert not [path for path in Path("model").rglob("*") if path.suffix in (".pkl", ".pickle")]
    model = mlflow.pyfunc.load_model("model")
    inputs, outputs = model.metadata.get_input_schema(), model.metadata.get_output_schema()
    kinds = {column.name: column.type.name for column in inputs.inputs}
    assert kinds == {
        "weight": "double", "colour": "string", "legs": "string", "tame": "string",
        "born": "datetime", "label": "double",
    }  # fmt: skip
    names = [*(f"probability:{name}" for name in ("cat", "dog", "owl")), "predicted"]
    assert outputs.input_names() == names
    example = model.input_example
    assert list(example.columns) == list(kinds)
    rows = pd.DataFrame(STRANGE)[::-1]
    rows["weight"] = pd.to_numeric(rows["weight"], errors="coerce")
    rows["label"] = rows["label"].astype(float)
    rows["born"] = pd.to_datetime(rows["born"])
    rows["colour"] = rows["colour"].where(rows["colour"] != "", None)
    found = model.predict(rows)
    pd.testing.assert_frame_equal(found, trained.table(rows))
    assert not found.isna().any().any()
    np.testing.assert_allclose(found[names[:3]].sum(axis=1), 1, atol=1e-5)

"""The names of the outputs of an ONNX file."""

from __future__ import annotations

from exp.runs.trained.predictor import Trained


def names_of_outputs(trained: Trained) -> list[str]:
    """The outputs of the graph; one that a column is called like gets a line behind it."""
    answers = trained.predictor.objective.loss.answers
    names = [answers, "label"] if trained.classes else [answers]
    taken = {column.name for column in trained.preparation.columns}
    return [f"{name}_" if name in taken else name for name in names]

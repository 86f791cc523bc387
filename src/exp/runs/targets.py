"""What a model answers for rows, as text and as scores: one of some classes, or a number.

All that stands in the files of a run and depends on what its target is, is here.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from exp.components.final_scores import errors, scores
from exp.data.dataset import Data
from exp.plotting.numbers import number, percent
from exp.plotting.picture import OF_CLASSES, OF_NUMBERS

Columns = list[list[str]]
"""Columns of text, each with a line for each row."""


class Classes:
    """The target is one of some classes.

    Attributes:
        column: of predictions.csv that has the true values.
        about: what the target is, in two words.
        record: what run.json says of it.
        untrained: heading of an untrained model's answers.
        answers: the columns of an answer, the predicted value last.
        other_figures: figures that only runs of another kind of target have.
    """

    column = "label"
    untrained = "logits -> probabilities -> label (true label)"
    other_figures = OF_NUMBERS

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.about = f"{len(classes)} classes"
        self.record: dict[str, Any] = {"classes": list(classes)}
        self.answers = [*(f"probability:{name}" for name in classes), "predicted"]

    def logits(self, outputs: int) -> list[str]:
        """The columns of so many logits; none where they are the answer."""
        return ["logit"] if outputs == 1 else [f"logit:{name}" for name in self.classes]

    def texts(self, values: NDArray[Any]) -> list[str]:
        """True or predicted values `[rows]` as they are written."""
        return [self.classes[value] for value in values.tolist()]

    def columns(self, probabilities: NDArray[Any], predicted: NDArray[Any]) -> Columns:
        """The columns of `answers`."""
        return [*probabilities.astype(str).T.tolist(), self.texts(predicted)]

    def scores(
        self,
        probabilities: NDArray[Any],
        predicted: NDArray[Any],
        truth: NDArray[Any],
        positive: int | None,
    ) -> dict[str, Any]:
        """Final scores by name, beside the loss.

        Args:
            positive: of two classes the one that counts as positive.
        """
        return scores(probabilities, predicted, truth, positive)

    def headline(self, split: str, predicted: NDArray[Any], truth: NDArray[Any]) -> str:
        """How good the answers are, in a line."""
        return f"{split} accuracy {percent(float((predicted == truth).mean()))}"

    def untrained_row(
        self, logits: NDArray[Any], chances: NDArray[Any], value: Any, truth: Any
    ) -> str:
        """What an untrained model answers for one row."""
        named = f"{self.classes[value]} ({self.classes[truth]})"
        return f"{listed(logits)} -> {listed(chances)} -> {named}"


class Number:
    """The target is a number; attributes and methods as of `Classes`."""

    column = "target"
    about = "a number as target"
    untrained = "prediction (target)"
    answers = ["predicted"]  # noqa: RUF012 - nobody writes to it
    other_figures = OF_CLASSES

    def __init__(self) -> None:
        self.record: dict[str, Any] = {"classes": [], "target": "number"}

    def logits(self, outputs: int) -> list[str]:
        return []

    def texts(self, values: NDArray[Any]) -> list[str]:
        found: list[str] = values.astype(str).tolist()
        return found

    def columns(self, probabilities: NDArray[Any], predicted: NDArray[Any]) -> Columns:
        return [self.texts(predicted)]

    def scores(
        self,
        probabilities: NDArray[Any],
        predicted: NDArray[Any],
        truth: NDArray[Any],
        positive: int | None,
    ) -> dict[str, Any]:
        return errors(predicted, truth)

    def headline(self, split: str, predicted: NDArray[Any], truth: NDArray[Any]) -> str:
        found = errors(predicted, truth)
        explained = "" if found["r2"] is None else f", R² {number(found['r2'])}"
        return f"{split} RMSE {number(found['rmse'], places=True)}{explained}"

    def untrained_row(
        self, logits: NDArray[Any], chances: NDArray[Any], value: Any, truth: Any
    ) -> str:
        return f"{value:.4f} ({truth:.4f})"


Target = Classes | Number


def target_of(data: Data) -> Target:
    """What the target of a data set is."""
    return Number() if data.numeric else Classes(data.classes)


def listed(values: NDArray[Any]) -> str:
    return "[" + " ".join(f"{value:.4f}" for value in values) + "]"

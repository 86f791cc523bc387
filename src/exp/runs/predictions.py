"""predictions.csv: what a trained model answers for every row of every split, read back.

The columns: `split` and `row` (from 0, in the data set), the features, then the true value
(`label` or `target`), the logits and probabilities of classes, and `predicted` last. A feature
whose name would be taken for another column has `feature:` in front.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.runs.metrics_file import numbers, table_of
from exp.util.errors import shown

LABEL, TARGET = "label", "target"
"""The column of true values: of classes, of numbers."""
FEATURE, LOGIT, PROBABILITY = "feature:", "logit:", "probability:"


def feature_column(feature: str, target: str) -> str:
    """The column of a feature.

    Args:
        target: the column of true values.
    """
    ours = ("split", "row", target, "predicted", "logit")
    clash = feature in ours or feature.startswith((LOGIT, PROBABILITY, FEATURE))
    return FEATURE + feature if clash else feature


@dataclass(frozen=True, eq=False)
class Predictions:
    """The content of predictions.csv.

    Attributes:
        columns: the texts of each column by its name, as they stand there.
        classes: the K names; () where the target is a number.
        split: `[rows]` train, validation or test.
        row: `[rows]` which row of the data set each is.
        truth: `[rows]` the true classes, int64 in 0..K-1; or numbers, float64.
        predicted: the predicted ones, likewise.
        probabilities: `[rows, K]`; `[rows, 0]` where the target is a number.
        categories: features that hold categories; None: those of which a value is not a number.
    """

    columns: dict[str, list[str]]
    classes: tuple[str, ...]
    split: NDArray[np.str_]
    row: NDArray[np.int64]
    truth: NDArray[Any]
    predicted: NDArray[Any]
    probabilities: NDArray[np.float64]
    categories: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        data: bytes,
        *,
        classes: Sequence[str] | None = None,
        categories: Collection[str] | None = None,
    ) -> Predictions:
        """The content of a file.

        Args:
            classes: as run.json has them; None: those that the file names.

        Raises:
            ValueError: it is no such file.
        """
        columns = table_of(data)
        true = true_column(list(columns))
        found = {n.removeprefix(PROBABILITY): n for n in columns if n.startswith(PROBABILITY)}
        named = list(found)
        if true == LABEL and not named:
            named = list(classes or sorted({*columns[true], *columns["predicted"]}))
        if classes is not None and named != list(classes):
            raise ValueError(f"expected the classes {shown(classes)}, found {shown(named)}")
        if not all(n.isascii() and n.isdecimal() and len(n) <= 18 for n in columns["row"]):
            raise ValueError("expected whole numbers in column 'row'")
        places = {name: place for place, name in enumerate(named)}
        values: dict[str, NDArray[Any]] = {}
        for name in (true, "predicted"):
            if true == TARGET:
                values[name] = numbers(name, columns[name])
            elif strange := set(columns[name]) - set(named):
                raise ValueError(f"column {name!r} has a class that is unknown: {shown(strange)}")
            else:
                values[name] = np.array([places[text] for text in columns[name]], np.int64)
        chances = [numbers(name, columns[name]) for name in found.values()]
        return cls(
            columns=columns,
            classes=tuple(named),
            split=np.array(columns["split"], np.str_),
            row=np.array(columns["row"], object).astype(np.int64),
            truth=values[true],
            predicted=values["predicted"],
            probabilities=np.array(chances).T if chances else np.zeros((len(columns["row"]), 0)),
            categories=None if categories is None else frozenset(categories),
        )

    @property
    def numeric(self) -> bool:
        """Whether the target is a number."""
        return true_column(list(self.columns)) == TARGET

    @property
    def features(self) -> dict[str, NDArray[Any]]:
        """Name -> values, `[rows]`: float64 with NaN for gaps, or text with "" for gaps."""
        return {name.removeprefix(FEATURE): self._feature(name) for name in self._feature_columns}

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every column by its name in the file: numbers where they are, classes by name."""
        found: dict[str, NDArray[Any]] = {"split": self.split, "row": self.row}
        features = self._feature_columns
        for name, texts in list(self.columns.items())[2:]:
            if name in features:
                found[name] = self._feature(name)
            elif not self.numeric and name in (LABEL, "predicted"):
                found[name] = np.array(texts, np.str_)
            else:
                found[name] = numbers(name, texts)
        return found

    def inputs(self, chosen: NDArray[np.intp]) -> bytes:
        """A digest of the features of some rows: the same rows give the same."""
        columns = (self.columns[name] for name in self._feature_columns)
        texts = [[column[at] for at in chosen.tolist()] for column in columns]
        return hashlib.sha256(repr(texts).encode()).digest()

    @property
    def _feature_columns(self) -> list[str]:
        names = list(self.columns)
        return names[2 : names.index(true_column(names))]

    def _feature(self, column: str) -> NDArray[Any]:
        name, texts = column.removeprefix(FEATURE), self.columns[column]
        try:
            if self.categories is None or name not in self.categories:
                return numbers(name, texts)
        except ValueError:
            if self.categories is not None:
                raise
        return np.array(texts, np.str_)


def true_column(header: Sequence[str]) -> str:
    """The column of true values.

    Raises:
        ValueError: it is not a header of predictions.csv.
    """
    if list(header[:2]) != ["split", "row"] or list(header[-1:]) != ["predicted"]:
        raise ValueError("expected the columns split, row, ..., predicted")
    if header[-2] == TARGET and len(header) > 3:
        return TARGET
    # The features may have a column `target` too.
    place = len(header) - 2
    while place >= 2 and (header[place] + ":").startswith((PROBABILITY, LOGIT)):
        place -= 1
    if place < 2 or header[place] != LABEL:
        raise ValueError(f"expected a column {LABEL} or {TARGET} behind the features")
    return LABEL

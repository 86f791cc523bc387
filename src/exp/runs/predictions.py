"""predictions.csv: what a trained model says of every row of every split, written and read.

The columns: `split` and `row` (from 0, in the data set), the features, then the true value
(`label` or `target`), the logits and probabilities of classes, and `predicted` last. A feature
whose name would be taken for another column has `feature:` in front.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.runs.metrics_file import numbers
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
        header: the names of its columns.
        columns: their values, as they stand there.
        classes: the K names; () where the target is a number.
        categories: features that hold categories; None: those of which a value is no number.
    """

    header: list[str]
    columns: list[list[str]]
    classes: tuple[str, ...]
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
        try:
            reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
            header, rows = next(reader, []), list(reader)
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: {error}") from None
        place = place_of_truth(header)
        if odd := {len(row) for row in rows} - {len(header)}:
            raise ValueError(f"expected {len(header)} fields in a row, found {min(odd)}")
        columns = [[row[at] for row in rows] for at in range(len(header))]
        named = [n.removeprefix(PROBABILITY) for n in header if n.startswith(PROBABILITY)]
        if header[place] == LABEL and not named:
            named = list(classes or sorted({*columns[place], *columns[-1]}))
        if classes is not None and named != list(classes):
            raise ValueError(f"expected the classes {shown(classes)}, found {shown(named)}")
        found = cls(
            header, columns, tuple(named), None if categories is None else frozenset(categories)
        )
        found.truth, found.predicted, found.row, found.probabilities  # noqa: B018 - looked at once
        return found

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def numeric(self) -> bool:
        """Whether the target is a number."""
        return self.header[self._place] == TARGET

    @property
    def split(self) -> NDArray[np.str_]:
        """train, validation or test, `[rows]`."""
        return np.array(self.columns[0], np.str_)

    @cached_property
    def row(self) -> NDArray[np.int64]:
        """Which row of the data set each is, `[rows]`."""
        return whole_numbers("row", self.columns[1])

    @cached_property
    def truth(self) -> NDArray[Any]:
        """The true classes, `[rows]` int64 in 0..K-1; or numbers, float64."""
        return self._values(self._place)

    @cached_property
    def predicted(self) -> NDArray[Any]:
        """The predicted ones, likewise."""
        return self._values(len(self.header) - 1)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """`[rows, K]`; `[rows, 0]` where the target is a number."""
        chosen = [at for at, name in enumerate(self.header) if name.startswith(PROBABILITY)]
        found = [numbers(self.header[at], self.columns[at]) for at in chosen]
        return np.column_stack(found) if found else np.zeros((len(self), 0))

    @property
    def features(self) -> dict[str, NDArray[Any]]:
        """Name -> values, `[rows]`: float64 with NaN for gaps, or text with "" for gaps."""
        names = self.header[2 : self._place]
        return {
            name.removeprefix(FEATURE): self._feature(at) for at, name in enumerate(names, start=2)
        }

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every column by its name in the file: numbers where they are, classes by name."""
        found: dict[str, NDArray[Any]] = {"split": self.split, "row": self.row}
        for at, name in enumerate(self.header[2:], start=2):
            if at < self._place:
                found[name] = self._feature(at)
            elif not self.numeric and name in (LABEL, "predicted"):
                found[name] = np.array(self.columns[at], np.str_)
            else:
                found[name] = numbers(name, self.columns[at])
        return found

    def inputs(self, chosen: NDArray[np.intp]) -> bytes:
        """A digest of the features of some rows: the same rows give the same."""
        texts = [[column[at] for at in chosen.tolist()] for column in self.columns[2 : self._place]]
        return hashlib.sha256(repr(texts).encode()).digest()

    @cached_property
    def _place(self) -> int:
        return place_of_truth(self.header)

    def _values(self, at: int) -> NDArray[Any]:
        if self.numeric:
            return numbers(self.header[at], self.columns[at])
        codes = {name: code for code, name in enumerate(self.classes)}
        try:
            return np.array([codes[text] for text in self.columns[at]], np.int64)
        except KeyError as error:
            raise ValueError(f"there is no class {shown(error.args[0])}") from None

    def _feature(self, at: int) -> NDArray[Any]:
        name, texts = self.header[at].removeprefix(FEATURE), self.columns[at]
        if self.categories is not None and name not in self.categories:
            return numbers(name, texts)
        if self.categories is None:
            try:
                return numbers(name, texts)
            except ValueError:
                pass
        return np.array(texts, np.str_)


def place_of_truth(header: Sequence[str]) -> int:
    """The place of the column of true values.

    Raises:
        ValueError: it is no header of predictions.csv.
    """
    if list(header[:2]) != ["split", "row"] or list(header[-1:]) != ["predicted"]:
        raise ValueError("expected the columns split, row, ..., predicted")
    if len(set(header)) != len(header):
        raise ValueError("expected columns of different names")
    place = len(header) - 2
    if header[place] == TARGET and place >= 2:
        return place
    # The features may have a column of this name too where the target is a number.
    while place >= 2 and (header[place] + ":").startswith((PROBABILITY, LOGIT)):
        place -= 1
    if place < 2 or header[place] != LABEL:
        raise ValueError(f"expected a column {LABEL} or {TARGET} behind the features")
    return place


def whole_numbers(name: str, texts: Sequence[str]) -> NDArray[np.int64]:
    if not all(text.isascii() and text.isdecimal() and len(text) <= 18 for text in texts):
        raise ValueError(f"expected whole numbers in column {shown(name, 40)}")
    return np.array(texts, np.int64) if texts else np.zeros(0, np.int64)

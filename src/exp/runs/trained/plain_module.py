"""A trained model as one plain `nn.Module`: encoded rows in, probabilities or predictions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from exp.components.feature_modules import module_of
from exp.components.losses import Loss
from exp.data.target_scale import TargetScale
from exp.runs.trained.example_rows import trial_rows
from exp.runs.trained.predictor import Trained
from exp.runs.trained.raw_rows import raw_rows
from exp.util.errors import ImpossibleError

TRIED = 1_000
"""Rows that a module is compared on before it is given away."""
TOLERANCE = 1e-6
"""Of probabilities, and of predictions relative to the largest: plain PyTorch adds in another order
than a stack."""


class Standardize(nn.Module):
    """`(rows - mean) / scale`, computed in float64 as `exp.data.dataset.standardized` does."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: np.ndarray, scale: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean.copy()))
        self.register_buffer("scale", torch.from_numpy(scale.copy()))

    def forward(self, rows: Tensor) -> Tensor:
        """Rows `[rows, features]`, float32 or float64, in float32."""
        scaled: Tensor = (rows.double() - self.mean) / self.scale
        return scaled.float()


class Fill(nn.Module):
    """Missing values of numbers become the numbers that stand for them.

    Args:
        fill: a number for each column; None: the column is 0 or 1 and has no missing values.
        marks: for each column whether another one follows it that is 1 where it is missing.
        missing: numbers that mean a missing value, as NaN always does.
    """

    fill: Tensor
    numeric: Tensor
    places: Tensor

    def __init__(
        self,
        fill: Sequence[float | None],
        marks: Sequence[bool],
        missing: Sequence[float],
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.register_buffer("fill", torch.tensor([each or 0.0 for each in fill], dtype=dtype))
        self.register_buffer("numeric", torch.tensor([each is not None for each in fill]))
        self.missing = torch.tensor(missing, dtype=dtype).tolist()
        count = len(fill)
        places = [[at, count + at] if marked else [at] for at, marked in enumerate(marks)]
        self.register_buffer("places", torch.tensor([at for each in places for at in each]))
        self.marked = any(marks)

    def forward(self, rows: Tensor) -> Tensor:
        gaps = rows.isnan()
        for number in self.missing:
            gaps = gaps | ((rows == number) & self.numeric)
        filled = torch.where(gaps, self.fill, rows)
        if not self.marked:
            return filled
        return torch.cat([filled, gaps.to(rows.dtype)], dim=1)[:, self.places]


class Map(nn.Module):
    """A feature map, which computes in float64; its features are float32."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, rows: Tensor) -> Tensor:
        mapped: Tensor = self.module(rows.double())
        return mapped.float()


class Deployed(nn.Module):
    """Encoded rows `[rows, columns]` in float32 (float64 where the data set needs it), in which
    numbers may be missing, to probabilities `[rows, classes]`, or to predictions `[rows, 1]` where
    the target is a number.

    Args:
        prepare: from such rows to what the model was trained on.
        model: to logits `[rows, outputs]`.
        loss: owns the way from logits to answers.
        dtype: that the model computes in.
        target_scale: of a target that is a number, which turns answers into its units; or None.
        labelled: whether to give the most probable class of each row, `[rows]`, as well.
    """

    def __init__(
        self,
        prepare: nn.Module,
        model: nn.Module,
        loss: Loss,
        dtype: torch.dtype,
        target_scale: TargetScale | None,
        *,
        labelled: bool = False,
    ) -> None:
        super().__init__()
        self.prepare, self.model = prepare, model
        self._loss, self._dtype, self._labelled = loss, dtype, labelled
        self._scale = target_scale

    def forward(self, rows: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        logits = self.model(self.prepare(rows).to(self._dtype)).T[None]
        answers = self._loss.probabilities(logits)[0].T
        if self._scale is not None:
            restored = answers.double() * self._scale.scale + self._scale.mean
            answers = restored.to(answers.dtype)
        return (answers, self._loss.labels(logits)[0]) if self._labelled else answers


def plain(trained: Trained) -> nn.Module:
    """The model of a run as its component builds it, its weights as constants."""
    return trained.module().requires_grad_(False)


def deployed(trained: Trained, *, labelled: bool = False) -> Deployed:
    """The whole way of a trained model from encoded rows as a module, compared with the engine's
    own answers.

    Raises:
        ImpossibleError: its feature map is a function of a user's, or the module does not say the
            same.
    """
    job, loss = trained.job, trained.predictor.objective.loss
    scale = job.data.target_scale
    parts = preparation(trained), plain(trained), loss, job.device.dtype, scale
    rows = trial_rows(trained.preparation, TRIED)
    with torch.no_grad():
        found = Deployed(*parts).eval()(torch.from_numpy(encoded_rows(trained, rows))).numpy()
    compare(found, trained.answers(rows), loss.answers)
    return Deployed(*parts, labelled=labelled).eval()


def compare(found: NDArray[Any], wanted: NDArray[Any], what: str) -> None:
    """
    Raises:
        ImpossibleError: an exported model and the engine do not say the same.
    """
    apart = float(np.abs(found - wanted).max())
    if not apart <= TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        raise ImpossibleError(
            f"the model cannot be exported: outside exp its {what} differ by {apart:g}"
        )


def encoded_rows(trained: Trained, rows: pd.DataFrame) -> NDArray[Any]:
    """Raw rows as the rows that `Deployed` takes: numbers and categories encoded, missing numbers
    NaN."""
    prepared = trained.job.data
    raw = raw_rows(rows, prepared.data)
    if prepared.encoding is None:
        return raw
    columns = tuple(
        replace(column, fill=None, marks=False) if column.categories is None else column
        for column in prepared.encoding.columns
    )
    return replace(prepared.encoding, columns=columns)(raw)


def preparation(trained: Trained) -> nn.Sequential:
    """What stands between encoded rows and the model.

    Raises:
        ImpossibleError: the feature map is a function of a user's.
    """
    data, steps = trained.job.data, nn.Sequential()
    if data.encoding is not None and data.data.gaps:
        columns = data.encoding.columns
        numbers: list[float | None] = []
        marks: list[bool] = []
        for column in columns:
            if column.categories is None:
                numbers.append(column.fill)
                marks.append(column.marks)
            else:
                numbers += [None] * len(column.names)
                marks += [False] * len(column.names)
        dtype = torch.float64 if data.data.X.dtype == np.float64 else torch.float32
        steps.append(Fill(numbers, marks, missing_numbers(trained), dtype))
    if data.mean is not None and data.scale is not None:
        steps.append(Standardize(data.mean, data.scale))
    if data.mapping is not None:
        if (module := module_of(data.mapping)) is None:
            raise ImpossibleError(
                f"the model cannot be exported: features {data.mapping.name} is a Python function. "
                "Use exp predict, exp.load or exp export --to safetensors instead"
            )
        steps.append(Map(module))
    return steps


def missing_numbers(trained: Trained) -> list[float]:
    """Numbers that mean a missing value in the rows of a run."""
    reading = trained.job.data.data.reading
    return [] if reading is None else reading.na.numbers.tolist()

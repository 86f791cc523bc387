"""A trained model as one plain `nn.Module`: raw rows in, probabilities or predictions out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from exp.components.losses import Loss
from exp.data.prepared import Prepared
from exp.data.target_scale import TargetScale
from exp.runs.trained.predictor import Trained
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


class Deployed(nn.Module):
    """Raw rows `[rows, features]` in float32 (float64 where the data set needs it) to
    probabilities `[rows, classes]`, or to predictions `[rows, 1]` where the target is a number.

    Args:
        prepare: from raw rows to what the model was trained on.
        model: to logits `[rows, outputs]`.
        loss: owns the way from logits to answers.
        dtype: that the model computes in.
        target_scale: of a target that is a number, which turns answers into its units; or None.
    """

    def __init__(
        self,
        prepare: nn.Module,
        model: nn.Module,
        loss: Loss,
        dtype: torch.dtype,
        target_scale: TargetScale | None,
    ) -> None:
        super().__init__()
        self.prepare, self.model = prepare, model
        self._loss, self._dtype, self._scale = loss, dtype, target_scale

    def forward(self, rows: Tensor) -> Tensor:
        logits = self.model(self.prepare(rows).to(self._dtype))
        answers = self._loss.probabilities(logits.T[None])[0].T
        if self._scale is None:
            return answers
        restored = answers.double() * self._scale.scale + self._scale.mean
        return restored.to(answers.dtype)


def plain(trained: Trained) -> nn.Module:
    """The model of a run as its component builds it, with the weights that it has learned."""
    module = trained.job.module().to(trained.job.device.dtype)
    learned = trained.predictor.model.state(0)
    module.load_state_dict({name: learned[name] for name in module.state_dict()})
    return module.cpu().eval().requires_grad_(False)


def deployed(trained: Trained) -> Deployed:
    """The whole way of a trained model as a module, compared with the engine's own answers.

    Raises:
        ImpossibleError: it does not say the same.
    """
    job = trained.job
    module = Deployed(
        preparation(job.data),
        plain(trained),
        trained.predictor.objective.loss,
        job.device.dtype,
        job.data.target_scale,
    ).eval()
    rows = job.data.data.X[:TRIED]
    with torch.no_grad():
        found = module(torch.from_numpy(rows)).numpy()
    wanted = trained.answers(rows)
    apart = float(np.abs(found - wanted).max())
    if not apart <= TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        answers = trained.predictor.objective.loss.answers
        raise ImpossibleError(
            f"the model cannot be exported: as a plain module its {answers} differ by {apart:g}"
        )
    return module


def preparation(data: Prepared) -> nn.Module:
    """What stands before the model, as a module.

    Raises:
        ImpossibleError: rows are prepared by more than a standardization.
    """
    more = ImpossibleError(
        "the model cannot be exported: its rows are encoded or mapped, not only "
        "standardized. Use exp predict or exp.load instead"
    )
    if data.encoding is not None or data.mapping is not None:
        raise more
    module: nn.Module = nn.Identity()
    if data.mean is not None and data.scale is not None:
        module = Standardize(data.mean, data.scale)
    rows = data.data.X[:TRIED]
    found = module(torch.from_numpy(rows)).float().numpy()
    if not np.array_equal(found, data.transform(rows)):
        raise more
    return module

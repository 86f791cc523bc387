"""The schedule that reacts to a score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from exp.components.schedulers.scheduler import Epochs, Progress, Scheduler
from exp.registry.registry import register
from exp.registry.types import NonNegative
from exp.util.errors import shown

Lowering = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


MOST = 1_000_000_000
"""Evaluations."""


@register.scheduler("plateau")
class Plateau(Scheduler):
    """Multiply the rate by factor when the monitored score stops improving, as `ReduceLROnPlateau`.

    The schedule counts evaluations, not epochs (`trainer.eval_every`), and follows
    `trainer.monitor`.

    Args:
        factor: factor at each change.
        patience: evaluations without improvement before the learning rate changes.
        threshold: the smallest improvement that counts.
        threshold_mode: rel: relative to the best score; abs: a difference.
        cooldown: evaluations after a change that are ignored.
        min_lr: the lowest rate.
    """

    observes = True
    LEAST_CHANGE = 1e-8  # PyTorch's `eps`: smaller changes of the rate are skipped

    def __init__(
        self,
        *,
        factor: Lowering = 0.1,
        patience: Epochs = 10,
        threshold: NonNegative = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: Epochs = 0,
        min_lr: NonNegative = 0.0,
    ) -> None:
        self.factor, self.patience, self.min_lr = factor, patience, min_lr
        self.threshold, self.relative, self.cooldown = threshold, threshold_mode == "rel", cooldown
        self.best: float | None = None
        self.bad = self.cooling = self.changes = 0

    def rate(self, base: float, progress: Progress) -> float:
        rate = base
        for _ in range(self.changes):
            lower = max(rate * self.factor, self.min_lr)
            if rate - lower <= self.LEAST_CHANGE:
                break
            rate = lower
        return rate

    def observe(self, value: float) -> None:
        if self.improves(value):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.cooling > 0:
            self.cooling -= 1
            self.bad = 0
        if self.bad > self.patience:
            self.changes += 1
            self.cooling, self.bad = self.cooldown, 0

    def improves(self, value: float) -> bool:
        """Whether a score is better than the best one by more than the threshold. NaN never is."""
        if self.best is None:
            return math.isfinite(value)
        sign = -1.0 if self.higher_is_better else 1.0
        if self.relative:
            return sign * value < sign * self.best * (1 - sign * self.threshold)
        return sign * value < sign * self.best - self.threshold

    @property
    def state(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "bad": self.bad,
            "cooling": self.cooling,
            "changes": self.changes,
        }

    @state.setter
    def state(self, saved: Mapping[str, Any]) -> None:
        best, counts = saved.get("best"), [saved.get(n) for n in ("bad", "cooling", "changes")]
        number = type(best) in (int, float) and math.isfinite(best)  # type: ignore[arg-type]
        if not (best is None or number) or not all(
            type(count) is int and 0 <= count <= MOST for count in counts
        ):
            keys = "best, bad, cooling and changes"
            raise ValueError(f"expected the keys {keys}, found {shown(dict(saved))}")
        self.best = best
        self.bad, self.cooling, self.changes = counts  # type: ignore[assignment]

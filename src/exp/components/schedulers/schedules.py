"""Schedules that are a function of the epoch or the step only."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from exp.components.schedulers.scheduler import Progress, Scheduler
from exp.registry.registry import register
from exp.registry.types import LARGEST, Count, NonNegative, Positive, Share

Divisor = Annotated[float, Field(ge=1, le=LARGEST, allow_inf_nan=False)]


def powered(base: float, gamma: float, times: int) -> float:
    """base * gamma^times, limited to the range of float32: a growing rate ends in a diverged
    run."""
    try:
        return min(base * gamma**times, LARGEST)
    except OverflowError:
        return LARGEST


@register.scheduler("step")
class Step(Scheduler):
    """Multiply the rate by gamma after every step_size epochs, as `StepLR`.

    Args:
        step_size: epochs between two changes.
        gamma: factor at each change.
    """

    def __init__(self, *, step_size: Count = 300, gamma: Positive = 0.1) -> None:
        self.step_size, self.gamma = step_size, gamma

    def rate(self, base: float, progress: Progress) -> float:
        return powered(base, self.gamma, progress.epoch // self.step_size)


@register.scheduler("multistep")
class MultiStep(Scheduler):
    """Multiply the rate by gamma at each milestone, as `MultiStepLR`.

    Args:
        milestones: the epochs (from 0) at which the learning rate changes; in any order.
        gamma: factor at each change.
    """

    def __init__(
        self,
        *,
        milestones: Annotated[list[Count], Field(max_length=1000)] = [500, 750],  # noqa: B006
        gamma: Positive = 0.1,
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma

    def rate(self, base: float, progress: Progress) -> float:
        return powered(base, self.gamma, bisect_right(self.milestones, progress.epoch))


@register.scheduler("exponential")
class Exponential(Scheduler):
    """Multiply the rate by gamma after every epoch, as `ExponentialLR`.

    Args:
        gamma: factor at each change.
    """

    def __init__(self, *, gamma: Positive = 0.995) -> None:
        self.gamma = gamma

    def rate(self, base: float, progress: Progress) -> float:
        return powered(base, self.gamma, progress.epoch)


@register.scheduler("cosine")
class Cosine(Scheduler):
    """Lower the rate along half a cosine to eta_min, as `CosineAnnealingLR`.

    Source: Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983, without restarts.

    Args:
        t_max: epochs until the rate is eta_min; after them it rises again; null: all epochs.
        eta_min: the lowest rate.
    """

    def __init__(self, *, t_max: Count | None = None, eta_min: NonNegative = 0.0) -> None:
        self.t_max, self.eta_min = t_max, eta_min

    def rate(self, base: float, progress: Progress) -> float:
        t_max = progress.epochs if self.t_max is None else self.t_max
        height = (1 + math.cos(math.pi * progress.epoch / t_max)) / 2
        return self.eta_min + (base - self.eta_min) * height


def _one_cycle(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if params["three_phase"] and params["pct_start"] > 0.5:
        found = params["pct_start"]
        yield (
            "pct_start",
            (
                f"expected at most 0.5 with three_phase, found {found}: the rise and the first "
                "fall each take this share"
            ),
        )


@register.scheduler("one_cycle", check=_one_cycle)
class OneCycle(Scheduler):
    """Raise the rate to max_lr, then lower it close to 0, step by step, as `OneCycleLR`.

    The momentum is constant (`cycle_momentum=False`).

    Source: Smith and Topin 2019, Super-Convergence, arXiv:1708.07120.

    Args:
        max_lr: the highest rate; null: the rate of the optimizer.
        pct_start: share of the steps in which the rate rises.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first / final_div_factor.
        anneal_strategy: cos or linear.
        three_phase: fall as fast as it rose, then fall to the last rate.
    """

    within_epoch = True

    def __init__(
        self,
        *,
        max_lr: Positive | None = None,
        pct_start: Share = 0.3,
        div_factor: Divisor = 25.0,
        final_div_factor: Divisor = 1e4,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        three_phase: bool = False,
    ) -> None:
        self.max_lr, self.pct_start, self.three_phase = max_lr, pct_start, three_phase
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.linear = anneal_strategy == "linear"

    def rate(self, base: float, progress: Progress) -> float:
        total = progress.epochs * progress.steps_per_epoch
        now = progress.epoch * progress.steps_per_epoch + progress.step
        peak = base if self.max_lr is None else self.max_lr
        first = peak / self.div_factor
        last = first / self.final_div_factor
        rising = self.pct_start * total
        phases = [(rising - 1, first, peak), (total - 1, peak, last)]
        if self.three_phase:
            phases[1:] = [(2 * rising - 2, peak, first), (total - 1, first, last)]
        begin = 0.0
        while len(phases) > 1 and now > phases[0][0]:
            begin = phases.pop(0)[0]
        end, high, low = phases[0]
        # A phase of no length, in a run of very few steps, is at its end.
        share = (now - begin) / (end - begin) if end > begin else 1.0
        if self.linear:
            return high + (low - high) * share
        return low + (high - low) / 2 * (1 + math.cos(math.pi * share))


@register.scheduler("inverse")
class Inverse(Scheduler):
    """Divide the rate by (1 + decay * epoch)^power.

    Source: `learning_rate="invscaling"` of scikit-learn's `MLPClassifier`, which counts rows
    instead of epochs: for the same rates, set decay to the number of training rows. With power
    1 this is Keras's `InverseTimeDecay`.

    Args:
        decay: factor of the epoch number.
        power: the exponent; 0.5 divides by a square root.
    """

    def __init__(self, *, decay: NonNegative = 1.0, power: NonNegative = 0.5) -> None:
        self.decay, self.power = decay, power

    def rate(self, base: float, progress: Progress) -> float:
        return base / math.exp(self.power * math.log1p(self.decay * progress.epoch))

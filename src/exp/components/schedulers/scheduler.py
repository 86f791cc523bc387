"""Schedules of the learning rate: one object for each run, with plain floats.

A schedule is a function of the progress of the run. What torch.optim.lr_scheduler computes from its
last value is computed here from the start, so that a resumed run needs no history; only `plateau`,
which follows a loss, has a state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.util.errors import shown

Factor = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Epochs = Annotated[int, Field(ge=0, le=1_000_000_000)]


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run; a schedule computes the learning rate from it.

    Attributes:
        epoch: the current epoch, from 0.
        epochs: number of epochs of the whole run.
        step: the optimizer step within the epoch, from 0.
        steps_per_epoch: optimizer steps of one epoch.
    """

    epoch: int
    epochs: int
    step: int = 0
    steps_per_epoch: int = 1


class Scheduler(ABC):
    """The learning rate of one run.

    Attributes:
        constant: the rate is always the base rate.
        within_epoch: the rate changes from step to step, not only from epoch to epoch.
        observes: the schedule needs the monitored score after each evaluation.
        higher_is_better: whether higher values of that score are better; the engine sets it.
    """

    constant: bool = False
    within_epoch: bool = False
    observes: bool = False
    higher_is_better: bool = False

    @abstractmethod
    def rate(self, base: float, progress: Progress) -> float:
        """The learning rate of the next step; `base` is the rate of the optimizer."""

    def observe(self, value: float) -> None:
        """Called with the monitored score after each evaluation."""
        return

    @property
    def state(self) -> dict[str, Any]:
        """The state as values that JSON can store. Assigning a saved state restores it."""
        return {}

    @state.setter
    def state(self, saved: Mapping[str, Any]) -> None:
        if saved:
            raise ValueError(f"{type(self).__name__} has no state, found {sorted(saved)}")


@register.common("scheduler")
def warmup(*, warmup: Epochs = 0, warmup_start: Factor = 0.1) -> None:
    """A linear warm-up; the schedule starts after it, at its epoch 0.

    Args:
        warmup: epochs in which the learning rate rises with each step; 0: no warm-up.
        warmup_start: the learning rate of the first step, as a share of the full one.
    """


def scheduler(chosen: Chosen) -> Scheduler:
    """The schedule of a config, including its warm-up."""
    after: Scheduler = chosen.build()
    shared = chosen.common
    return Warmup(after, shared["warmup"], shared["warmup_start"]) if shared["warmup"] else after


class Warmup(Scheduler):
    """A linear warm-up over the steps of the first epochs, then another schedule; in PyTorch,
    `SequentialLR` with `LinearLR`.

    Args:
        after: the schedule after the warm-up; its epochs are the remaining ones.
        epochs: epochs of the warm-up, at least 1.
        start: factor of the first learning rate.
    """

    within_epoch = True

    def __init__(self, after: Scheduler, epochs: int, start: float) -> None:
        self.after, self.epochs, self.start = after, epochs, start
        self.observes = after.observes
        self.warming = True

    def rate(self, base: float, progress: Progress) -> float:
        self.warming = progress.epoch < self.epochs
        steps = progress.steps_per_epoch
        if self.warming:
            done = (progress.epoch * steps + progress.step) / (self.epochs * steps)
            return base * (self.start + (1 - self.start) * done)
        epoch, epochs = progress.epoch - self.epochs, progress.epochs - self.epochs
        return self.after.rate(base, Progress(epoch, epochs, progress.step, steps))

    def observe(self, value: float) -> None:
        """Ignores scores during the warm-up, because they do not describe the full learning
        rate."""
        if not self.warming:
            self.after.higher_is_better = self.higher_is_better
            self.after.observe(value)

    @property
    def state(self) -> dict[str, Any]:
        return {"warming": self.warming, "behind": self.after.state}

    @state.setter
    def state(self, saved: Mapping[str, Any]) -> None:
        warming, behind = saved.get("warming"), saved.get("behind")
        if not isinstance(warming, bool) or not isinstance(behind, Mapping):
            raise ValueError(f"expected the keys warming and behind, found {shown(dict(saved))}")
        self.warming, self.after.state = warming, dict(behind)


@register.scheduler("none")
class Constant(Scheduler):
    """A constant learning rate."""

    constant = True

    def rate(self, base: float, progress: Progress) -> float:
        return base

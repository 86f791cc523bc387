"""Custom schedules that are classes of `torch.optim.lr_scheduler`, as schedules of a run.

The class is stepped on an optimizer that has nothing but a learning rate, and the rate that it sets
is the rate of the run. It is stepped after each epoch, or after each batch where its documentation
says so (`OneCycleLR`, `CyclicLR`), or where the class has `within_epoch = True`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from exp.components.custom_signatures import annotated, keyword_only, names_of
from exp.components.schedulers.scheduler import Progress, Scheduler
from exp.registry.annotations import unwrapped
from exp.util.errors import ComponentError

INJECTED = ("optimizer", "last_epoch", "verbose")
BY_STEP = ("OneCycleLR", "CyclicLR")
LENGTHS = ("epochs", "steps_per_epoch", "total_steps")
"""Parameters for the length of the run: exp sets those that the config does not set."""


def adapted(builder: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Converts a registered schedule to a `Scheduler`: a class of torch, or a function of
    `optimizer` that builds one. Anything else must build a `Scheduler` itself."""
    if inspect.isclass(builder) and issubclass(builder, Scheduler):
        return builder
    if "optimizer" not in inspect.signature(builder).parameters:
        return checked(builder, name)
    target = unwrapped(builder)
    by_step = getattr(target, "__name__", "") in BY_STEP
    hidden = {*INJECTED, *(builder.keywords if isinstance(builder, partial) else ())}
    options = [each for each in keyword_only(annotated(builder)) if each.name not in hidden]
    if by_step:  # only the rate is scheduled
        options = [
            each.replace(default=False) if each.name == "cycle_momentum" else each
            for each in options
        ]
    attributes = {
        "title": name,
        "builder": staticmethod(builder),
        "within_epoch": bool(getattr(target, "within_epoch", by_step)),
        "observes": follows_loss(target),
        "lengths": tuple(key for key in LENGTHS if any(each.name == key for each in options)),
        **names_of(builder, options),
    }
    return type(name, (CustomScheduler,), attributes)


def checked(builder: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wraps a builder and checks that it returns a `Scheduler`."""
    if inspect.isclass(builder) and not hasattr(builder, "rate"):
        raise TypeError(
            f"scheduler {name!r}: expected a subclass of exp.components.schedulers.Scheduler with "
            "rate(base, progress), or a class of torch.optim.lr_scheduler"
        )
    return builder


def follows_loss(target: Any) -> bool:
    """Whether the `step` of a class takes a loss."""
    return inspect.isclass(target) and issubclass(target, ReduceLROnPlateau)


class CustomScheduler(Scheduler):
    """A schedule of PyTorch for the learning rate of one run."""

    title: ClassVar[str]
    builder: ClassVar[Callable[..., Any]]
    lengths: ClassVar[tuple[str, ...]]

    def __init__(self, **options: Any) -> None:
        if options.get("cycle_momentum"):
            raise ComponentError(
                f"scheduler {self.title} can change the learning rate only: set "
                "scheduler.cycle_momentum=false"
            )
        self.options = options
        self.torch: Any = None
        self.optimizer: Any = None
        self.steps = 0
        self.seen: list[float] = []
        self.replay: list[float] = []

    def start(self, base: float, progress: Progress) -> None:
        """Builds the PyTorch schedule at the first step of the run."""
        total = progress.epochs * progress.steps_per_epoch
        lengths = {
            "epochs": progress.epochs,
            "steps_per_epoch": progress.steps_per_epoch,
            "total_steps": total,
        }
        options = dict(self.options)
        if all(options.get(key) is None for key in self.lengths):
            wanted = ("total_steps",) if "total_steps" in self.lengths else self.lengths
            options |= {key: lengths[key] for key in wanted}
        self.optimizer = RateOnly(base)
        self.torch = type(self).builder(self.optimizer, **options)
        self.optimizer.step()  # torch warns where a schedule is stepped before its optimizer
        if not hasattr(self.torch, "step"):
            raise ComponentError(
                f"scheduler {self.title} must build a schedule of torch.optim.lr_scheduler, found "
                f"a {type(self.torch).__name__}"
            )
        self.steps = 0

    def rate(self, base: float, progress: Progress) -> float:
        place = progress.epoch
        if self.within_epoch:
            place = progress.epoch * progress.steps_per_epoch + progress.step
        if self.torch is None or (place < self.steps and not self.observes):
            self.start(base, progress)
            for value in self.replay:
                self.observe(value)
            self.replay = []
        while self.steps < place and not self.observes:
            self.torch.step()
            self.steps += 1
        return float(self.optimizer.param_groups[0]["lr"])

    def observe(self, value: float) -> None:
        self.torch.step(value)
        self.seen.append(value)

    @property
    def state(self) -> dict[str, Any]:
        """The losses so far: repeating them leads to the same learning rate."""
        return {"seen": [repr(value) for value in self.seen]} if self.observes else {}

    @state.setter
    def state(self, saved: Mapping[str, Any]) -> None:
        self.torch, self.seen = None, []
        self.replay = [float(value) for value in saved.get("seen", [])]


class RateOnly(torch.optim.Optimizer):
    """A PyTorch optimizer with a learning rate but no parameters. The constructor of its base class
    is not called, because its first call imports torch._dynamo, which takes a second."""

    def __init__(self, rate: float) -> None:
        self.defaults = {"lr": rate, "momentum": 0.0}
        self.state = {}  # type: ignore[assignment]
        self.param_groups = [{**self.defaults, "params": []}]

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        return None

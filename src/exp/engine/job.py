"""A job: a plan with its rows, its loss and its device, ready to be stacked."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.parameter import is_lazy

from exp.components.devices import Device
from exp.components.losses.loss_choice import loss_for
from exp.components.metrics import custom
from exp.components.models import mlp
from exp.components.models.initial_weights import KEYS
from exp.components.stacking import structure
from exp.config.environment import values_unshown
from exp.config.plan import Plan
from exp.data.prepared import Prepared
from exp.engine.layers import known_layers
from exp.engine.model import Model, seed
from exp.engine.prepare import prepare
from exp.engine.tracing import unknown_step
from exp.engine.view import View, axes_known, drawable
from exp.registry.component import Chosen, Component
from exp.registry.user_code import calling, seeded
from exp.util.errors import ComponentError, ConfigError, Fault, ImpossibleError
from exp.util.metric_names import OF_CLASSES, OF_NUMBERS

UNKNOWN_STEPS: dict[Hashable, tuple[str | None, list[Component]]] = {}
"""`Job.unknown_step` of each model, since reading a `forward` takes milliseconds; with the
components whose ids are in the key."""


@dataclass(frozen=True)
class Shapes:
    """All that a stack has to know of the data of its runs."""

    features: int
    classes: int
    train: int
    validation: int
    test: int
    positive: int | None
    weighted: bool

    @classmethod
    def of(cls, data: Prepared) -> Shapes:
        split = data.split
        parts = (len(split.train), len(split.validation), len(split.test))
        weighted = data.data.weights is not None
        return cls(data.inputs, len(data.data.classes), *parts, data.positive, weighted)


@dataclass(frozen=True)
class Job:
    """One run to be trained.

    Attributes:
        plan: the validated config.
        data: rows, labels and split.
        loss: the loss for its data, never `auto`.
        device: where it computes.
    """

    plan: Plan
    data: Prepared
    loss: Chosen
    device: Device

    @classmethod
    def of(cls, plan: Plan, *, keep: bool = True) -> Job:
        """Loads the rows and checks that the components go together.

        Args:
            keep: whether rows that had to be made are kept for the next run.

        Raises:
            DataError: the rows cannot be used.
            ConfigError: the figures name a feature that does not exist, or none of them can be
                drawn; a column that the run follows is not measured.
            ImpossibleError: a component declares the combination impossible.
            DeviceError: the device is not there.
        """
        with values_unshown(plan.config):
            return cls._of(plan, keep)

    @classmethod
    def _of(cls, plan: Plan, keep: bool) -> Job:
        device = plan["device"].build()
        data = prepare(
            plan["dataset"],
            plan["split"],
            data_seed=plan.seeds.data,
            split_seed=plan.seeds.split,
            features=plan["features"],
            init_seed=plan.seeds.init,
            keep=keep,
        )
        axes_known(plan.figures, data.features)
        drawable(plan.figures, numeric=data.data.numeric)
        loss = possible(plan["loss"], data.class_sizes, data.data.classes)
        measured(plan, loss)
        return cls(plan, data, loss, device)

    @cached_property
    def shapes(self) -> Shapes:
        return Shapes.of(self.data)

    @cached_property
    def view(self) -> View:
        """The plane in which its figures show it."""
        return View.of(self.data, None if self.plan.figures is None else self.plan.figures.plane)

    @property
    def batch(self) -> int:
        """Rows of a training step."""
        return int(min(self.plan.trainer.batch_size or self.shapes.train, self.shapes.train))

    @property
    def signature(self) -> str:
        """Digest of all that can change the result: config, data and the version of exp."""
        return self.signature_of(None)

    def signature_of(self, saved: Mapping[str, Any] | None) -> str:
        """The same, of a run whose config was stored by an earlier version of exp."""
        return self.plan.identity(self.data.fingerprint + self.data.split_digest, saved)

    @cached_property
    def outputs(self) -> int:
        """Logits of each row."""
        return int(
            self.loss.component.make(len(self.data.data.classes), **self.loss.declared).outputs
        )

    def first_rows(self, count: int) -> NDArray[np.float32]:
        """What a model is given for the first rows of the data, [rows, inputs], as a copy."""
        return self.data.input_rows(np.arange(min(count, len(self.data.y))))[:]

    def module(self) -> nn.Module:
        """The model as plain PyTorch initialises it under `seeds.init`."""
        chosen, init = self.plan["model"], self.plan.seeds.init
        custom_model = not chosen.packaged
        with torch.random.fork_rng(devices=[]), seeded(init) if custom_model else nullcontext():
            seed(init, torch.device("cpu"))
            module = chosen.build(self.data.inputs, self.outputs)
            if custom_model and torch.initial_seed() != init:
                raise ComponentError(
                    f"model {chosen.name} seeds torch's generator ({torch.initial_seed()}) "
                    "while it is built, so that every run would start from the same weights. "
                    "Remove torch.manual_seed: exp seeds torch with seeds.init"
                )
            if not isinstance(module, nn.Module):
                found = type(module).__name__
                raise ComponentError(f"model {chosen.name} must build an nn.Module, found {found}")
            if custom_model and any(map(is_lazy, [*module.parameters(), *module.buffers()])):
                with calling(chosen.component.title), torch.no_grad():
                    module.eval()(torch.from_numpy(self.first_rows(2)))
        return module

    @cached_property
    def _read(self) -> nn.Module:
        return self.module()

    @cached_property
    def unknown_step(self) -> str | None:
        """What of the model the engine does not know; None: it is made of layers that it does."""
        chosen = self.plan["model"]
        parts = json.dumps(chosen.as_dict(), sort_keys=True)
        components = components_of(chosen)
        key = (*map(id, components), parts, self.data.inputs, self.outputs)
        if key not in UNKNOWN_STEPS:
            step = unknown_step([self._read])
            if step is None and known_layers("", [self._read]) is None:
                step = self._misread()
            UNKNOWN_STEPS[key] = (step, components)
        return UNKNOWN_STEPS[key][0]

    def _misread(self) -> str | None:
        """Whether a `forward` and the layers that were read from it give other numbers."""
        module = self.module().to(self.device.torch_device, self.device.dtype).eval()
        rows = torch.from_numpy(self.first_rows(3)).to(next(module.parameters(), torch.ones(1)))
        mask = torch.ones(1, len(rows), dtype=rows.dtype, device=rows.device)
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                plain = module(rows)
                stacked = Model(
                    [module],
                    outputs=self.outputs,
                    dtype=rows.dtype,
                    device=rows.device,
                    generators=[torch.Generator()],
                )(rows.T[None], mask, False)[0].T
        except Exception:  # it trains by itself, so that the error is shown as torch has it
            return "forward, which raises an error"
        if plain.shape == stacked.shape and torch.allclose(plain, stacked, 1e-3, 1e-4, True):
            return None
        return "forward, whose results differ from those of its layers"

    def source(self) -> nn.Module:
        """`module()` for the engine. A module of known layers is only read, so that one is enough
        for the whole job; any other is trained itself."""
        return self._read if self.unknown_step is None else self.module()

    def unstackable(self) -> str | None:
        """Why this run cannot share a stack, or None."""
        if not self.plan["optimizer"].component.builder.stackable:  # type: ignore[attr-defined]
            return f"optimizer {self.plan['optimizer'].name} trains one run at a time"
        if not self.loss.component.builder.stackable:  # type: ignore[attr-defined]
            return f"loss {self.loss.name} trains one run at a time"
        if self.unknown_step is not None:
            return f"model {self.plan['model'].name}: exp cannot stack {self.unknown_step}"
        return None

    def key(self) -> Hashable:
        """What must be equal for two runs to share a stack."""
        return stack_key(self.plan, self.shapes, self.loss, self.device)


def components_of(chosen: Chosen) -> list[Component]:
    """A chosen component and those in its parameters."""
    inner = [value for value in chosen.params.values() if isinstance(value, Chosen)]
    return [chosen.component, *(each for value in inner for each in components_of(value))]


def possible(loss: Chosen, counts: Sequence[float], classes: Sequence[str] = ()) -> Chosen:
    """The loss for these classes, which is never `auto`, with a weight for each.

    Args:
        counts: training rows of each class, or the sum of their weights; () where the target is a
            number.
        classes: their names.

    Raises:
        ImpossibleError: the loss declares that it cannot be used so.
    """
    found = loss_for(loss, counts, classes)
    with calling(found.component.title):
        reason = found.component.builder.impossible(len(counts), found.params)  # type: ignore[attr-defined]
    if reason:
        raise ImpossibleError(reason)
    return found


def measured(plan: Plan, loss: Chosen) -> None:
    """Checks that the columns which a run follows, and is pruned by, are measured.

    Raises:
        ConfigError: it is a score of another kind of target.
    """
    known = ("loss", *loss.component.builder.measures)  # type: ignore[attr-defined]
    monitored = plan.monitor.partition("/")[2]
    followed = known
    if monitored not in known:
        regression = loss.component.builder.measures == OF_NUMBERS  # type: ignore[attr-defined]
        followed = (*known, *(() if regression else OF_CLASSES[2:]))
        followed = (*followed, *(metric.name for metric in custom(regression=regression)))
    faults = []
    if monitored not in followed:
        kind = "a number" if known[1:] == OF_NUMBERS else "one of some classes"
        what = f"{monitored} is not measured on these data, whose target is {kind}"
        faults.append(Fault("trainer.monitor", f"{what}. Measured are {', '.join(followed)}"))
    faults += [
        Fault("trainer.prune", f"{column} is not measured here. Available: {', '.join(known)}")
        for column in plan.trainer.prune or ()
        if column.partition("/")[2] not in known and column != plan.monitor
    ]
    if faults:
        raise ConfigError(faults)


def stack_key(plan: Plan, shapes: Shapes, loss: Chosen, device: Device) -> Hashable:
    """What must be equal for two runs to share a stack.

    Whether a number is 0 must be equal too, since 0 switches a term of the formula off.
    """
    trainer = plan.trainer
    schedule = (trainer.epochs, trainer.batch_size, trainer.eval_every, plan.monitor)
    means = (trainer.accumulate, trainer.average, trainer.average_start)
    stops = (trainer.early_stopping is None, trainer.clip_norm is None)
    parts = [(chosen.name, structure(chosen.params)) for chosen in (plan["optimizer"], loss)]
    model = plan["model"].as_dict()
    rate = model.pop("dropout", None)
    if plan["model"].component.module == mlp.__name__:
        for key in KEYS:  # these change the first weights, not the architecture
            model.pop(key, None)
    architecture = (json.dumps(model, sort_keys=True), bool(rate))
    place = (str(device.torch_device), device.dtype)
    saves = trainer.checkpoint_every
    return (shapes, schedule, means, stops, saves, architecture, tuple(parts), place)

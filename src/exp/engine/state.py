"""All that one run needs to go on as if nothing had happened: plain tensors and plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from exp.engine.train import Training


def capture(
    training: Training, position: int, ended: str | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (copies, on the CPU) and JSON-able numbers of one run between two epochs.

    Args:
        ended: how the run ended, if it has: there is nothing left to train then.
    """
    stack, watch = training.stack, training.watch
    block = stack.history.block()
    tensors = {f"model.{name}": value for name, value in stack.model.state(position).items()}
    for name, kept in (("best", watch.best_state), ("previous", watch.now)):
        named = named_state(training, kept, position)
        tensors |= {f"{name}.{key}": value for key, value in named.items()}
    for name, value in stack.optimizer.state.items():
        tensors[f"optimizer.{name}"] = value[position] if stack.optimizer.stackable else value
    tensors["random.shuffle"] = stack.shufflers[position].get_state()
    tensors["random.dropout"] = stack.model.generators[position].get_state()
    if block is not None:
        tensors["history"] = block[:, :, position]
    numbers = {
        "epoch": training.epoch,
        "ended": ended,
        "columns": list(stack.history.columns),
        "best": watch.best[position] if math.isfinite(watch.best[position]) else None,
        "best_epoch": watch.best_epoch[position],
        "waited": watch.waited[position],
        "schedule": stack.schedules[position].state,
    }
    return {k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()}, numbers


def best_state(training: Training, position: int) -> dict[str, Tensor]:
    """The model of one run as it was after its best epoch, named as the module names it."""
    return named_state(training, training.watch.best_state, position)


def named_state(training: Training, kept: Sequence[Tensor], position: int) -> dict[str, Tensor]:
    """One run's part of what the watch has kept: copies, on the CPU, by the module's names."""
    model = training.stack.model
    values, *buffers = kept
    state = {name: part[position] for name, part in model.slices(values)}
    for name, buffer in zip(model.buffers, buffers, strict=True):
        if not name.endswith("rates"):
            state[name] = buffer[position]
    return {name: value.detach().cpu().clone() for name, value in state.items()}


def put_back(training: Training, kept: Sequence[Tensor], state: dict[str, Tensor]) -> None:
    """Writes what `named_state` gave into a stack of one."""
    model = training.stack.model
    values, *buffers = kept
    for name, view in model.slices(values):
        view[0] = state[name].to(view)
    for name, buffer in zip(model.buffers, buffers, strict=True):
        if not name.endswith("rates"):
            buffer[0] = state[name].to(buffer)


def restore(training: Training, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Puts a fresh stack of one where `capture` left it."""
    stack, watch = training.stack, training.watch
    stack.model.load(0, part(tensors, "model."))
    put_back(training, watch.best_state, part(tensors, "best."))
    put_back(training, watch.now, part(tensors, "previous."))
    saved = part(tensors, "optimizer.")
    if stack.optimizer.stackable:
        saved = {
            name: value[None].to(stack.model.parameters.values.device)
            for name, value in saved.items()
        }
    stack.optimizer.state = saved
    stack.shufflers[0].set_state(tensors["random.shuffle"])
    stack.model.generators[0].set_state(tensors["random.dropout"])
    if numbers["best"] is not None:
        watch.best[0] = numbers["best"]
    watch.best_epoch[0] = numbers["best_epoch"]
    watch.waited[0] = numbers["waited"]
    stack.schedules[0].state = numbers["schedule"]
    block = tensors.get("history")
    measured = [epoch for epoch in range(numbers["epoch"]) if training.measures(epoch)]
    stack.history.restore(measured, None if block is None else block[:, :, None])
    training.epoch, training.ended = numbers["epoch"], numbers["ended"]


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}

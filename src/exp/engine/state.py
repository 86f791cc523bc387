"""All that one run needs to go on as if nothing had happened: plain tensors and plain numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from exp.engine.job import Job
from exp.engine.stack import Stack
from exp.engine.train import Training
from exp.util.errors import shown
from exp.util.statuses import END_REASONS


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
    for name, kept in kept_models(training):
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


def kept_models(training: Training) -> Iterator[tuple[str, Sequence[Tensor]]]:
    """What is kept of the models beside what they are: parameters, then buffers."""
    yield "best", training.watch.best_state
    yield "previous", training.watch.now
    if training.averages is not None:
        yield "trained", training.averages.trained


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


def put_back(
    training: Training, position: int, kept: Sequence[Tensor], state: dict[str, Tensor]
) -> None:
    """Writes what `named_state` gave into one run's part of what the watch keeps."""
    model = training.stack.model
    values, *buffers = kept
    for name, view in model.slices(values):
        view[position] = state[name].to(view)
    for name, buffer in zip(model.buffers, buffers, strict=True):
        if not name.endswith("rates"):
            buffer[position] = state[name].to(buffer)


def restore(training: Training, saved: Sequence[tuple[dict[str, Tensor], dict[str, Any]]]) -> None:
    """Puts a fresh stack where `capture` left each of its runs.

    Args:
        saved: of each run, all after the same epoch; of one that has ended, that alone.
    """
    stack, watch = training.stack, training.watch
    for position, (tensors, numbers) in enumerate(saved):
        stack.model.load(position, part(tensors, "model."))
        for name, kept in kept_models(training):
            put_back(training, position, kept, part(tensors, f"{name}."))
        stack.shufflers[position].set_state(tensors["random.shuffle"])
        stack.model.generators[position].set_state(tensors["random.dropout"])
        if numbers["best"] is not None:
            watch.best[position] = numbers["best"]
        watch.best_epoch[position] = numbers["best_epoch"]
        watch.waited[position] = numbers["waited"]
        stack.schedules[position].state = numbers["schedule"]
    place = stack.model.parameters.values.device
    states = [part(tensors, "optimizer.") for tensors, _ in saved]
    if stack.optimizer.stackable:
        stack.optimizer.state = {
            name: torch.stack([state[name] for state in states]).to(place) for name in states[0]
        }
    else:
        stack.optimizer.state = states[0]
    blocks = [tensors["history"] for tensors, _ in saved if "history" in tensors]
    epoch, ended = saved[0][1]["epoch"], saved[0][1]["ended"]
    measured = [each for each in range(epoch) if training.evaluation.due(each)]
    stack.history.restore(measured, torch.stack(blocks, dim=2).to(place) if blocks else None)
    training.epoch, training.ended = epoch, ended


def fresh(job: Job) -> tuple[Training, dict[str, Tensor]]:
    """A training of one run that has not begun, and the tensors that `capture` gives of it."""
    training = Training(Stack([job]))
    return training, capture(training, 0)[0]


def try_out(training: Training, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Restores a fresh training from a checkpoint that may be damaged; it is then used up.

    Args:
        tensors: those of the model are known to have its names and shapes.

    Raises:
        ValueError: nothing that a run of this job has left.
    """
    if fault := next(faults_of(training, tensors, numbers), None):
        raise ValueError(fault)
    optimizer = training.stack.optimizer
    try:
        restore(training, [(tensors, numbers)])
        if not optimizer.stackable and numbers["ended"] is None:
            # What torch.optim keeps has no schema: whether it can go on from there is tried.
            batch = next(iter(training.stack.batches()))
            training.plain_step([batch], training.stack.rates(training.epoch, 0))
    except Exception as error:  # of torch.optim, or of a schedule of the user's own
        what = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"training cannot continue from it: {what[:300]}") from error


def faults_of(
    training: Training, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> Iterator[str]:
    """What is wrong with the numbers of a checkpoint."""
    columns, most = list(training.stack.history.columns), training.stack.trainer.epochs
    epoch: Any = numbers.get("epoch")
    if not counts(epoch, most):
        yield f"epoch: expected a number from 0 to {most}, found {shown(epoch)}"
        return
    for name in ("best_epoch", "waited"):
        if not counts(numbers.get(name), epoch):
            yield f"{name}: expected a number from 0 to {epoch}, found {shown(numbers.get(name))}"
    if numbers.get("columns") != columns:
        yield f"columns: expected {columns}, found {shown(numbers.get('columns'))}"
    if numbers.get("ended", "") not in (None, *END_REASONS):
        yield f"ended: expected null or one of {', '.join(END_REASONS)}"
    best = numbers.get("best", "")
    if best is not None and (type(best) not in (int, float) or not math.isfinite(best)):
        yield f"best: expected a number or null, found {shown(best)}"
    if not isinstance(numbers.get("schedule"), dict):
        yield f"schedule: expected a mapping, found {shown(numbers.get('schedule'))}"
    rows = len(tensors["history"]) if "history" in tensors else 0
    measured = sum(training.evaluation.due(each) for each in range(epoch))
    if rows != measured:
        yield f"the tensor 'history' has {rows} rows, expected {measured}"


def counts(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}

"""The epochs of a stack by the kernel, and why torch trains some stacks instead."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from exp.components.optimizers.optimizer import Rule
from exp.engine.kernel import structures
from exp.util.compiled import form
from exp.engine.kernel.network import Network, loss_of
from exp.engine.kernel.program import NotKnownError, program
from exp.engine.kernel.structures import OPERATIONS, OPTIMIZERS, address
from exp.engine.model import Model, padded

if TYPE_CHECKING:
    from exp.components.losses.loss import Loss
    from exp.engine.job import Job
    from exp.engine.stack import Stack
    from exp.engine.watch import Watch

SPLITS = ("train", "test", "validation")
REASONS = {structures.DIVERGED: "diverged", structures.STOPPED: "stopped"}

VECTORS = {
    "sgd": ("momentum_buffer",),
    "adam": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "nadam": ("exp_avg", "exp_avg_sq"),
    "radam": ("exp_avg", "exp_avg_sq"),
    "rmsprop": ("square_avg", "grad_avg", "momentum_buffer"),
    "adagrad": ("sum",),
    "adadelta": ("square_avg", "acc_delta"),
    "rprop": ("prev", "step_size"),
}
SCALARS = {
    "adam": ("correction1", "correction2"),
    "adamw": ("correction1", "correction2"),
    "nadam": ("correction1", "correction2", "mu_product", "mu_power"),
    "radam": ("correction1", "correction2", "steps"),
    "adagrad": ("steps",),
}
NUMBERS = {
    "sgd": ("momentum", "dampening"),
    "adam": ("beta1", "beta2", "eps"),
    "adamw": ("beta1", "beta2", "eps"),
    "nadam": ("beta1", "beta2", "eps"),
    "radam": ("beta1", "beta2", "eps"),
    "rmsprop": ("alpha", "eps", "momentum"),
    "adagrad": ("eps", "lr_decay"),
    "adadelta": ("rho", "eps"),
    "rprop": ("eta_minus", "eta_plus", "step_size_min", "step_size_max"),
}


def flags_of(rule: Any) -> int:
    """What kernel.h calls flags."""
    first = any(getattr(rule, name, False) for name in ("nesterov", "amsgrad", "centered"))
    classical = getattr(rule, "classical", False)
    return int(first) + 2 * bool(classical) + 8 * bool(getattr(rule, "decoupled", False))

BEFOREHAND = 2**25
"""Bytes of row orders and dropout's numbers that are made for one call."""

Ended = tuple[int, str]
"""After how many epochs of a call a run has ended, and why."""


class Kernel:
    """The epochs of a stack.

    Args:
        stack: the runs; `why_not` has nothing against them.
        watch: of the stack.
    """

    def __init__(self, stack: Stack, watch: Watch) -> None:
        self.stack, self.watch = stack, watch
        self.adopt()

    def adopt(self) -> None:
        """Takes up the tensors of the stack as it is now."""
        stack, watch, runs = self.stack, self.watch, self.stack.runs
        features = stack.splits["train"].features
        net = self.network = Network(stack.model, stack.objective, features)
        struct = net.struct
        for place, split in enumerate(SPLITS):
            if split in stack.splits:
                net.set_split(place, stack.splits[split])
        self._optimizer(struct.optimizer)
        struct.gradients = address(stack.model.parameters.gradients)
        struct.best, struct.now, struct.before = (
            address(kept[0]) for kept in (watch.best_state, watch.now, watch.before)
        )
        if stack.clip_norm is not None:
            struct.clip = net.doubles(stack.clip_norm)
        if names := net.program.dropouts:
            rates = [stack.model.buffers[name].reshape(runs) for name in names]
            struct.rates = net.keep(torch.stack(rates, dim=1).float().contiguous())
        trainer = stack.trainer
        struct.runs, struct.eval_every, struct.epochs = runs, trainer.eval_every, trainer.epochs
        struct.batch = trainer.batch_size or 0
        struct.draw_width = padded(self.batch)
        # A score that the kernel does not measure is watched after each evaluation.
        known = stack.monitored is None
        struct.sign, struct.column = watch.sign, self.columns.index(stack.monitor) if known else -1
        struct.columns = len(self.columns)
        struct.min_delta = net.doubles(watch.min_delta)
        struct.patience = net.doubles(watch.patience)
        self.best_value = torch.empty(runs, dtype=torch.float64)
        self.best_epoch = torch.empty(runs, dtype=torch.int64)
        self.waited, self.ended, self.done = (torch.empty_like(self.best_epoch) for _ in range(3))
        struct.best_value, struct.best_epoch = address(self.best_value), address(self.best_epoch)
        struct.waited, struct.ended = address(self.waited), address(self.ended)
        struct.done = address(self.done)

    @property
    def rows(self) -> int:
        """Training rows of each run."""
        return self.stack.splits["train"].count

    @property
    def batch(self) -> int:
        """Rows of a step."""
        return min(self.stack.trainer.batch_size or self.rows, self.rows)

    @property
    def columns(self) -> list[str]:
        """Of the rows that the kernel fills in: those of the history but the learning rate."""
        scores = ("loss", *self.stack.objective.loss.measures)
        return [f"{n}/{score}" for n in SPLITS if n in self.stack.splits for score in scores]

    def most(self) -> int:
        """How many epochs one call may train, for the numbers that it is given beforehand."""
        stack = self.stack
        order = 0 if stack.trainer.batch_size is None else 8 * self.rows
        draws = 4 * stack.steps * self.network.program.drawn * self.network.struct.draw_width
        return max(1, BEFOREHAND // (stack.runs * (order + draws) + 1))

    def advance(self, epoch: int, count: int, rates: Tensor) -> tuple[Tensor, dict[int, Ended]]:
        """Trains the runs up to `count` epochs, each until it ends.

        Args:
            epoch: the first of them.
            rates: learning rates `[changes, runs]` float64: 1 change, one for each epoch, or one
                for each step.

        Returns:
            What was measured, `[count, columns, runs]`, and for the position of each run that has
            ended after how many of these epochs, and why.
        """
        stack, watch, struct = self.stack, self.watch, self.network.struct
        struct.epoch, struct.count, struct.changes = epoch, count, len(rates)
        order, draws = self._orders(count), self._draws(count)
        found = torch.zeros(count, stack.runs, len(self.columns))
        struct.lr, struct.row = address(rates), address(found)
        struct.order, struct.draws = address(order), address(draws)
        self.best_value.copy_(torch.tensor(watch.best, dtype=torch.float64))
        self.best_epoch.copy_(torch.tensor(watch.best_epoch))
        self.waited.copy_(torch.tensor(watch.waited))
        span = (ctypes.c_int64(0), ctypes.c_int64(stack.runs))
        if self.network.library.exp_train(self.network.level, ctypes.byref(struct), *span):
            raise MemoryError
        watch.best, watch.best_epoch = self.best_value.tolist(), self.best_epoch.tolist()
        watch.waited = self.waited.tolist()
        reasons, done = self.ended.tolist(), self.done.tolist()
        ends = {run: (done[run], REASONS[why]) for run, why in enumerate(reasons) if why}
        return found.transpose(1, 2), ends

    def _optimizer(self, struct: structures.Optimizer) -> None:
        rule: Any = self.stack.optimizer
        name = self.stack.jobs[0].plan["optimizer"].name
        struct.kind = OPTIMIZERS.index("adam" if name == "adamw" else name)
        struct.flags = flags_of(rule)
        decay = rule.numbers.get("weight_decay")
        numbers = [torch.zeros(self.stack.runs, 1) if decay is None else decay]
        numbers += [rule.numbers[each] for each in NUMBERS[name]]
        if name == "nadam":
            numbers.append(rule.fall)
        table = torch.cat([each.double() for each in numbers], dim=1).contiguous()
        struct.number, struct.numbers = self.network.keep(table), table.shape[1]
        state = rule.state
        for place, key in enumerate(VECTORS[name]):
            struct.vectors[place] = address(state.get(key))
        for place, key in enumerate(SCALARS.get(name, ())):
            struct.scalars[place] = address(state.get(key))
        struct.gain = address(state.get("gain"))

    def _orders(self, count: int) -> Tensor | None:
        """In which order the rows of each epoch are taken, `[count, runs, rows]`."""
        if self.stack.trainer.batch_size is None:
            return None
        order = torch.empty(count, self.stack.runs, self.rows, dtype=torch.int64)
        for of_epoch in order:
            for of_run, generator in zip(of_epoch, self.stack.shufflers, strict=True):
                torch.randperm(self.rows, generator=generator, out=of_run)
        return order

    def _draws(self, count: int) -> Tensor | None:
        """The random numbers of dropout `[count, steps, runs, units, rows]`, as the layers that
        torch computes draw them."""
        stack, net = self.stack, self.network
        widths = [op.outputs for op in net.program.ops if OPERATIONS[op.kind] == "dropout"]
        if not widths:
            return None
        draws = torch.empty(count, stack.steps, stack.runs, sum(widths), net.struct.draw_width)
        for of_epoch in draws:
            for step, of_step in enumerate(of_epoch):
                rows = padded(min(self.batch, self.rows - step * self.batch))
                for of_run, generator in zip(of_step, stack.model.generators, strict=True):
                    for part in of_run.split(widths):
                        part[:, :rows] = torch.rand(len(part), rows, generator=generator)
        return draws


def why_not(job: Job, model: Model, loss: Loss) -> str | None:
    """Why torch trains runs like this one; None: the kernel does.

    Args:
        job: of one of them.
        model, loss: of the runs.
    """
    if form() is None:
        return "the kernel was not compiled, or is switched off"
    if job.device.torch_device.type != "cpu":
        return f"it trains on {job.device.torch_device}"
    if job.device.dtype is not torch.float32:
        return f"it computes in {job.device.dtype}"
    for kind in ("optimizer", "scheduler"):
        if not job.plan[kind].packaged:
            return f"{kind} {job.plan[kind].name} is a custom one"
    optimizer = job.plan["optimizer"]
    if optimizer.name not in NUMBERS or not issubclass(optimizer.component.builder, Rule):
        return f"the kernel has no optimizer {optimizer.name}"
    if len(model.trainable) < len(model.shapes):
        return "some of its parameters are not trained"
    try:
        program(model, job.shapes.features)
        loss_of(loss)
    except NotKnownError as error:
        return f"the kernel has no {error}"
    return None

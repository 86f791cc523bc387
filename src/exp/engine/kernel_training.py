"""The epochs of a stack by the kernel, many in one call."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from exp.engine.kernel import structures
from exp.engine.kernel.structures import OPERATIONS, OPTIMIZERS, address
from exp.engine.kernel.support import NUMBERS, SCALARS, VECTORS, flags_of
from exp.engine.model import padded
from exp.engine.stack import Stack
from exp.engine.watch import Watch

SPLITS = ("train", "test", "validation")
REASONS = {structures.DIVERGED: "diverged", structures.STOPPED: "stopped"}

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
        assert stack.network is not None
        net = self.network = stack.network
        struct = net.struct
        for place, split in enumerate(SPLITS):
            if split in stack.splits:
                net.set_split(place, stack.splits[split])
        self._optimizer(struct.optimizer)
        struct.gradients = address(stack.model.parameters.gradients)
        struct.best, struct.now, struct.before = (
            address(kept[0]) for kept in (watch.best_state, watch.now, watch.before)
        )
        for place, every in enumerate((watch.best_state, watch.now, watch.before), start=1):
            net.set_statistics(place, dict(zip(stack.model.buffers, every[1:], strict=True)))
        if stack.clip_norm is not None:
            struct.clip = net.doubles(stack.clip_norm)
        if names := net.program.dropouts:
            rates = [stack.model.buffers[name].reshape(runs) for name in names]
            struct.rates = net.keep(torch.stack(rates, dim=1).float().contiguous())
        trainer = stack.trainer
        struct.runs, struct.eval_every, struct.epochs = runs, trainer.eval_every, trainer.epochs
        struct.batch = trainer.batch_size or 0
        struct.draw_width = padded(self.stack.jobs[0].batch)
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
        return int(self.stack.splits["train"].count)

    @property
    def columns(self) -> list[str]:
        """Of the rows that the kernel fills in: those of the history but the learning rate."""
        scores = ("loss", *self.stack.objective.loss.measures)
        return [f"{n}/{score}" for n in SPLITS if n in self.stack.splits for score in scores]

    def guess(self) -> float:
        """Seconds of an epoch, at most: one call must not keep a signal waiting."""
        program = self.network.struct.program
        each = 3e-10 * program.parameters + 4e-9 * program.lines
        return float(self.stack.runs * self.rows * each)

    def most(self) -> int:
        """How many epochs one call may train, for the numbers that it is given beforehand."""
        stack = self.stack
        order = 0 if stack.trainer.batch_size is None else 8 * self.rows
        draws = 4 * stack.steps * self.network.program.drawn * self.network.struct.draw_width
        return max(1, BEFOREHAND // int(stack.runs * (order + draws) + 1))

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
        self._train()
        watch.best, watch.best_epoch = self.best_value.tolist(), self.best_epoch.tolist()
        watch.waited = self.waited.tolist()
        reasons, done = self.ended.tolist(), self.done.tolist()
        ends = {run: (done[run], REASONS[why]) for run, why in enumerate(reasons) if why}
        return found.transpose(1, 2), ends

    def _train(self) -> None:
        """Calls the kernel, on as many threads as the runs may have: each takes some of them."""
        net, runs = self.network, self.stack.runs
        parts = min(self.stack.device.threads, runs)
        ends = [runs * part // parts for part in range(parts + 1)]

        def some(start: int, stop: int) -> int:
            first, last = ctypes.c_int64(start), ctypes.c_int64(stop)
            return int(net.library.exp_train(net.level, ctypes.byref(net.struct), first, last))

        if parts == 1:
            failed = some(0, runs)
        else:
            with ThreadPoolExecutor(parts) as pool:
                failed = max(pool.map(some, ends[:-1], ends[1:]))
        if failed:
            raise MemoryError

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
        batch = stack.jobs[0].batch
        for of_epoch in draws:
            for step, of_step in enumerate(of_epoch):
                rows = padded(min(batch, self.rows - step * batch))
                for of_run, generator in zip(of_step, stack.model.generators, strict=True):
                    for part in of_run.split(widths):
                        part[:, :rows] = torch.rand(len(part), rows, generator=generator)
        return draws

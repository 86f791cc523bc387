"""The one training loop. It trains R runs at once; an ordinary run is a stack of one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from exp.engine.averages import averages_of
from exp.engine.cuda_graph import WORTH, Recorded, recordable
from exp.engine.evaluation import Evaluation
from exp.engine.first_steps import FirstSteps, custom_kinds
from exp.engine.gradients import fill_again, fill_gradients
from exp.engine.history import Row
from exp.engine.kernel_training import Kernel
from exp.engine.loss_checks import check_loss
from exp.engine.recorder import Recorder
from exp.engine.rows import Batch, Tally
from exp.engine.stack import Stack
from exp.engine.watch import Watch

AT_ONCE = 0.1
"""Seconds that one call of the kernel may take, about: a signal waits as long."""


@dataclass(frozen=True)
class End:
    """How one run of a stack ended.

    Attributes:
        position: of the run in its stack, then.
        reason: of `END_REASONS`.
        epoch: the last that it was trained, from 0.
    """

    position: int
    reason: str
    epoch: int


class Hook:
    """What happens now and then while a stack trains: the loop calls its hooks in order."""

    def before_training(self, training: Training) -> None:
        """Before the first epoch."""

    def after_epoch(self, training: Training, row: Row | None) -> None:
        """After an epoch, `training.epoch`; runs that end with it are still in the stack.

        Args:
            row: what was measured; None after an epoch without an evaluation.
        """

    def run_ended(self, training: Training, end: End) -> None:
        """For each run that ends, while it is still in the stack."""

    def next_look(self, training: Training) -> int | None:
        """The next epoch, of `training.epoch` and those after it, after which the hook looks at the
        models, or at anything but the row that it is given; None: at none.

        The epochs up to it may be trained at once. `after_epoch` is then called for each of them
        later, and `between_epochs` once.
        """
        return training.epoch

    def between_epochs(self, training: Training) -> None:
        """After those that ended have left the stack: the others can be saved as they are. What
        it raises ends the training."""


class Training:
    """A stack on its way through the epochs.

    Args:
        stack: the runs.
        hooks: what else happens.

    Attributes:
        epoch: the one that is trained, from 0; between epochs, how many have been.
        ended: why the only run of a stack had ended when it was restored: nothing is left to train.
    """

    def __init__(self, stack: Stack, hooks: Sequence[Hook] = ()) -> None:
        self.stack, self.hooks = stack, hooks
        self.attentive = [h for h in hooks if type(h).after_epoch is not Hook.after_epoch]
        self.averages = averages_of(stack)
        self.evaluation = Evaluation(stack, averaged=self.averages is not None)
        self.watch = Watch(stack)
        self.recorder = Recorder(stack)
        self.epoch = 0
        self.ended: str | None = None
        self.recorded: Recorded | None = None
        kinds = custom_kinds(stack)
        # Checked once: runs of packaged components only have none.
        # A model that the kernel trains is only read, so that none of its mistakes can show.
        self.first = FirstSteps(stack, kinds) if kinds and stack.unfit is not None else None
        self.on_gpu = stack.device.torch_device.type == "cuda"
        self.kernel = Kernel(stack, self.watch) if stack.unfit is None else None
        # Seconds for each epoch: a guess until the first call.
        self.pace = AT_ONCE / 16 if self.kernel is None else max(AT_ONCE / 16, self.kernel.guess())

    def run(self) -> None:
        """Trains until every run has ended."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.stack.device.threads)
        try:
            if self.first is not None and "loss" in self.first.kinds:
                check_loss(self.stack)
            for hook in self.hooks:
                hook.before_training(self)
            if self.ended is not None:
                self.release({0: self.ended})
            while self.stack.runs and self.epoch < self.stack.trainer.epochs:
                if self.kernel is None:
                    self.one_epoch()
                else:
                    self.some_epochs(self.kernel)
                for hook in self.hooks:
                    hook.between_epochs(self)
        finally:
            torch.set_num_threads(threads)

    def one_epoch(self) -> None:
        stack, epoch, row = self.stack, self.epoch, None
        measured = self.evaluation.due(epoch)
        self.watch.remember()
        if self.averages is not None:
            self.averages.before_epoch()
        tally = self.learn(measured)
        if self.averages is not None:
            self.averages.after_epoch(epoch)
        if measured:
            row = stack.history.add(epoch, self.evaluation.row(epoch, tally))
            ends = self.watch.observe(epoch, row)
            self.observed(row)
        else:
            ends = self.watch.diverged({"train/loss": tally.loss().tolist()})
        if epoch == stack.trainer.epochs - 1:
            ends = dict.fromkeys(range(stack.runs), "done") | ends
        self.end_epoch(row, ends)

    def end_epoch(self, row: Row | None, ends: Mapping[int, str]) -> None:
        """What follows an epoch, for the pictures, the hooks and the runs that end with it.

        Args:
            ends: position -> of `END_REASONS`.
        """
        for position, reason in ends.items():
            if reason == "diverged":
                self.watch.restore_finite(position)
        self.recorder.look(self.epoch, self.watch, measured=row is not None, ending=ends)
        for hook in self.attentive:
            hook.after_epoch(self, row)
        self.epoch += 1
        if ends:
            self.release(ends)

    def some_epochs(self, kernel: Kernel) -> None:
        """Trains by the kernel until something has to look at the models."""
        stack, first, count = self.stack, self.epoch, self.together(kernel)
        rates = self.coming_rates(count)
        begun = time.perf_counter()
        found, ended = kernel.advance(first, count, rates)
        self.pace = (time.perf_counter() - begun) / count
        shown = rates[:: max(1, len(rates) // count)].to(stack.dtype).expand(count, -1)[:, None]
        place = stack.history.columns.index("lr")
        found = torch.cat([found[:, :place], shown, found[:, place:]], dim=1)
        if first + count == stack.trainer.epochs:
            ended = dict.fromkeys(range(stack.runs), (count, "done")) | ended
        left, start = list(range(stack.runs)), 0
        for stop in sorted({done for done, _ in ended.values()} | {count}):
            block = found[start:stop][:, :, left]
            ends = {run: reason for run, (done, reason) in ended.items() if done == stop}
            self.take_up(block, {left.index(run): reason for run, reason in ends.items()})
            left = [run for run in left if run not in ends]
            start = stop
            if not left:
                return
        if 0 < stack.runs < found.shape[2]:
            kernel.adopt()

    def take_up(self, block: Tensor, ends: dict[int, str]) -> None:
        """What happens in and after some epochs that the kernel has trained.

        Args:
            block: what was measured, `[epochs, columns, runs]`.
            ends: position -> why a run ends with the last of them.
        """
        stack, epochs = self.stack, range(self.epoch, self.epoch + len(block))
        measured = [epoch for epoch in epochs if self.evaluation.due(epoch)]
        if measured and stack.monitored is not None:
            followed = self.evaluation.monitored([])
            block = torch.cat([block, followed.expand(len(block), 1, -1)], dim=1)
        stack.history.extend(measured, block[[epoch - epochs[0] for epoch in measured]])
        columns = stack.history.columns
        for epoch in epochs[:-1] if self.attentive else ():
            self.epoch = epoch
            row = Row(columns, block[epoch - epochs[0]]) if self.evaluation.due(epoch) else None
            for hook in self.attentive:
                hook.after_epoch(self, row)
        self.epoch = epochs[-1]
        row = Row(columns, block[-1]) if self.evaluation.due(self.epoch) else None
        if row is not None:
            ends |= self.watched(row, ends)
            self.observed(row)
        self.end_epoch(row, ends)

    def observed(self, row: Row) -> None:
        """Lets the schedules know that follow the monitored score."""
        if self.stack.observed:
            values = row[self.stack.monitor]
            for schedule, value in zip(self.stack.schedules, values, strict=True):
                schedule.observe(value)

    def watched(self, row: Row, ends: Mapping[int, str]) -> dict[int, str]:
        """Why more runs end, by what the kernel does not look at."""
        if self.stack.monitored is not None:
            found = self.watch.observe(self.epoch, row)
        else:
            found = dict.fromkeys(self.watch.pruned(), "pruned")
        return {run: why for run, why in found.items() if ends.get(run, "done") == "done"}

    def together(self, kernel: Kernel) -> int:
        """How many epochs can be trained before something has to look at the models."""
        stack, epoch = self.stack, self.epoch
        looks = [stack.trainer.epochs - 1, self.recorder.next_look(epoch, self.evaluation)]
        looks += [hook.next_look(self) for hook in self.hooks]
        if stack.observed or stack.monitored is not None or any(self.watch.limits):
            looks.append(self.evaluation.next(epoch))
        count = min(look for look in looks if look is not None) - epoch + 1
        return max(1, min(int(count), kernel.most(), int(AT_ONCE / self.pace)))

    def coming_rates(self, count: int) -> Tensor:
        """The learning rates of the next epochs, `[changes, runs]`: one change for all, one for
        each epoch, or one for each step."""
        stack = self.stack
        if stack.constant:
            return stack.rates(self.epoch, 0).T.contiguous()
        steps = range(stack.steps if stack.within_epoch else 1)
        epochs = range(self.epoch, self.epoch + count)
        return torch.cat([stack.rates(epoch, step).T for epoch in epochs for step in steps])

    def learn(self, measured: bool) -> Tally:
        """One pass over the training rows; its tally is of the passes that made the steps."""
        stack, tally = self.stack, self.evaluation.tally("train")
        for step, batches in enumerate(self.groups()):
            rates = stack.rates(self.epoch, step)
            if self.first is not None:
                self.first.before(batches[0])
            passes = self.step(batches, rates)
            if self.first is not None and self.first.after(batches[0], rates):
                self.first = None
            if self.averages is not None:
                self.averages.after_step(self.epoch, step)
            for batch, (losses, right) in zip(batches, passes, strict=True):
                tally.add(losses, right if measured else None, batch)
        return tally

    def groups(self) -> Iterator[list[Batch]]:
        """The batches of each step of an epoch."""
        batches = self.stack.batches()
        while found := list(islice(batches, self.stack.trainer.accumulate)):
            yield found

    def step(self, batches: list[Batch], rates: Tensor) -> list[tuple[Tensor, Tensor]]:
        """One step of every run. Of each batch: the losses `[runs]`, and which rows were right, or
        how far from it, `[runs, rows]`.

        On a GPU it is recorded when it is done for the first time.
        """
        if not self.on_gpu:
            return self.plain_step(batches, rates)
        if self.recorded is None and self.worth_recording():
            self.recorded = Recorded(self.one_batch, self.stack, batches[0], rates)
        if self.recorded is not None and self.recorded.fits(batches[0]):
            return [self.recorded(batches[0], rates)]
        return self.plain_step(batches, rates)

    def plain_step(self, batches: list[Batch], rates: Tensor) -> list[tuple[Tensor, Tensor]]:
        stack = self.stack
        passes = fill_gradients(stack, batches)
        if self.first is not None and not self.on_gpu:
            self.first.stepping()
        stack.optimizer.step(rates, lambda: fill_again(stack, batches))
        correct = stack.objective.loss.correct
        return [
            (losses.detach(), correct(logits.detach(), batch.truth))
            for batch, (losses, logits) in zip(batches, passes, strict=True)
        ]

    def one_batch(self, batch: Batch, rates: Tensor) -> tuple[Tensor, Tensor]:
        return self.plain_step([batch], rates)[0]

    def worth_recording(self) -> bool:
        left = (self.stack.trainer.epochs - self.epoch) * self.stack.steps
        return left >= WORTH and recordable(self.stack)

    def release(self, ends: Mapping[int, str]) -> None:
        """Lets runs go that have ended; the others go on.

        Args:
            ends: position -> of `END_REASONS`.
        """
        for position, reason in sorted(ends.items()):
            for hook in self.hooks:
                hook.run_ended(self, End(position, reason, self.epoch - 1))
        keep = [i for i in range(self.stack.runs) if i not in ends]
        if not keep:
            self.stack.end()
            self.kernel = None
            return
        for each in (self.stack, self.watch, self.recorder, self.averages):
            if each is not None:
                each.select(keep)
        self.recorded = None  # its tensors are those of the stack as it was

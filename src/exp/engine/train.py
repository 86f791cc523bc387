"""The one training loop. It trains R runs at once; an ordinary run is a stack of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from exp.engine.cuda_graph import WORTH, Recorded, recordable
from exp.engine.evaluation import Evaluation
from exp.engine.first_steps import FirstSteps, custom_kinds
from exp.engine.history import Row
from exp.engine.loss_checks import check_loss
from exp.engine.recorder import Recorder
from exp.engine.rows import Batch, Tally
from exp.engine.stack import Stack
from exp.engine.watch import Watch


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
        self.evaluation = Evaluation(stack)
        self.watch = Watch(stack)
        self.recorder = Recorder(stack)
        self.epoch = 0
        self.ended: str | None = None
        self.recorded: Recorded | None = None
        kinds = custom_kinds(stack)
        # Checked once: runs of packaged components only have none.
        self.first = FirstSteps(stack, kinds) if kinds else None
        self.on_gpu = stack.device.torch_device.type == "cuda"

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
                self.one_epoch()
                for hook in self.hooks:
                    hook.between_epochs(self)
        finally:
            torch.set_num_threads(threads)

    def one_epoch(self) -> None:
        stack, epoch, row = self.stack, self.epoch, None
        measured = self.evaluation.due(epoch)
        self.watch.remember()
        tally = self.learn(measured)
        if measured:
            row = stack.history.add(epoch, self.evaluation.row(epoch, tally))
            ends = self.watch.observe(epoch, row)
            if stack.observed:
                for schedule, value in zip(stack.schedules, row[stack.monitor], strict=True):
                    schedule.observe(value)
        else:
            ends = self.watch.diverged({"train/loss": tally.loss().tolist()})
        if epoch == stack.trainer.epochs - 1:
            ends = dict.fromkeys(range(stack.runs), "done") | ends
        for position, reason in ends.items():
            if reason == "diverged":
                self.watch.restore_finite(position)
        self.recorder.look(epoch, self.watch, measured=measured, ending=ends)
        for hook in self.hooks:
            hook.after_epoch(self, row)
        self.epoch += 1
        if ends:
            self.release(ends)

    def learn(self, measured: bool) -> Tally:
        """One pass over the training rows; its tally is of the passes that made the steps."""
        stack, tally = self.stack, self.evaluation.tally("train")
        for step, batch in enumerate(stack.batches()):
            rates = stack.rates(self.epoch, step)
            if self.first is not None:
                self.first.before(batch)
            losses, right = self.step(batch, rates)
            if self.first is not None and self.first.after(batch, rates):
                self.first = None
            tally.add(losses, right if measured else None, batch)
        return tally

    def step(self, batch: Batch, rates: Tensor) -> tuple[Tensor, Tensor]:
        """One step of every run: the losses `[runs]`, and which rows were right, or how far from
        it, `[runs, rows]`.

        On a GPU it is recorded when it is done for the first time.
        """
        if not self.on_gpu:
            return self.plain_step(batch, rates)
        if self.recorded is None and self.worth_recording():
            self.recorded = Recorded(self.plain_step, self.stack, batch, rates)
        if self.recorded is not None and self.recorded.fits(batch):
            return self.recorded(batch, rates)
        return self.plain_step(batch, rates)

    def plain_step(self, batch: Batch, rates: Tensor) -> tuple[Tensor, Tensor]:
        stack, model = self.stack, self.stack.model
        logits = model(batch.x, batch.mask, True)  # [runs, outputs, rows]
        losses = stack.objective(logits, batch, model)  # [runs]
        model.backward(losses)
        if stack.clip_norm is not None:
            self.clip(stack.clip_norm)
        if self.first is not None and not self.on_gpu:
            self.first.stepping()
        stack.optimizer.step(rates, lambda: self.closure(batch))
        return losses.detach(), stack.objective.loss.correct(logits.detach(), batch.truth)

    def worth_recording(self) -> bool:
        left = (self.stack.trainer.epochs - self.epoch) * self.stack.steps
        return left >= WORTH and recordable(self.stack)

    def closure(self, batch: Batch) -> Tensor:
        """Loss and gradient once more, for optimizers that evaluate them several times in a step
        (L-BFGS)."""
        model = self.stack.model
        with torch.enable_grad():
            losses = self.stack.objective(model(batch.x, batch.mask, True), batch, model)
        model.backward(losses)
        return losses.detach().sum()

    def clip(self, limit: Tensor) -> None:
        """Scales each run's gradient down to its norm's limit, as `clip_grad_norm_` does."""
        gradients = self.stack.model.parameters.gradients
        norm = gradients.square().sum(dim=-1).sqrt()
        gradients.mul_((limit.to(norm.dtype) / (norm + 1e-6)).clamp_max(1)[:, None])

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
            self.stack.ids = []
            return
        for each in (self.stack, self.watch, self.recorder):
            each.select(keep)
        self.recorded = None  # its tensors are those of the stack as it was

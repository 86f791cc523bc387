"""The one training loop. It trains R runs at once; an ordinary run is a stack of one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from exp.engine.cuda_graph import WORTH, Recorded, recordable
from exp.engine.first_steps import FirstSteps, custom_kinds
from exp.engine.loss_checks import check_loss
from exp.engine.recorder import Recorder
from exp.engine.rows import Batch, Tally
from exp.engine.stack import Stack
from exp.engine.watch import Watch


@dataclass(frozen=True)
class End:
    """How one run of a stack ended: its position then, its status and in which epoch."""

    position: int
    status: str
    epoch: int


class Training:
    """A stack on its way through the epochs.

    Args:
        stack: the runs.
        on_row: called after each evaluated epoch.
        on_checkpoint: called after each `checkpoint_every` epochs.
        on_end: called for each run as it ends, while it still stands in the stack.
        on_epoch: called after every epoch; what it raises ends the training there.
        on_start: called before the first epoch.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        on_end: Callable[[Training, End], None],
        on_row: Callable[[Training], None] | None = None,
        on_checkpoint: Callable[[Training], None] | None = None,
        on_epoch: Callable[[Training], None] | None = None,
        on_start: Callable[[Training], None] | None = None,
    ) -> None:
        self.stack = stack
        self.watch = Watch(stack)
        self.recorder = Recorder(stack)
        self.epoch = 0
        # A stack of one may be put back to where its run had ended: nothing is left to train.
        self.ended: str | None = None
        self.on_end, self.on_row, self.on_checkpoint = on_end, on_row, on_checkpoint
        self.on_epoch, self.on_start = on_epoch, on_start
        self.recorded: Recorded | None = None
        kinds = custom_kinds(stack)
        # Looked at once: runs of packaged components alone have nothing here.
        self.first = FirstSteps(stack, kinds) if kinds else None
        self.on_gpu = stack.device.torch_device.type == "cuda"

    def run(self) -> None:
        """Trains until every run has ended."""
        trainer = self.stack.trainer
        threads = torch.get_num_threads()
        torch.set_num_threads(self.stack.device.threads)
        try:
            if self.first is not None and "loss" in self.first.kinds:
                check_loss(self.stack)
            if self.on_start is not None:
                self.on_start(self)
            if self.ended is not None:
                self.on_end(self, End(0, self.ended, self.epoch - 1))
                self.stack.ids = []
            while self.stack.runs and self.epoch < trainer.epochs:
                self.one_epoch()
                if self.on_epoch is not None:
                    self.on_epoch(self)
        finally:
            torch.set_num_threads(threads)

    def one_epoch(self) -> None:
        stack, trainer, epoch = self.stack, self.stack.trainer, self.epoch
        last = epoch == trainer.epochs - 1
        measured = self.measures(epoch)
        self.watch.remember()
        tally = self.learn(measured)
        pruned: list[int] = []
        if measured:
            logits: list[Tensor] = []
            values = tally.values()
            if "test" in stack.splits:
                values += self.evaluate("test", logits)
            values.append(stack.shown_rates(epoch))
            if "validation" in stack.splits:
                values += self.evaluate("validation", logits)
            if stack.monitored is not None:
                values.append(self.monitored(logits))
            row = torch.stack(values)
            stack.history.add(epoch, row)
            numbers = row.tolist()
            lost, tired = self.watch.observe(epoch, numbers)
            pruned = self.watch.hopeless()
            if stack.observed:
                self.follow(numbers[self.watch.monitor])
            if self.on_row is not None:
                self.on_row(self)
        else:
            losses = tally.loss().tolist()
            lost, tired = [i for i, loss in enumerate(losses) if not math.isfinite(loss)], []
        self.epoch += 1
        if last or lost or tired or pruned:
            ends = dict.fromkeys(pruned, "pruned") | dict.fromkeys(tired, "stopped")
            self.end(lost, ends, last, measured)
        else:
            self.recorder.look(epoch, measured=measured)
        every = trainer.checkpoint_every
        if every and self.epoch % every == 0 and stack.runs and self.on_checkpoint:
            self.on_checkpoint(self)

    def measures(self, epoch: int) -> bool:
        """Whether every split is evaluated after this epoch."""
        trainer = self.stack.trainer
        return bool(epoch == trainer.epochs - 1 or epoch % trainer.eval_every == 0)

    def learn(self, measured: bool) -> Tally:
        """One pass over the training rows; its tally is of the passes that made the steps."""
        stack, tally = self.stack, self.tally("train")
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
        stack.optimizer.step(rates, lambda: self.again(batch))
        return losses.detach(), stack.objective.loss.correct(logits.detach(), batch.truth)

    def worth_recording(self) -> bool:
        left = (self.stack.trainer.epochs - self.epoch) * self.stack.steps
        return left >= WORTH and recordable(self.stack)

    def again(self, batch: Batch) -> Tensor:
        """Loss and gradient once more, for optimizers that probe (L-BFGS)."""
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

    def monitored(self, pieces: list[Tensor]) -> Tensor:
        """The score that is computed for the monitor alone, `[runs]`.

        Args:
            pieces: the logits of its split; empty for the training rows, which are evaluated here.
        """
        stack, score = self.stack, self.stack.monitored
        assert score is not None
        if score.split == "train":
            self.evaluate("train", pieces)
        with torch.no_grad():
            found = score(pieces, stack.objective.loss, stack.jobs)
        return torch.tensor(found, dtype=stack.dtype, device=stack.device.torch_device)

    def evaluate(self, name: str, pieces: list[Tensor]) -> list[Tensor]:
        """What is measured of each run on a split, `[runs]` each.

        Args:
            pieces: takes the logits, where the monitor is computed of this split.
        """
        stack, tally = self.stack, self.tally(name)
        kept = stack.monitored is not None and stack.monitored.split == name
        with torch.no_grad():
            for batch in stack.chunks(name):
                logits = stack.model(batch.x, batch.mask, False)
                if kept:
                    pieces.append(logits)
                right = stack.objective.loss.correct(logits, batch.truth)
                tally.add(stack.objective(logits, batch, stack.model), right, batch)
            return tally.values()

    def tally(self, name: str) -> Tally:
        """An empty tally of a split."""
        return Tally(self.stack.objective.loss, self.stack.splits[name].spread)

    def follow(self, monitored: list[float]) -> None:
        """Tells the schedules that follow a score what it was."""
        for schedule, value in zip(self.stack.schedules, monitored, strict=True):
            schedule.observe(value)

    def end(self, lost: list[int], early: dict[int, str], last: bool, measured: bool) -> None:
        """Lets runs go that are done, have diverged or end early; their neighbours go on.

        Args:
            lost: positions of runs that have diverged.
            early: position -> why it ends: stopped or pruned.
        """
        ends = dict.fromkeys(range(self.stack.runs), "done") if last else {}
        ends |= early
        for position in lost:
            self.watch.restore_finite(position)
            ends[position] = "diverged"
        self.recorder.look(self.epoch - 1, measured=measured, ending=ends)
        best = {
            position: self.watch.best_epoch[position]
            for position in ends
            if self.recorder.film.calendars[position]
            and self.stack.jobs[position].plan.restores_best
            and math.isfinite(self.watch.best[position])
        }
        if best:
            with self.watch.best_weights(list(best)):
                self.recorder.film.look_at_best(best)
        for position, status in sorted(ends.items()):
            self.on_end(self, End(position, status, self.epoch - 1))
        keep = [i for i in range(self.stack.runs) if i not in ends]
        if keep:
            self.stack.select(keep)
            self.watch.select(keep)
            self.recorder.select(keep)
            self.recorded = None  # its tensors are those of the stack as it was
        else:
            self.stack.ids = []

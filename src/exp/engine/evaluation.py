"""What is measured of the runs of a stack after an epoch: a row of their history."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.engine.rows import Tally
from exp.engine.stack import Stack


class Evaluation:
    """Evaluates the splits of a stack's runs.

    Args:
        stack: the runs.
        averaged: whether the weights are averages: the steps were made with others, so that the
            training rows are evaluated as well.
    """

    def __init__(self, stack: Stack, *, averaged: bool = False) -> None:
        self.stack, self.averaged = stack, averaged

    def due(self, epoch: int) -> bool:
        """Whether every split is evaluated after this epoch."""
        trainer = self.stack.trainer
        return bool(epoch == trainer.epochs - 1 or epoch % trainer.eval_every == 0)

    def next(self, epoch: int) -> int:
        """The first epoch from this one on after which every split is evaluated."""
        every, last = self.stack.trainer.eval_every, self.stack.trainer.epochs - 1
        return int(min(last, -(-epoch // every) * every))

    def row(self, epoch: int, training_rows: Tally) -> dict[str, Tensor]:
        """What was measured, `[runs]` for each column of the history.

        Args:
            training_rows: of the passes that made this epoch's steps.
        """
        stack, logits = self.stack, list[Tensor]()
        if self.averaged:
            training_rows = self.evaluate("train", logits)
        row = self._named("train", training_rows)
        row["lr"] = stack.shown_rates(epoch)
        for split in ("test", "validation"):
            if split in stack.splits:
                row |= self._named(split, self.evaluate(split, logits))
        if stack.monitored is not None:
            row[stack.monitor] = self.monitored(logits)
        return row

    def tally(self, split: str) -> Tally:
        """An empty tally of a split."""
        rows = self.stack.splits[split]
        return Tally(self.stack.objective.loss, rows.spread, rows.units)

    def evaluate(self, split: str, logits: list[Tensor]) -> Tally:
        """A pass over a split.

        Args:
            logits: takes those of each batch, where the monitored score is computed of this split.
        """
        stack, tally = self.stack, self.tally(split)
        kept = stack.monitored is not None and stack.monitored.split == split
        with torch.no_grad():
            for batch in stack.chunks(split):
                answers = stack.model(batch.x, batch.mask, False)
                if kept:
                    logits.append(answers)
                right = stack.objective.loss.correct(answers, batch.truth)
                tally.add(stack.objective(answers, batch, stack.model), right, batch)
        return tally

    def _named(self, split: str, tally: Tally) -> dict[str, Tensor]:
        with torch.no_grad():
            return {f"{split}/{score}": value for score, value in tally.scores().items()}

    def monitored(self, logits: list[Tensor]) -> Tensor:
        """The score that is computed for the monitor only, `[runs]`.

        Args:
            logits: of its split; none, where it is not evaluated yet.
        """
        stack, score = self.stack, self.stack.monitored
        assert score is not None
        if not logits:
            self.evaluate(score.split, logits)
        with torch.no_grad():
            found = score(logits, stack.objective.loss, stack.jobs)
        return torch.tensor(found, dtype=stack.dtype, device=stack.device.torch_device)

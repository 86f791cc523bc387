"""The rows of a stack, padded to whole vector lanes, and the batches they are trained in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from exp.components.losses.loss import Loss
from exp.data.prepared import Matrix, parts_of
from exp.engine.model import padded
from exp.util.metric_names import IN_UNITS

CHUNK = 16_384
"""Columns of one forward pass in evaluation: fixed, so that bits do not depend on the stack."""


@dataclass
class Batch:
    """Rows of one step or one chunk, feature-major.

    Attributes:
        x: `[runs, features, rows]`.
        targets: `[runs, rows]`, as the loss wants them.
        truth: the same, but with padding marked, as `Loss.marked` does.
        mask: `[runs, rows]`, 1 for real rows, 0 for padding.
        share: `[runs, rows]`, what each row's loss counts in the mean: its weight / divisor; 0 for
            padding.
        divisor: `[runs, 1]`, real rows, or the sum of their weights and those of their classes.
        count: real rows of each run.
    """

    x: Tensor
    targets: Tensor
    truth: Tensor
    mask: Tensor
    share: Tensor
    divisor: Tensor
    count: int


class Split:
    """One split of R runs, as many rows in each.

    Args:
        rows: R matrices `[rows, features]` float32, in the order of the split, which are read in
            parts.
        labels: R vectors `[rows]`: int64 classes, or float32 numbers.
        units: how many units of the target one unit of its labels is, for each run; (): one.
        weights: R vectors `[rows]` float32: how much each row counts in the loss; None: all rows
            count the same.
        shuffled: whether batches take rows at random: they are then kept row-major, since
            gathering whole rows is what a processor does well.
    """

    def __init__(
        self,
        rows: Sequence[Matrix],
        labels: Sequence[np.ndarray],
        loss: Loss,
        *,
        units: Sequence[float] = (),
        weights: Sequence[np.ndarray] | None = None,
        dtype: torch.dtype,
        device: torch.device,
        shuffled: bool = False,
    ) -> None:
        self.count, self.features = rows[0].shape
        self.shuffled, self.loss = shuffled, loss
        # One row of zeros at least stands at the end, for a shuffled batch to pad itself with.
        self.width = padded(self.count + 1) if shuffled else padded(self.count)
        runs = len(rows)
        shape = (self.width, self.features) if shuffled else (self.features, self.width)
        self.x = torch.zeros(runs, *shape, dtype=dtype, device=device)
        y = np.zeros((runs, self.width), labels[0].dtype)
        for run, (matrix, vector) in enumerate(zip(rows, labels, strict=True)):
            by_row = self.x[run] if shuffled else self.x[run].T
            for start, part in parts_of(matrix):
                by_row[start : start + len(part)] = torch.tensor(part)
            y[run, : self.count] = vector
        classes = torch.from_numpy(y).to(device)
        self.mask = torch.zeros(runs, self.width, dtype=dtype, device=device)
        self.mask[:, : self.count] = 1
        self.targets = loss.targets(classes, dtype)
        self.truth = loss.marked(self.targets, self.mask == 0)
        spread = loss.spread(labels)
        self.spread = None if spread is None else spread.to(device)
        scaled = any(unit != 1 for unit in units)
        self.units = torch.tensor(units, dtype=dtype, device=device) if scaled else None
        # What each row's loss is multiplied by; the loss itself contains the weight of its class.
        self.counted = self.mask
        if weights is not None:
            self.counted = torch.zeros_like(self.mask)
            for run, vector in enumerate(weights):
                self.counted[run, : self.count] = torch.from_numpy(vector)
        of_classes = loss.row_weights(classes, dtype)
        self.weights = None if weights is None else self.counted
        if of_classes is not None:
            self.weights = of_classes * self.counted

    def whole(self) -> Batch:
        """All rows as one batch, in the order of the split."""
        return self.part(0, padded(self.count))

    def chunks(self) -> Iterator[Batch]:
        """All rows in pieces, for evaluation."""
        for start in range(0, padded(self.count), CHUNK):
            yield self.part(start, min(start + CHUNK, padded(self.count)))

    def part(self, start: int, stop: int) -> Batch:
        part = slice(start, stop)
        x = self.x[:, part].transpose(1, 2) if self.shuffled else self.x[:, :, part]
        mask = self.mask[:, part]
        divisor = divided(mask if self.weights is None else self.weights[:, part])
        count = min(stop, self.count) - start
        targets, truth = self.targets[:, part], self.truth[:, part]
        share = self.counted[:, part] / divisor
        return Batch(x, targets, truth, mask, share, divisor, count)

    def shuffle(self, size: int, generators: Sequence[torch.Generator]) -> Iterator[Batch]:
        """One epoch in mini-batches, each run in a random order of its own generator.

        Args:
            size: rows of a batch; the last one may have fewer.
            generators: one for each run, on the CPU.
        """
        order = self.order(size, generators)
        usual: Batch | None = None
        for start in range(0, self.count, size):
            count = min(size, self.count - start)
            rows = order[:, start : start + count]
            if count < padded(count):
                filler = order[:, self.count : self.count + padded(count) - count]
                rows = torch.cat([rows, filler], dim=1)
            usual = self.gather(rows, count, usual)
            yield usual

    def order(self, size: int, generators: Sequence[torch.Generator]) -> Tensor:
        """A random order for each run, `[runs, rows]`, then indices of an empty row; they count
        through the rows of all runs."""
        runs = self.mask.shape[0]
        order = torch.full((runs, self.count + padded(size)), self.count, dtype=torch.int64)
        for run, generator in enumerate(generators):
            torch.randperm(self.count, generator=generator, out=order[run, : self.count])
        if runs > 1:
            order += torch.arange(runs)[:, None] * self.width
        return order.to(self.x.device)

    def gather(self, rows: Tensor, count: int, usual: Batch | None) -> Batch:
        """The batch of these rows; what only depends on their number is taken from `usual`."""
        flat = rows.reshape(-1)
        x = self.x.view(-1, self.features).index_select(0, flat)
        x = x.view(*rows.shape, self.features).transpose(1, 2)
        truth = self.truth.view(-1).index_select(0, flat).view(rows.shape)
        full = count == rows.shape[1]
        targets = truth if full else self.loss.unmarked(truth)
        if self.weights is None and usual is not None and usual.count == count:
            return Batch(x, targets, truth, usual.mask, usual.share, usual.divisor, count)
        mask = self.mask.view(-1).index_select(0, flat).view(rows.shape)
        counted = mask
        if self.counted is not self.mask:
            counted = self.counted.view(-1).index_select(0, flat).view(rows.shape)
        if self.weights is None:
            divisor = divided(mask)
        else:
            divisor = divided(self.weights.view(-1).index_select(0, flat).view(rows.shape))
        return Batch(x, targets, truth, mask, counted / divisor, divisor, count)

    def select(self, keep: Tensor) -> None:
        """Keeps the runs at these positions."""
        self.x, self.targets, self.truth = self.x[keep], self.targets[keep], self.truth[keep]
        weighted = self.counted is not self.mask
        self.mask = self.mask[keep]
        self.counted = self.counted[keep] if weighted else self.mask
        self.weights = None if self.weights is None else self.weights[keep]
        self.spread = None if self.spread is None else self.spread[keep]
        self.units = None if self.units is None else self.units[keep]


def divided(weights: Tensor) -> Tensor:
    """The divisor `[runs, 1]` of a mean over weighted rows; never 0, so that a batch of rows
    without weight costs nothing."""
    return weights.sum(dim=-1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)


class Tally:
    """The loss and the metrics over the batches of a pass, a number for each run.

    Args:
        loss: defines the metrics.
        spread: of the targets of all rows, as `Split` has it.
        units: of the target, likewise.
    """

    def __init__(
        self, loss: Loss, spread: Tensor | None = None, units: Tensor | None = None
    ) -> None:
        self.kind, self.spread, self.units = loss, spread, units
        self.losses: list[Tensor] = []
        self.divisors: list[Tensor] = []
        self.right: Tensor | None = None
        self.count = 0

    def add(self, losses: Tensor, right: Tensor | None, batch: Batch) -> None:
        """Takes in a batch: its mean losses `[runs]`, and which rows are right, or how far from it,
        `[runs, rows]`."""
        self.losses.append(losses)
        self.divisors.append(batch.divisor)
        self.count += batch.count
        if right is not None:
            hits = self.kind.summed(right)
            self.right = hits if self.right is None else self.right + hits

    def loss(self) -> Tensor:
        """The mean loss `[runs]`; of a single batch exactly its loss."""
        if len(self.losses) == 1:
            return self.losses[0]
        divisors = torch.cat(self.divisors, dim=1)
        return (torch.stack(self.losses, dim=1) * divisors).sum(dim=1) / divisors.sum(dim=1)

    def scores(self) -> dict[str, Tensor]:
        """The loss and what else is measured, by name, `[runs]` each. Errors are in the units of
        the target, and the loss is of the labels as they were scaled."""
        assert self.right is not None
        measured = self.kind.measured(self.right, self.count, self.spread)
        found = dict(zip(self.kind.measures, measured, strict=True))
        if self.units is not None:
            found |= {name: found[name] * self.units for name in IN_UNITS if name in found}
        return {"loss": self.loss(), **found}

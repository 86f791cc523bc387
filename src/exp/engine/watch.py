"""Watches the runs of a stack: the best epoch, early stopping, limits that a run has to meet,
divergence. Each run by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch

from exp.engine.history import Row
from exp.engine.stack import Stack


class Limit(NamedTuple):
    """A value that a column has to have reached after so many epochs."""

    column: str
    epochs: float
    value: float


def limits_of(prune: Mapping[str, Sequence[Sequence[float]]] | None) -> Iterator[Limit]:
    """The limits of `trainer.prune`."""
    for column, limits in (prune or {}).items():
        for epochs, value in limits:
            yield Limit(column, epochs, value)


class Watch:
    """What is remembered of each run while its stack trains.

    Its decisions are made on Python's floats: they cost less than a tensor operation does, and a
    float32 is the same number there.

    Attributes:
        best: the best monitored score of each run so far; infinite where there was none.
        best_epoch: where it was.
        waited: evaluations since the last improvement.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.sign = -1.0 if stack.higher else 1.0
        self.best = [self.sign * math.inf] * stack.runs
        self.best_epoch = [0] * stack.runs
        self.waited = [0] * stack.runs
        self._adopt()
        self.best_state = [tensor.clone() for tensor in self.live]
        self.now = [tensor.clone() for tensor in self.live]
        self.before = [tensor.clone() for tensor in self.live]

    def _adopt(self) -> None:
        """The tensors that make up the stack's models: parameters, then buffers."""
        model = self.stack.model
        self.live = [model.parameters.values, *model.buffers.values()]
        self.min_delta = [job.plan.trainer.min_delta for job in self.stack.jobs]
        self.patience = [job.plan.trainer.early_stopping or math.inf for job in self.stack.jobs]
        self.limits = [list(limits_of(job.plan.trainer.prune)) for job in self.stack.jobs]

    def remember(self) -> None:
        """Keeps the models as they are before an epoch, and as they were before the last."""
        self.before, self.now = self.now, self.before
        for kept, live in zip(self.now, self.live, strict=True):
            kept.copy_(live)

    def observe(self, epoch: int, row: Row) -> dict[int, str]:
        """Takes note of an evaluated epoch, which is the newest of the history.

        Returns:
            Position -> why a run ends: it has diverged, its patience is over ("stopped"), or it is
            pruned.
        """
        better, stopped = [], []
        for run, value in enumerate(row[self.stack.monitor]):
            if self.sign * value < self.sign * self.best[run] - self.min_delta[run]:
                self.best[run], self.best_epoch[run], self.waited[run] = value, epoch, 0
                better.append(run)
            else:
                self.waited[run] += 1
                if self.waited[run] >= self.patience[run]:
                    stopped.append(run)
        if len(better) == len(self.best):
            for kept, live in zip(self.best_state, self.live, strict=True):
                kept.copy_(live)
        elif better:
            for kept, live in zip(self.best_state, self.live, strict=True):
                kept[better] = live[better]
        ends = dict.fromkeys(self.pruned(), "pruned") | dict.fromkeys(stopped, "stopped")
        return ends | self.diverged(row)

    def diverged(self, row: Mapping[str, list[float]]) -> dict[int, str]:
        """The runs of which a loss is not finite, as `observe` gives them."""
        losses = [values for name, values in row.items() if name.endswith("/loss")]
        by_run = enumerate(zip(*losses, strict=True))
        return {run: "diverged" for run, values in by_run if not all(map(math.isfinite, values))}

    def pruned(self) -> list[int]:
        """Positions of runs whose best value so far is worse than a limit of `trainer.prune` that
        came due with the newest evaluation.

        Looks at the history only, so that a run which goes on from a checkpoint meets the same end.
        """
        if not any(self.limits):
            return []
        history = self.stack.history
        before, now = ([-1, *history.epochs][-2] + 1, history.epochs[-1] + 1)
        return [
            run
            for run, limits in enumerate(self.limits)
            if any(before < limit.epochs <= now and self._worse(run, limit) for limit in limits)
        ]

    def _worse(self, run: int, limit: Limit) -> bool:
        values = self.stack.history.column(limit.column, run)
        if self.stack.jobs[run].plan.higher_is_better(limit.column):
            return bool(values.max().item() < limit.value)
        return bool(values.min().item() > limit.value)

    @contextmanager
    def best_weights(self, runs: list[int]) -> Iterator[None]:
        """Within this, the models of these runs are those of their best epochs."""
        kept = [tensor.clone() for tensor in self.live]
        for live, best in zip(self.live, self.best_state, strict=True):
            live[runs] = best[runs]
        try:
            yield
        finally:
            for live, before in zip(self.live, kept, strict=True):
                live.copy_(before)

    def restore_finite(self, run: int) -> None:
        """Puts one run back to its newest state in which the training loss is finite."""
        for state in (self.now, self.before):
            for kept, live in zip(state, self.live, strict=True):
                live[run].copy_(kept[run])
            if self._finite(run):
                return

    def _finite(self, run: int) -> bool:
        if not bool(torch.isfinite(self.live[0][run]).all()):
            return False
        model = self.stack.model
        with torch.no_grad():
            for batch in self.stack.chunks("train"):
                logits = model(batch.x, batch.mask, False)
                if not math.isfinite(self.stack.objective(logits, batch, model)[run].item()):
                    return False
        return True

    def select(self, keep: list[int]) -> None:
        """Keeps the runs at these positions, after the stack did."""
        for name in ("best", "best_epoch", "waited"):
            setattr(self, name, [getattr(self, name)[i] for i in keep])
        for name in ("best_state", "now", "before"):
            setattr(self, name, [tensor[keep] for tensor in getattr(self, name)])
        self._adopt()

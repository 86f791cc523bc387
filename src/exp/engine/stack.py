"""A stack: everything that R runs need to train at once. A run is a stack of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from exp.components.schedulers.scheduler import Progress, Scheduler, scheduler
from exp.engine.history import History
from exp.engine.job import Job
from exp.engine.kernel.network import Network
from exp.engine.kernel.support import why_not
from exp.engine.model import Model
from exp.engine.monitored import Monitored
from exp.engine.objective import Objective, hyperparameters
from exp.engine.rows import Batch, Split
from exp.util.errors import ComponentError, shown
from exp.util.memory import give_back

SPLITS = ("train", "validation", "test")


def generator(seed: int, purpose: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of one run for one purpose, independent of all others."""
    state = np.random.SeedSequence([seed, purpose]).generate_state(1, np.uint64)[0]
    return torch.Generator(device=device).manual_seed(int(state >> 1))


def checked_rate(rate: object, name: str) -> float:
    """The rate of a custom schedule.

    Raises:
        ComponentError: it is not a finite number of at least 0.
    """
    number = isinstance(rate, (int, float, np.number, Tensor)) and not isinstance(rate, bool)
    if not number or np.size(rate) != 1 or not 0 <= (found := float(rate)) < np.inf:  # type: ignore[arg-type]
        raise ComponentError(
            f"scheduler {name}: rate() must return the learning rate, a finite number of at least "
            f"0, found {shown(rate)}"
        )
    return found


class Stack:
    """R runs with the same shapes: model, loss, optimizer, schedules, rows, history.

    Args:
        jobs: R of them with equal `Job.key()`.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        first = jobs[0]
        self.ids = list(range(len(jobs)))
        self.jobs = list(jobs)
        self.trainer = first.plan.trainer
        self.device = first.device
        self.dtype = first.device.dtype
        place = first.device.torch_device
        self.shufflers = [generator(job.plan.seeds.shuffle, 0) for job in jobs]
        droppers = [generator(job.plan.seeds.shuffle, 1, place) for job in jobs]
        self.objective = Objective(jobs)
        self.model = Model(
            [job.source() for job in jobs],
            outputs=first.outputs,
            dtype=self.dtype,
            device=place,
            generators=droppers,
            known=first.unknown_step is None,
        )
        rule = first.plan["optimizer"]
        values = hyperparameters(rule, [job.plan["optimizer"].declared for job in jobs], place)
        self.optimizer = rule.component.make(self.model.parameters, **values)
        self.schedules: list[Scheduler] = [scheduler(job.plan["scheduler"]) for job in jobs]
        norms = [job.plan.trainer.clip_norm for job in jobs]
        self.clip_norm = None if norms[0] is None else self._column(norms)[:, 0]
        self.splits = {
            name: self._split(name) for name in SPLITS if len(getattr(first.data.split, name))
        }
        self._chunks: dict[str, list[Batch]] = {}
        self._whole: Batch | None = None
        scores = ("loss", *self.objective.loss.measures)
        columns = {n: [f"{n}/{score}" for score in scores] for n in SPLITS if n in self.splits}
        measured, extra = columns["train"] + columns.get("test", []), columns.get("validation", [])
        self.monitor = first.plan.monitor
        names = [*measured, "lr", *extra]
        # A score that is not measured in any case is computed for the monitor only.
        self.monitored = None if self.monitor in names else Monitored(self.monitor)
        # Why torch trains these runs; None: the kernel does.
        self.unfit = why_not(first, self.model, self.objective.loss)
        self.network = self._network()
        self.higher = first.plan.higher_is_better(self.monitor)
        if self.monitored is not None:
            names.append(self.monitor)
        self.history = History(names)
        self._rates: Tensor | None = None
        self._shown: Tensor | None = None
        self.constant = all(schedule.constant for schedule in self.schedules)
        self.within_epoch = any(schedule.within_epoch for schedule in self.schedules)
        self.observed = any(schedule.observes for schedule in self.schedules)
        for schedule in self.schedules:
            schedule.higher_is_better = self.higher

    def _column(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device.torch_device)[:, None]

    def _split(self, name: str) -> Split:
        rows = [getattr(job.data.split, name) for job in self.jobs]
        weights = [job.data.weights_of(index) for job, index in zip(self.jobs, rows, strict=True)]
        return Split(
            [job.data.input_rows(index) for job, index in zip(self.jobs, rows, strict=True)],
            [job.data.targets[index] for job, index in zip(self.jobs, rows, strict=True)],
            self.objective.loss,
            weights=[each for each in weights if each is not None] or None,
            units=[job.data.unit for job in self.jobs],
            dtype=self.dtype,
            device=self.device.torch_device,
            shuffled=name == "train" and self.trainer.batch_size is not None,
        )

    def _network(self) -> Network | None:
        """The runs as the kernel computes them; None: it does not train them."""
        if self.unfit is not None:
            return None
        first = self.jobs[0]
        return Network(self.model, self.objective, first.shapes.features, first.batch)

    @property
    def runs(self) -> int:
        return len(self.ids)

    @property
    def steps(self) -> int:
        """Optimizer steps of one epoch."""
        size = self.trainer.batch_size
        if size is None:
            return 1
        return int(-(-self.splits["train"].count // (size * self.trainer.accumulate)))

    def batches(self) -> Iterator[Batch]:
        """The training rows of one epoch."""
        if self.trainer.batch_size is not None:
            yield from self.splits["train"].shuffle(self.trainer.batch_size, self.shufflers)
            return
        if self._whole is None:
            self._whole = self.splits["train"].whole()
        yield self._whole

    def chunks(self, name: str) -> list[Batch]:
        """A split in pieces for evaluation, in the order of the split."""
        if name not in self._chunks:
            self._chunks[name] = list(self.splits[name].chunks())
        return self._chunks[name]

    def rates(self, epoch: int, step: int) -> Tensor:
        """The learning rate of each run at this step, `[runs, 1]` float64."""
        if self._rates is None or not (self.constant or (step and not self.within_epoch)):
            now = Progress(epoch, self.trainer.epochs, step, self.steps)
            base = self.optimizer.lr[:, 0].tolist()
            rates = [s.rate(lr, now) for s, lr in zip(self.schedules, base, strict=True)]
            if not self.jobs[0].plan["scheduler"].packaged:
                rates = [checked_rate(rate, self.jobs[0].plan["scheduler"].name) for rate in rates]
            self._rates = self._column(rates)
            self._shown = None
        return self._rates

    def shown_rates(self, epoch: int) -> Tensor:
        """The learning rate of each run at the first step of an epoch, `[runs]`."""
        rates = self.rates(epoch, 0)
        if self._shown is None:
            self._shown = rates[:, 0].to(self.dtype)
        return self._shown

    def end(self) -> None:
        """No run is left: its rows take no more memory."""
        self.ids = []
        self.splits.clear()
        self._chunks.clear()
        self._whole = self.network = None
        if any(job.data.large for job in self.jobs):
            give_back()

    def select(self, keep: list[int]) -> None:
        """Keeps the runs at these positions: the others have stopped."""
        index = torch.tensor(keep, dtype=torch.int64, device=self.device.torch_device)
        self.ids = [self.ids[i] for i in keep]
        self.jobs = [self.jobs[i] for i in keep]
        self.shufflers = [self.shufflers[i] for i in keep]
        self.schedules = [self.schedules[i] for i in keep]
        self.model.select(index)
        self.optimizer.select(self.model.parameters, index)
        self.objective = Objective(self.jobs)
        self.network = self._network()
        if self.clip_norm is not None:
            self.clip_norm = self.clip_norm[index]
        for split in self.splits.values():
            split.select(index)
        self._chunks.clear()
        self._whole = self._rates = None
        self.history.select(index)

"""The live figure of a run that trains in a notebook."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray

from exp.engine import Hook, Job, Training
from exp.engine.boundary_frames import probabilities
from exp.engine.train import End
from exp.plotting.live import MapView, Moment, html
from exp.util import notebook

EVERY = 0.25
"""Seconds between two pictures, at least."""
SHARE = 0.03
"""Of the processor's time, what pictures may take: those that take long are drawn less often."""
GRID = 64
"""Points of the map along each side."""
MOST_ROWS, MOST_STEPS = 300, 240
"""Rows on the map, and points of a curve: more only lie on one another."""
ENDS = {"stopped": "stopped early", "diverged": "diverged", "pruned": "pruned"}


class LiveFigure(Hook):
    """Draws the loss curves and the decision map while a run trains, at most four times a second.

    It looks at the model between two epochs and draws no random number: a run that is watched has
    the same bits.
    """

    def __init__(self, job: Job, output: notebook.Output) -> None:
        self.job, self.output = job, output
        self.due = self.earned = 0.0
        self._view: MapView | None = None
        self._grid: torch.Tensor | None = None

    def next_look(self, training: Training) -> None:
        """Never: it looks whenever the training pauses anyway."""

    def before_training(self, training: Training) -> None:
        if not self.job.data.data.numeric and not self.job.data.large:
            self._view, self._grid = self.map_of(training)
        self.draw(training, "")

    def between_epochs(self, training: Training) -> None:
        late = time.perf_counter() >= self.due and time.process_time() >= self.earned
        if late and training.stack.runs:
            self.draw(training, "")

    def run_ended(self, training: Training, end: End) -> None:
        self.draw(training, ENDS.get(end.reason, ""), last=True)

    def draw(self, training: Training, state: str, *, last: bool = False) -> None:
        begun = time.thread_time()
        moment = self.moment(training, state)
        self.output.show(html(moment, last=last), moment.text())
        cost = time.thread_time() - begun
        # The first picture also loads the libraries that draw it.
        self.earned = time.process_time() + (cost / SHARE if self.due else 0.0)
        self.due = time.perf_counter() + EVERY

    def moment(self, training: Training, state: str) -> Moment:
        """What there is to see."""
        job, history = self.job, training.stack.history
        loss = "RMSE" if job.data.data.numeric else "loss"
        count = len(history.epochs)
        chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_STEPS)).round().astype(int))
        block = history.block()
        steps = None if block is None else block[chosen, :, 0].double().cpu().numpy()
        columns = {
            name: np.zeros(0) if steps is None else steps[:, at]
            for at, name in enumerate(history.columns)
        }
        splits = [name for name in ("train", "validation", "test") if f"{name}/loss" in columns]
        curves = {name: columns[f"{name}/{loss.lower()}"] for name in splits}
        accuracy = {name: columns.get(f"{name}/accuracy", np.zeros(0)) for name in splits}
        name, plan = job.plan.stored["name"], job.plan
        return Moment(
            title=str(name or plan.name),
            epoch=training.epoch,
            epochs=plan.trainer.epochs,
            state=state,
            seen=np.array(history.epochs, np.float64)[chosen],
            curves=curves,
            scores={name: float(values[-1]) for name, values in accuracy.items() if len(values)},
            loss=loss,
            view=self._view,
            chances=self.chances(training),
            theme="light" if plan.figures is None else plan.figures.theme,
        )

    def map_of(self, training: Training) -> tuple[MapView, torch.Tensor]:
        """Where the map lies, and the points of its grid as the models take them."""
        view, data, stack = self.job.view, self.job.data, training.stack
        xs, ys, grid = view.grid(GRID)
        rows = data.split.train
        some = rows[np.linspace(0, len(rows) - 1, min(MOST_ROWS, len(rows))).astype(np.intp)]
        limits = (float(xs[0]), float(xs[-1]), float(ys[0]), float(ys[-1]))
        points = view.plane.project(view.space[some])
        shown = MapView(limits, view.plane.axes, tuple(data.data.classes), points, data.y[some])
        place = stack.device.torch_device
        return shown, torch.from_numpy(grid.T[None].copy()).to(device=place, dtype=stack.dtype)

    def chances(self, training: Training) -> NDArray[np.float32] | None:
        """The map `[K, G, G]` of the model as it is."""
        if self._grid is None:
            return None
        found = probabilities(training.stack, self._grid)[0]
        found = torch.nan_to_num(found, nan=1 / len(found)).float().cpu()
        chances: NDArray[np.float32] = found.numpy().reshape(-1, GRID, GRID)
        return chances

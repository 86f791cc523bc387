"""Decision maps of a stack's runs while they train."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from exp.engine.stack import Stack
from exp.plotting.frames import Frames
from exp.util.errors import DamagedError


def calendar(epochs: int, frames: int, *, early: bool) -> list[int]:
    """In which epochs the frames of a run are taken: more of them at the start, and the last one.

    Args:
        epochs: of the whole training.
        frames: how many, or as many as there are epochs.
        early: whether the run may stop early. The frames then lie evenly on a logarithmic scale, so
            that some are taken whenever it stops; else the gaps between them grow as a square does.
    """
    count = min(frames, epochs)
    if count < 2:
        return [epochs - 1] * count
    share = np.linspace(0.0, 1.0, count)
    places = epochs**share - 1 if early else (epochs - 1) * share**3
    found: list[int] = []
    for place in places.tolist():
        found.append(max(round(place), found[-1] + 1 if found else 0))
    return found


def probabilities(stack: Stack, points: Tensor) -> Tensor:
    """What the models of a stack say as they are, `[runs, K, points]`, of points
    `[runs, inputs, points]`. Training goes on as if nobody had looked."""
    mask = torch.ones(points.shape[0], points.shape[2], dtype=points.dtype, device=points.device)
    # A user's module may draw random numbers whenever it is called.
    single = stack.model.layers is None
    places = [points.device] if points.device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(places, enabled=single):
        if stack.network is None:
            logits = stack.model(points, mask, False)
        else:
            each = [stack.network.logits(points[run], run) for run in range(stack.runs)]
            logits = torch.stack(each)
        return stack.objective.loss.probabilities(logits)


class FrameRecorder:
    """Takes the frames of all runs of a stack at once, and keeps them for each run by itself.

    A run's grid lies over that run's rows. No random number is drawn, and nothing that training
    reads is written.

    Args:
        stack: the runs; some of them may want no frames.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.calendars: list[frozenset[int]] = []
        self.sides: list[int] = []
        for job in stack.jobs:
            figures, trainer = job.plan.figures, job.plan.trainer
            # Frames show decisions; there are none where the target is a number.
            wanted = 0 if figures is None or job.data.data.numeric else figures.frame_count
            self.sides.append(0 if figures is None else figures.frame_grid)
            early = trainer.early_stopping is not None
            self.calendars.append(frozenset(calendar(trainer.epochs, wanted, early=early)))
        self.taken: list[dict[int, NDArray[np.uint8]]] = [{} for _ in stack.jobs]
        self._adopt()

    def _adopt(self) -> None:
        self.due = frozenset().union(*self.calendars)
        self._grids: dict[int, Tensor] = {}

    def look(self, epoch: int, ending: Collection[int] = ()) -> None:
        """Takes the frames of this epoch.

        Args:
            ending: positions of the runs that end with it, for which it is the last.
        """
        if epoch not in self.due and not ending:
            return
        takers = [
            run for run, due in enumerate(self.calendars) if epoch in due or (due and run in ending)
        ]
        for run, found in self._maps(takers):
            self.taken[run][epoch] = found

    def look_at_best(self, epochs: Mapping[int, int]) -> None:
        """Takes the frames of runs whose models are those of their best epochs at the moment.

        Args:
            epochs: position -> its best epoch.
        """
        takers = [
            run for run, at in epochs.items() if self.calendars[run] and at not in self.taken[run]
        ]
        for run, found in self._maps(takers):
            self.taken[run] = dict(sorted({**self.taken[run], epochs[run]: found}.items()))

    def _maps(self, takers: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """The runs at these positions, each with the map `[K', G, G]` of its model as it is."""
        for side in {self.sides[run] for run in takers}:
            maps = self._of_side(side)
            yield from ((run, maps[run]) for run in takers if self.sides[run] == side)

    def _of_side(self, side: int) -> NDArray[np.uint8]:
        """`[runs, K', G, G]` of the models as they are; G is `side`."""
        chances = probabilities(self.stack, self.grid(side))
        count = chances.shape[1]
        chances = torch.nan_to_num(chances[:, 1:] if count == 2 else chances, nan=1 / count)
        maps = (chances * 255).round_().to(torch.uint8).cpu().numpy()
        return maps.reshape(len(maps), -1, side, side)

    def grid(self, side: int) -> Tensor:
        """What the models are given, `[runs, features, G*G]`; zeros for runs whose G is not this
        one."""
        if side not in self._grids:
            stack = self.stack
            points = np.zeros((stack.runs, stack.splits["train"].features, side * side), np.float32)
            for run, (job, due) in enumerate(zip(stack.jobs, self.calendars, strict=True)):
                if due and self.sides[run] == side:
                    points[run] = job.view.grid(side)[2].T
            place = stack.device.torch_device
            self._grids[side] = torch.from_numpy(points).to(device=place, dtype=stack.dtype)
        return self._grids[side]

    def frames(self, run: int) -> Frames | None:
        """What was taken of the run at this position; None where it wants no frames."""
        if not self.calendars[run]:
            return None
        view, taken, side = self.stack.jobs[run].view, self.taken[run], self.sides[run]
        data = view.prepared.data
        xs, ys = view.plane.lines(view.limits, side)
        width = 1 if len(data.classes) == 2 else len(data.classes)
        maps = np.zeros((len(taken), width, side, side), np.uint8)
        for place, found in enumerate(taken.values()):
            maps[place] = found
        return Frames(
            epochs=np.fromiter(taken, np.int64, len(taken)),
            xs=xs,
            ys=ys,
            probabilities=maps,
            classes=tuple(data.classes),
            axes=view.plane.axes,
            note="; ".join(note for note in (view.plane.note, view.plane.map_note) if note),
        )

    def restore(self, run: int, frames: Frames) -> None:
        """Takes up the frames of the run at this position where an earlier training was left.

        Raises:
            DamagedError: they are of another run.
        """
        classes = len(self.stack.jobs[run].data.data.classes)
        side = self.sides[run]
        if frames.probabilities.shape[1:] != (1 if classes == 2 else classes, side, side):
            raise DamagedError(
                "frames.npz belongs to another run: delete it, and the run continues"
            )
        maps = zip(frames.epochs.tolist(), frames.probabilities, strict=True)
        self.taken[run] = dict(maps)

    def select(self, keep: list[int]) -> None:
        """Keeps the runs at these positions, after the stack did."""
        self.calendars = [self.calendars[i] for i in keep]
        self.sides = [self.sides[i] for i in keep]
        self.taken = [self.taken[i] for i in keep]
        grids = self._grids
        self._adopt()
        self._grids = {side: grid[keep] for side, grid in grids.items()}

"""What is recorded of runs while they train that only their pictures need.

None of it belongs to the state of a run: training goes on to the same bits with it and without.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from exp.engine.boundary_frames import FrameRecorder
from exp.engine.evaluation import Evaluation
from exp.engine.norms import Norms
from exp.engine.stack import Stack
from exp.engine.watch import Watch
from exp.plotting.frames import Frames


@dataclass(frozen=True)
class Recording:
    """What was recorded of one run so far.

    Attributes:
        frames: how its decision map came about; None where it wants none.
        norms: columns over the evaluated epochs, `epoch` among them; None where it wants none.
    """

    frames: Frames | None = None
    norms: dict[str, np.ndarray] | None = None


class Recorder:
    """Records the runs of a stack.

    Args:
        stack: the runs.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.frames = FrameRecorder(stack)
        self.norms = Norms(stack)

    def look(
        self, epoch: int, watch: Watch, *, measured: bool, ending: Collection[int] = ()
    ) -> None:
        """Looks at the models as they are after an epoch, and at the best ones of runs that end.

        Args:
            watch: knows those.
            measured: whether the epoch is a row of the history.
            ending: positions of the runs that end with it.
        """
        if measured:
            self.norms.look(epoch)
        self.frames.look(epoch, ending)
        best = {
            position: watch.best_epoch[position]
            for position in ending
            if self.frames.calendars[position]
            and self.stack.jobs[position].plan.restores_best
            and math.isfinite(watch.best[position])
        }
        if best:
            with watch.best_weights(list(best)):
                self.frames.look_at_best(best)

    def next_look(self, epoch: int, evaluation: Evaluation) -> int | None:
        """The first epoch from this one on after which it looks at the models; None: at none but
        those that end."""
        looks = [due for due in self.frames.due if due >= epoch]
        if any(self.norms.wanted):
            looks.append(evaluation.next(epoch))
        return min(looks, default=None)

    def recording(self, run: int) -> Recording:
        """What was recorded of the run at this position."""
        return Recording(self.frames.frames(run), self.norms.table(run))

    def restore(self, earlier: Sequence[Recording]) -> None:
        """Takes up the recordings of the stack's runs where an earlier training was left."""
        for run, each in enumerate(earlier):
            if each.frames is not None:
                self.frames.restore(run, each.frames)
        if tables := [each.norms for each in earlier if each.norms is not None]:
            self.norms.restore(tables)

    def select(self, keep: list[int]) -> None:
        """Keeps the runs at these positions, after the stack did."""
        self.frames.select(keep)
        self.norms.select(keep)

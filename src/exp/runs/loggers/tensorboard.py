"""TensorBoard: one event file for each run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exp.registry.registry import register
from exp.runs.loggers.finished_run import FinishedRun
from exp.runs.loggers.logger import Logger, Text
from exp.util.files import write_whole

PREFIX = "events.out.tfevents."
"""TensorBoard knows its files by their names."""


@register.logger("tensorboard")
@dataclass(kw_only=True)
class TensorBoard(Logger):
    """Curves, figures and hyperparameters as event files for TensorBoard.

    Attributes:
        dir: where they go; each run's folder there is named like its own directory.
    """

    dir: Text = "tensorboard"

    NEEDS = "tensorboard"

    def log(self, run: FinishedRun) -> bool:
        from exp.runs.loggers.event_file import content, place  # tensorboard, which is optional

        folder = Path(self.dir) / place(run.path)
        path = folder / f"{PREFIX}{int(run.started)}.exp.{run.digest[:16]}"
        if path.exists():
            return False
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, content(run))
        # What was logged of this directory before it had changed.
        for other in folder.glob(f"{PREFIX}*.exp.*"):
            if other != path:
                other.unlink(missing_ok=True)
        return True

    @property
    def look(self) -> str:
        return f"tensorboard --logdir {self.dir}"

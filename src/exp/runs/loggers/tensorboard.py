"""TensorBoard: event files in a folder for each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exp.registry.registry import register
from exp.runs.loggers.finished_run import EvaluatedEpoch, FinishedRun, FinishedSweep, StartedRun
from exp.runs.loggers.logger import Logger, Text
from exp.util.files import write_whole

PREFIX = "events.out.tfevents."
"""TensorBoard knows its files by their names."""
STOPPED = "stopped"


@register.logger("tensorboard")
@dataclass(kw_only=True)
class TensorBoard(Logger):
    """Curves, figures and hyperparameters as event files for TensorBoard.

    While a run trains, a file of it grows. When the run has ended, a second file has the rest, and
    is named after the digest of the run: so it is known what has been logged. TensorBoard reads the
    files of a folder in the order of their names.

    Attributes:
        dir: where they go; each run's folder there is named like its own directory.
    """

    dir: Text = "tensorboard"

    NEEDS = "tensorboard"

    def begin(self, sweep: FinishedSweep | None) -> None:
        from exp.runs.loggers import event_file  # tensorboard, which is optional

        self.events: Any = event_file
        self.growing: dict[Path, Any] = {}
        self.texts = sweep.mixed if sweep else frozenset()

    def folder(self, run: StartedRun) -> Path:
        return Path(self.dir, self.events.place(run.path))

    def start(self, run: StartedRun) -> int:
        folder = self.folder(run)
        folder.mkdir(parents=True, exist_ok=True)
        earlier = live_files(folder, run) if run.resumed else []
        for path in files(folder):
            if path not in earlier:  # of another run, or how this one was stopped
                path.unlink(missing_ok=True)
        last = max((self.events.last_epoch(path) for path in earlier), default=-1)
        path = folder / next_name(folder, run.started, f"live-{run.identity}")
        self.growing[run.path] = self.events.Growing(path, run.started)
        if not earlier:
            self.growing[run.path].write(0, run.started, self.events.opening(run, self.texts))
        return last

    def epochs(self, run: StartedRun, rows: Sequence[EvaluatedEpoch]) -> None:
        self.growing[run.path].epochs(rows)

    def log(self, run: FinishedRun) -> bool:
        folder = self.folder(run)
        kind = run.digest[:16]
        if any(path.name.endswith(f".exp.{kind}") for path in files(folder)):
            return False
        self.close(run)
        folder.mkdir(parents=True, exist_ok=True)
        earlier = live_files(folder, run)
        last = max((self.events.last_epoch(path) for path in earlier), default=None)
        # What was logged of this directory before it had changed goes.
        others = [path for path in files(folder) if path not in earlier]
        when = run.started if last is None else run.ended
        write_whole(
            folder / next_name(folder, when, kind),
            self.events.content(run, after=last, texts=self.texts),
        )
        for path in others:
            path.unlink(missing_ok=True)
        return True

    def stopped(self, run: FinishedRun | FinishedSweep) -> bool:
        if isinstance(run, FinishedSweep):
            return True
        self.close(run)
        folder = self.folder(run)
        if not live_files(folder, run):
            return False
        for path in files(folder):
            if path.name.endswith(f".exp.{STOPPED}"):
                return True
        path = folder / next_name(folder, run.ended, STOPPED)
        write_whole(path, self.events.content(run, after=run.last))
        return True

    def close(self, run: StartedRun) -> None:
        if (growing := self.growing.pop(run.path, None)) is not None:
            growing.close()

    @property
    def look(self) -> str:
        return f"tensorboard --logdir {self.dir}"


def files(folder: Path) -> list[Path]:
    """The event files of exp in a folder, in the order in which TensorBoard reads them."""
    return sorted(folder.glob(f"{PREFIX}*.exp.*"))


def live_files(folder: Path, run: StartedRun) -> list[Path]:
    """Those that were written while the run trained."""
    return [path for path in files(folder) if path.name.endswith(f".exp.live-{run.identity}")]


def next_name(folder: Path, when: float, kind: str) -> str:
    """The name of an event file that is read after all that are there.

    Args:
        when: seconds since 1970.
    """
    numbers = [int(path.name.removeprefix(PREFIX).partition(".")[0]) for path in files(folder)]
    return f"{PREFIX}{max([int(when), *(number + 1 for number in numbers)])}.exp.{kind}"

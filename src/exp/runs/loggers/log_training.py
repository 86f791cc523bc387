"""Logs a single run while it trains."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exp.engine import Hook, Training
from exp.registry.component import Chosen
from exp.runs.loggers.finished_run import Mark, times_of
from exp.runs.loggers.log_runs import disabled, log
from exp.runs.loggers.logger import is_live
from exp.runs.loggers.tracker import Tracker, print_closed
from exp.util.terminal import one_line

EVERY = 1.0
"""Seconds between two messages with epochs."""
MOST = 2000
"""Epochs of one message: the others come with the next, or at the end."""
MARKS = 1000
"""How many times are remembered; those of the epochs between lie between them."""


@contextmanager
def logged_while_training(loggers: Mapping[str, Chosen], path: Path) -> Iterator[list[Hook]]:
    """Has the run in `path` logged while it trains, and completed or marked when it has ended.

    Yields:
        What the training is to call.
    """
    live = {} if disabled() else {n: each for n, each in loggers.items() if is_live(each)}
    others = {name: each for name, each in loggers.items() if name not in live}
    if not live:
        with logged_at_end(others, path):
            yield []
        return
    sending = SendEpochs(path.absolute(), {name: each.as_dict() for name, each in live.items()})
    try:
        with logged_at_end(others, path):
            try:
                yield [sending]
            except Exception:
                sending.end()
                raise
            sending.end()
    except BaseException:
        sending.stop()
        raise
    finally:
        sending.tracker.leave()


@contextmanager
def logged_at_end(loggers: Mapping[str, Chosen], path: Path) -> Iterator[None]:
    """Has the run in `path` logged when it has ended, also if it failed; not if it was interrupted,
    since it has not ended then."""
    try:
        yield
    except Exception:
        log(loggers, [path])
        raise
    log(loggers, [path])


class SendEpochs(Hook):
    """Sends the evaluated epochs of a run to the process that logs.

    Args:
        path: of its directory, absolute.
        loggers: label -> name and parameters.
    """

    def __init__(self, path: Path, loggers: Mapping[str, Any]) -> None:
        self.path, self.loggers = path, loggers
        self.tracker = Tracker()
        self.tracker.open()
        self.training: Training | None = None
        self.marks: list[Mark] = []
        self.sent = 0
        self.last_time = 0.0
        self.ended = False

    def next_look(self, training: Training) -> None:
        """Never: rows are enough."""

    def before_training(self, training: Training) -> None:
        self.training, self.sent = training, len(training.stack.history.epochs)
        self.last_time = time.time()
        self.marks.append((training.epoch - 1, self.last_time))
        self.tracker.say("start", self.path, self.loggers)

    def between_epochs(self, training: Training) -> None:
        now = time.time()
        self.marks.append((training.epoch - 1, now))
        if len(self.marks) > MARKS:
            del self.marks[1::2]
        if now - self.last_time >= EVERY and self.tracker.idle():
            self.last_time = now
            self.send()

    def send(self) -> None:
        """Sends the epochs that were evaluated since the last message."""
        assert self.training is not None
        history = self.training.stack.history
        epochs, block = history.epochs[self.sent : self.sent + MOST], history.block()
        if not epochs or block is None:
            return
        # As texts, since those are the numbers of metrics.csv.
        texts = block[self.sent : self.sent + MOST, :, 0].cpu().numpy().astype(str).tolist()
        times = times_of(epochs, self.marks)
        self.sent += len(epochs)
        self.tracker.say(
            "epochs", self.path, self.loggers, columns=history.columns,
            rows=list(zip(epochs, times, texts, strict=True)),
        )  # fmt: skip

    def end(self) -> None:
        """Has the run completed in the trackers, which have what was not sent from its files."""
        self.ended = True
        self.tracker.say("ended", self.path, self.loggers, marks=self.marks)
        print_closed(self.tracker.close(), again=self.again)

    def stop(self) -> None:
        """Has the run marked as interrupted."""
        if self.ended or self.training is None:
            return
        self.send()
        self.tracker.say("ended", self.path, self.loggers)
        print_closed(self.tracker.close(killed=True), again=self.again)

    @property
    def again(self) -> str:
        to = " ".join(f"--to {label}" for label in self.loggers)
        return f"exp log {one_line(str(self.path))} {to}"

"""Functions that the training loop calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from exp.engine import Hook, Training
from exp.runs.training_hooks import EndOnSignal


@contextmanager
def broken_off(epochs: int) -> Iterator[None]:
    """Within this a run is interrupted once it has trained so many epochs, or somewhat more."""

    def broken(self: EndOnSignal, training: Training) -> None:
        self.training = training
        if training.epoch >= epochs:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EndOnSignal, "between_epochs", broken)
        yield


class BetweenEpochs(Hook):
    """Calls a function after every epoch, when runs that ended with it have left the stack."""

    def __init__(self, function: Callable[[Training], Any]) -> None:
        self.function = function

    def between_epochs(self, training: Training) -> None:
        self.function(training)


class BeforeTraining(Hook):
    """Calls a function before the first epoch of each stack."""

    def __init__(self, function: Callable[[Training], Any]) -> None:
        self.function = function

    def before_training(self, training: Training) -> None:
        self.function(training)

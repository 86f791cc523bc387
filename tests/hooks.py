"""Functions that the training loop calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exp.engine import Hook, Training


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

"""Optimizers of stacks. A custom one is a subclass of `Rule`, or an optimizer of torch."""

from exp.components.optimizers.optimizer import Optimizer, Rule
from exp.components.optimizers.parameter_buffer import Parameters

__all__ = ["Optimizer", "Parameters", "Rule"]

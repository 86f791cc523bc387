"""Schedules of the learning rate. A custom one is a subclass of `Scheduler`, or one of torch."""

from exp.components.schedulers.scheduler import Progress, Scheduler

__all__ = ["Progress", "Scheduler"]

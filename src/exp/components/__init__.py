"""Data sets, splits, models, losses, optimizers, schedules, devices: all that is packaged."""

import exp.registry.kinds  # noqa: F401 - declares the kinds

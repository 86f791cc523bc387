"""Data sets, splits, models, losses, optimizers, schedules, devices: all that is packaged."""

"""How many runs of a kind train together: as many as fit the cache; and how long they take."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from exp.engine import Job
from exp.engine.model import padded

CACHE = 5 * 2**20
"""Bytes of activations that a stack may take. Measured with benchmarks/chunks.py, on a processor of
1 MB of level 2 cache for each core and 32 MB of level 3: stacks of 3 to 8 MB are the fastest, from
16 MB on they are slower than a few small ones."""
MOST = 64
"""Beyond, more runs in a stack gain nothing."""


def fitting(job: Job) -> int:
    """How many runs like this one fit the cache together, at most `MOST`.

    What a step touches again and again is the activations of one batch: forward, saved for the
    gradient, and their gradients.
    """
    module = job.module()
    widths = [m.out_features for m in module.modules() if isinstance(m, nn.Linear)]
    numbers = padded(job.batch) * (job.shapes.features + 3 * sum(widths))
    return max(1, min(MOST, CACHE // (numbers * job.device.dtype.itemsize)))


LEAST = 0.04
"""Seconds that any run takes, about: its files."""
FIGURES = 0.15
"""Seconds that drawing a run takes, about."""


class Pace(NamedTuple):
    """Seconds that training takes, about.

    Attributes:
        step: of a step whatever its stack holds, and of an evaluation of a split.
        number: of each activation of a row in a step, forward and backward.
        weight: of each weight and row of a step.
    """

    step: float
    number: float
    weight: float


TORCH = Pace(4e-4, 4e-9, 3e-10)
KERNEL = Pace(2e-6, 4e-10, 6e-11)
"""By benchmarks/epoch.py."""


def cost(job: Job, pace: Pace, size: int = 1) -> float:
    """Roughly how many seconds a run like this one takes.

    Only whether worker processes are worth their start is decided by it, for which a factor of two
    does not matter.

    Args:
        pace: of what trains it.
        size: how many runs share a step.
    """
    trainer, rows = job.plan.trainer, job.shapes.train
    layers = [m for m in job.module().modules() if isinstance(m, nn.Linear)]
    numbers = sum(layer.out_features for layer in layers)
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    steps = -(-rows // job.batch)
    each = padded(rows) * (pace.number * numbers + pace.weight * weights)
    figures = 0.0 if job.plan.figures is None else FIGURES
    return float(LEAST + figures + trainer.epochs * (pace.step * (steps + 1) / size + each))

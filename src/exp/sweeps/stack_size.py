"""How many runs of a kind train together: as many as fit the cache; and how long they take."""

from __future__ import annotations

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
    rows = job.plan.trainer.batch_size or job.shapes.train
    module = job.module()
    widths = [m.out_features for m in module.modules() if isinstance(m, nn.Linear)]
    numbers = padded(min(rows, job.shapes.train)) * (job.shapes.features + 3 * sum(widths))
    return max(1, min(MOST, CACHE // (numbers * job.device.dtype.itemsize)))


LEAST = 0.04
"""Seconds that any run takes, about: its files."""
FIGURES = 0.15
"""Seconds that drawing a run takes, about."""
STEP = 4e-4
"""Seconds that a step takes whatever its stack holds, and so does an evaluation of a split."""
NUMBER = 4e-9
"""Seconds for each activation of a step, forward and backward."""
WEIGHT = 3e-10
"""Seconds for each weight and row of a step."""


def cost(job: Job, size: int) -> float:
    """Roughly how many seconds a run like this one takes in a stack.

    Only whether worker processes are worth their start is decided by it, for which a factor of two
    does not matter. The constants are rough, from the times of the loop in docs/how_it_works.md.

    Args:
        size: of the stack.
    """
    trainer, rows = job.plan.trainer, job.shapes.train
    module = job.module()
    layers = [m for m in module.modules() if isinstance(m, nn.Linear)]
    numbers = sum(layer.out_features for layer in layers)
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    steps = 1 if trainer.batch_size is None else -(-rows // trainer.batch_size)
    each = padded(rows) * (NUMBER * numbers + WEIGHT * weights)
    epoch = STEP * (steps + 1) / size + each
    figures = 0.0 if job.plan.figures is None else FIGURES
    return float(LEAST + figures + trainer.epochs * epoch)


KERNEL_STEP = 2e-6
"""Seconds of a step that the kernel makes, whatever it holds; the next as `NUMBER`, `WEIGHT`."""
KERNEL_NUMBER = 4e-10
KERNEL_WEIGHT = 6e-11


def kernel_cost(job: Job) -> float:
    """Roughly how many seconds a run takes that the kernel trains, by benchmarks/epoch.py."""
    trainer, rows = job.plan.trainer, job.shapes.train
    layers = [m for m in job.module().modules() if isinstance(m, nn.Linear)]
    numbers = sum(layer.out_features for layer in layers)
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    steps = 1 if trainer.batch_size is None else -(-rows // trainer.batch_size)
    each = rows * (KERNEL_NUMBER * numbers + KERNEL_WEIGHT * weights)
    figures = 0.0 if job.plan.figures is None else FIGURES
    return float(LEAST + figures + trainer.epochs * (KERNEL_STEP * (steps + 1) + each))

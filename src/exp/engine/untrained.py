"""What the models of a stack say before they are trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from exp.engine.result import BLOCK
from exp.engine.stack import Stack

Outputs = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Logits `[rows, outputs]`, probabilities `[rows, classes]`, labels `[rows]`."""


def untrained(stack: Stack, rows: int) -> Iterator[Outputs]:
    """What each run says of the first rows of its data, all of them asked at once.

    Args:
        rows: how many, at most `BLOCK`.
    """
    data = [job.first_rows(rows) for job in stack.jobs]
    x = np.zeros((len(data), data[0].shape[1], BLOCK), data[0].dtype)
    for run, some in enumerate(data):
        x[run, :, : len(some)] = some.T
    device, loss = stack.device.torch_device, stack.objective.loss
    mask = torch.ones(len(data), BLOCK, dtype=stack.dtype, device=device)
    with torch.no_grad():
        logits = stack.model(torch.from_numpy(x).to(mask), mask, False)
        chances, labels = loss.probabilities(logits), loss.labels(logits)
    for run, (some, job) in enumerate(zip(data, stack.jobs, strict=True)):
        parts = (values[run, ..., : len(some)] for values in (logits, chances, labels))
        z, p, said = (part.cpu().numpy().T for part in parts)
        yield z, job.data.restored(p), job.data.restored(said)

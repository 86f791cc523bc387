"""Checkpoints: tensors as safetensors, numbers as JSON. Nothing here reads or writes a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from exp.runs.directory import RunDirectory, json_text


def content(
    directory: RunDirectory, name: str, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> dict[Path, bytes | str]:
    """The files `checkpoints/<name>.safetensors` and `.json`, by path."""
    from safetensors.numpy import save as to_bytes

    # Sorted, and without safetensors' own metadata, so that the same weights are the same bytes.
    arrays = {k: np.ascontiguousarray(tensors[k].detach().cpu().numpy()) for k in sorted(tensors)}
    return {
        directory.checkpoints / f"{name}.safetensors": to_bytes(arrays),
        directory.checkpoints / f"{name}.json": json_text(numbers),
    }

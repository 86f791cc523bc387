"""Checkpoints: one safetensors file that knows whether it is whole. No pickle is read or written.

Numbers travel in the file's metadata, with a digest of everything in it, since safetensors itself
takes a flipped bit in silence. The JSON file beside it says the same to a reader.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exp.errors import DamagedError
from exp.runs.directory import RunDirectory
from exp.runs.texts import finite, json_text

Checkpoint = tuple[dict[str, Tensor], dict[str, Any]]


def content(
    directory: RunDirectory, name: str, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> dict[Path, bytes | str]:
    """The files `checkpoints/<name>.safetensors` and `.json`, by path."""
    from safetensors.numpy import save

    # Sorted, and with one key of metadata (several come in random order), so that the same
    # weights are the same bytes.
    # Not ascontiguousarray: it gives what has no dimension one, and L-BFGS stumbles over that.
    arrays = {k: np.asarray(tensors[k].detach().cpu().numpy(), order="C") for k in sorted(tensors)}
    numbers = finite(numbers)
    known = {"numbers": numbers, "sha256": digest(arrays, numbers)}
    metadata = {"exp": json.dumps(known, allow_nan=False)}
    return {
        directory.checkpoints / f"{name}.safetensors": save(arrays, metadata),
        directory.checkpoints / f"{name}.json": json_text(numbers),
    }


def load(path: Path) -> Checkpoint:
    """What `content` was given.

    Raises:
        DamagedError: the file is not what was written.
        OSError: there is none.
    """
    from safetensors import SafetensorError, safe_open

    path.stat()
    try:
        with safe_open(path, "np") as file:
            known = json.loads((file.metadata() or {})["exp"])
            arrays = {key: file.get_tensor(key) for key in sorted(file.keys())}
        if known["sha256"] != digest(arrays, known["numbers"]):
            raise ValueError("its content does not match its digest")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{path} is not what was written: {error}") from error
    return {key: torch.from_numpy(array) for key, array in arrays.items()}, known["numbers"]


def epoch_of(path: Path) -> int | None:
    """After which epoch a checkpoint was saved, as its header says; None where there is none that
    can be read. Its content is looked at when it is loaded."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            epoch = json.loads((file.metadata() or {})["exp"])["numbers"]["epoch"]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    return epoch if isinstance(epoch, int) else None


kind = cache(str)
"""A type of numbers as text: numpy thinks for as long about that as sha256 about a small array."""


def digest(arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> str:
    """sha256 of arrays, with their names, types and shapes, and of numbers."""
    total = hashlib.sha256(json.dumps(numbers, sort_keys=True, allow_nan=False).encode())
    for name, array in arrays.items():
        total.update(f"{name} {kind(array.dtype)} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()

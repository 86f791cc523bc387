"""Checkpoints: one safetensors file that knows whether it is whole. No pickle is read or written.

Numbers travel in the file's metadata, with a digest of everything in it, since safetensors itself
takes a flipped bit in silence. The JSON file beside it says the same to a reader.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from exp.runs.directory import RunDirectory
from exp.util.errors import DamagedError, shown
from exp.util.serialize import finite, json_text
from exp.util.untrusted import json_of, opened

Checkpoint = tuple[dict[str, Tensor], dict[str, Any]]
SPARSE = 256 << 20
"""Bytes of a file of which fewer are on the disk."""


def content(
    directory: RunDirectory, name: str, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> dict[Path, bytes | str]:
    """The files `checkpoints/<name>.safetensors` and `.json`, by path."""
    return {
        directory.checkpoints / f"{name}.safetensors": packed(tensors, numbers),
        directory.checkpoints / f"{name}.json": json_text(numbers),
    }


def packed(tensors: Mapping[str, Tensor], numbers: dict[str, Any]) -> bytes:
    """A safetensors file: tensors, and numbers with a digest of everything in its metadata."""
    # Sorted, and with one key of metadata (several come in random order), so that the same
    # weights are the same bytes.
    # Not ascontiguousarray: it gives what has no dimension one, and L-BFGS fails on that.
    arrays = {k: np.asarray(tensors[k].detach().cpu().numpy(), order="C") for k in sorted(tensors)}
    numbers = finite(numbers)
    known = {"numbers": numbers, "sha256": digest(arrays, numbers)}
    return bytes(save(arrays, {"exp": json.dumps(known, allow_nan=False)}))


def numbers_of(path: Path) -> dict[str, Any]:
    """The numbers of a file of `packed`; `load` checks their digest.

    Raises:
        ValueError: it is no such file.
        OSError: it cannot be opened.
    """
    sized(path)
    try:
        with safe_open(path, "np") as file:
            known = json_of((file.metadata() or {})["exp"].encode())
            numbers = known["numbers"]
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    except (KeyError, TypeError) as error:
        raise ValueError("its metadata are not those of a model of exp") from error
    if not isinstance(numbers, dict):
        raise ValueError(f"expected numbers by name, found {shown(numbers)}")
    return numbers


def load(path: Path, expected: Expected | None = None) -> Checkpoint:
    """What `content` was given.

    Args:
        expected: names, shapes and dtypes that the tensors must have; None: any.

    Raises:
        DamagedError: the file is corrupted, or of another model.
        OSError: there is none.
    """
    try:
        sized(path)
        with safe_open(path, "np") as file:
            known = json_of((file.metadata() or {})["exp"].encode())
            numbers = known["numbers"]
            if not isinstance(numbers, dict):
                raise ValueError(f"expected numbers by name, found {shown(numbers)}")
            if expected is not None:
                raise_unlike(file, expected)
            arrays = {key: file.get_tensor(key) for key in sorted(file.keys())}
        if known["sha256"] != digest(arrays, numbers):
            raise ValueError("checksum mismatch")
    except KeyError as error:
        raise DamagedError(f"{path} is corrupted: {error} is missing") from error
    except (SafetensorError, TypeError, ValueError) as error:
        raise DamagedError(f"{path} is corrupted: {error}") from error
    return {key: torch.from_numpy(array) for key, array in arrays.items()}, numbers


def sized(path: Path) -> None:
    """Looks at a file before it is mapped into memory.

    Raises:
        ValueError: it is not a regular file, or a sparse one that says it is large.
        OSError: it cannot be opened.
    """
    with opened(path) as file:
        status = os.fstat(file)
        stored = getattr(status, "st_blocks", 0) * 512
        if status.st_size > max(SPARSE, stored):
            raise ValueError(
                f"it is a sparse file: only {stored:,} of its {status.st_size:,} bytes are stored"
            )


class Expected:
    """What the tensors of a checkpoint must be.

    Args:
        tensors: of a fresh model, or of a fresh training, by name.
        rows: shapes behind the first dimension, of tensors of floats that may have any number of
            rows, or be missing.
        free: how the names of those begin that are looked at elsewhere.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        *,
        rows: Mapping[str, tuple[int, ...]] | None = None,
        free: tuple[str, ...] = (),
    ) -> None:
        self.tensors, self.rows, self.free = tensors, rows or {}, free


def raise_unlike(file: Any, expected: Expected) -> None:
    """Compares what a file says of its tensors, before room is made for them.

    Raises:
        ValueError: it has others than expected.
    """
    names = {name for name in file.keys() if not name.startswith(expected.free)}  # noqa: SIM118
    wanted = {*expected.tensors}
    if odd := sorted((wanted - names) | (names - wanted - {*expected.rows})):
        kind = "missing" if odd[0] in wanted else "of another model"
        raise ValueError(f"the tensor {shown(odd[0])} is {kind}")
    for name in sorted(names):
        part = file.get_slice(name)
        here = part.get_dtype(), tuple(part.get_shape())
        if name in expected.rows:
            there = here[0] if here[0] in ("F32", "F64") else "F32", expected.rows[name]
            here = here[0], here[1][1:]
        else:
            tensor = expected.tensors[name]
            there = DTYPES.get(tensor.dtype, ""), tuple(tensor.shape)
        if here != there:
            raise ValueError(
                f"the tensor {shown(name)} is {here[0]} {list(here[1])}, "
                f"expected {there[0]} {list(there[1])}"
            )


DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
"""As safetensors calls them."""


def epoch_of(path: Path) -> int | None:
    """After which epoch a checkpoint was saved, as its header says; None where there is none that
    can be read. Its content is looked at when it is loaded."""
    try:
        with safe_open(path, "np") as file:
            epoch = json.loads((file.metadata() or {})["exp"])["numbers"]["epoch"]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    return epoch if isinstance(epoch, int) else None


def digest(arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> str:
    """sha256 of arrays, with their names, types and shapes, and of numbers."""
    total = hashlib.sha256(json.dumps(numbers, sort_keys=True, allow_nan=False).encode())
    for name, array in arrays.items():
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()

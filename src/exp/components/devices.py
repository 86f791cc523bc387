"""Devices: where a run computes, in which precision and on how many threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field

from exp.registry.registry import register
from exp.util.errors import DeviceError, ImpossibleError

Threads = Annotated[int, Field(ge=1, le=1024)]
DType = Literal["float32", "float64"]


@dataclass(frozen=True)
class Device:
    """An available device.

    Attributes:
        torch_device: the device of all tensors.
        dtype: the dtype of parameters, rows and losses.
        threads: CPU threads per operation. The same bits in any stack need one thread: more threads
            divide long sums into pieces.
        note: the choice of `auto` and its reason, or "".
    """

    torch_device: torch.device
    dtype: torch.dtype
    threads: int
    note: str = ""


@register.device("cpu")
def cpu(*, threads: Threads = 1, dtype: DType = "float32") -> Device:
    """The processor. One thread is fastest for small models, and required for the same bits."""
    return Device(torch.device("cpu"), getattr(torch, dtype), threads)


@register.device("cuda")
def cuda(*, threads: Threads = 1, dtype: DType = "float32") -> Device:
    """An NVIDIA (or ROCm) GPU."""
    if not torch.cuda.is_available():
        built = "torch sees no GPU" if torch.version.cuda else "this torch has no CUDA"
        raise DeviceError(f"device cuda is not available: {built}. Use device=auto or device=cpu")
    return Device(torch.device("cuda"), getattr(torch, dtype), threads)


@register.device("mps")
def mps(*, threads: Threads = 1, dtype: DType = "float32") -> Device:
    """An Apple GPU. It has no float64."""
    if not torch.backends.mps.is_available():
        raise DeviceError("device mps is not available here. Use device=auto or device=cpu")
    if dtype == "float64":
        raise ImpossibleError("device mps has no float64. Use device.dtype=float32 or device=cpu")
    return Device(torch.device("mps"), getattr(torch, dtype), threads)


@register.device("auto")
def auto(*, threads: Threads = 1, dtype: DType = "float32") -> Device:
    """The first available device of cuda, mps and cpu; a message names it."""
    if torch.cuda.is_available():
        found, why = cuda(threads=threads, dtype=dtype), "torch sees a CUDA GPU"
    elif torch.backends.mps.is_available() and dtype == "float32":
        found, why = mps(threads=threads, dtype=dtype), "torch sees an Apple GPU"
    else:
        found, why = cpu(threads=threads, dtype=dtype), "no GPU was found"
    note = f"device auto: using {found.torch_device.type}, because {why}"
    return Device(found.torch_device, found.dtype, threads, note)

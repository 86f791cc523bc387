"""Where a result comes from: the command, the code, the machine."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from typing import Any

import torch

from exp.runs.repository import git
from exp.util.command_line import command
from exp.util.packages import installed

PACKAGES = (
    "exp",
    "torch",
    "numpy",
    "scikit-learn",
    "scipy",
    "matplotlib",
    "torchmetrics",
    "hydra-core",
    "omegaconf",
    "pydantic",
    "safetensors",
)
ENVIRONMENT = (
    "MKL_CBWR", "MKL_NUM_THREADS", "MKL_ENABLE_INSTRUCTIONS", "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
"""The only environment variables that are recorded: those that can change bits."""


def origin() -> dict[str, Any]:
    """What all runs of this process share: the command and where it was given, packages, code."""
    return {"command": command(), "folder": os.getcwd(), "versions": versions(), "git": git()}


def conditions(place: Any) -> dict[str, Any]:
    """What a run's bits depend on besides its config, data and code, as run.json has it.

    Args:
        place: the `Device` that the run computes on.
    """
    return {
        "versions": versions(),
        "device": device(place.torch_device, place.dtype, place.threads),
    }


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Package versions, Python's and the system's."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    known = {package: installed(package) for package in PACKAGES}
    return found | {package: number for package, number in known.items() if number is not None}


def device(torch_device: Any, dtype: Any, threads: int) -> dict[str, Any]:
    """What computed, and what its bits depend on."""
    found = {
        "name": str(torch_device),
        "dtype": str(dtype).removeprefix("torch."),
        "threads": threads,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "environment": {k: os.environ[k] for k in ENVIRONMENT if k in os.environ},
    }
    if torch_device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(torch_device)
        found["cuda"] = torch.version.cuda
        found["driver"] = nvidia_driver()
    return found


def nvidia_driver() -> str | None:
    """The version of the GPU's driver, as its kernel module says."""
    try:
        with open("/proc/driver/nvidia/version") as file:
            return file.readline().strip() or None
    except OSError:
        return None

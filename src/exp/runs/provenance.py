"""Where a result comes from: the command, the code, the machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import lru_cache
from typing import Any

from exp.invocation import command
from exp.packages import installed

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
LARGEST_DIFF = 2**16
"""Bytes of a diff that are kept."""


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
    import torch

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


def git() -> dict[str, Any] | None:
    """The commit of the working directory and its changes; None outside a repository.

    Nothing that a repository configures is run: no pager, no hook, no external diff.

    Returns:
        `commit`; `changed`, whether tracked files differ from it; `diff`, the text of that
        difference, or None where there is none or it is larger than `LARGEST_DIFF`; and
        `diff_sha256`, of a difference of any size.
    """
    commit = run_git("rev-parse", "HEAD")
    if commit is None:
        return None
    diff = run_git("diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD") or ""
    kept = diff if 0 < len(diff.encode()) <= LARGEST_DIFF else None
    digest = hashlib.sha256(diff.encode()).hexdigest() if diff else None
    return {"commit": commit, "changed": bool(diff), "diff": kept, "diff_sha256": digest}


def run_git(*arguments: str) -> str | None:
    """The output of a git command that only reads, or None where it fails."""
    safe = ("--no-optional-locks", "-c", "core.fsmonitor=false")
    try:
        done = subprocess.run(
            ["git", *safe, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

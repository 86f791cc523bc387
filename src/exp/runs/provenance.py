"""Where a result comes from: the command, the code, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from exp.invocation import command

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
ENVIRONMENT = ("MKL_CBWR", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG")
"""The only environment variables that are recorded: those that can change bits."""


def origin() -> dict[str, Any]:
    """What all runs of this process share: the command and where it was given, packages, code."""
    return {"command": command(), "folder": os.getcwd(), "versions": versions(), "git": git()}


def versions() -> dict[str, str]:
    """Package versions, Python's and the system's."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


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
    return found


def git() -> dict[str, Any] | None:
    """The commit of the working directory and whether it was changed; None outside a repository.

    Nothing that a repository configures is run: no pager, no hook, no external diff.
    """
    status = run_git("status", "--porcelain", "--branch", "--untracked-files=no")
    if status is None:
        return None
    commit = run_git("rev-parse", "HEAD")
    changed = [line for line in status.splitlines() if not line.startswith("##")]
    return {"commit": commit, "changed": bool(changed)}


def run_git(*arguments: str) -> str | None:
    """The output of a git command that only reads, or None where it fails."""
    safe = ("--no-optional-locks", "-c", "core.fsmonitor=false")
    try:
        done = subprocess.run(
            ["git", *safe, *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

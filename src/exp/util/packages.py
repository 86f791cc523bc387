"""Which packages are installed, and in which versions."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec


@lru_cache
def installed(package: str) -> str | None:
    """The version of a package, found without importing it; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def importable(module: str) -> bool:
    """Whether a module is there, found without importing it. A mere folder of its name, such as the
    `wandb/` that wandb makes in the working directory, is none."""
    spec = find_spec(module)
    return spec is not None and spec.origin is not None

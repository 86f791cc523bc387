"""Which packages are installed, and in which versions."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec


@lru_cache
def installed(package: str) -> str | None:
    """The version of a package, found without importing it; None where it is not installed.

    Read from the line that `importlib.metadata.version` finds by parsing all of a package's
    description, which takes it several times as long.
    """
    try:
        text = distribution(package).read_text("METADATA") or ""
    except PackageNotFoundError:
        return None
    head = re.search(r"^Version: *(\S+)", text, re.M)
    return head[1] if head else version(package)


def importable(module: str) -> bool:
    """Whether a module is there, found without importing it. A mere folder of its name, such as the
    `wandb/` that wandb makes in the working directory, is none."""
    spec = find_spec(module)
    return spec is not None and spec.origin is not None

"""Which versions of packages are installed."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, version


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

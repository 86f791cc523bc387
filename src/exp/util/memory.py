"""Memory that a process has and does not use."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def give_back() -> None:
    """Gives freed memory back to the system: glibc keeps that of smaller arrays, and pyarrow that
    of all."""
    if (pyarrow := sys.modules.get("pyarrow")) is not None:
        pyarrow.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)

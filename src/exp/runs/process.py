"""Which process a run belongs to, and whether it is still there."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import Any


def this() -> dict[str, Any]:
    """This process, told apart from a later one of the same number where the system allows."""
    return dict(described(os.getpid()))


@lru_cache(1)
def described(pid: int) -> dict[str, Any]:
    return {"pid": pid, "host": socket.gethostname(), "begun": begun(pid)}


def begun(pid: int) -> str | None:
    """When a process began, in the system's own count; None where it cannot be told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] == "Z" else fields[19]


def is_alive(process: Any) -> bool:
    """Whether the process that `this` described is there; one of another machine counts as such."""
    if not isinstance(process, dict) or not isinstance(process.get("pid"), int):
        return False
    if process.get("host") != socket.gethostname():
        return True
    if process.get("begun") is not None:
        return bool(begun(process["pid"]) == process["begun"])
    try:
        os.kill(process["pid"], 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

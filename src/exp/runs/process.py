"""Which process a run belongs to, and whether that is alive."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from exp.runs import lock

Owner = Literal["alive", "gone", "hidden", "elsewhere"]
"""Of a run's process: `hidden` is one of another container on this machine, `elsewhere` one of
another machine."""


def this() -> dict[str, Any]:
    """This process, with what distinguishes it from a later one of the same number."""
    return dict(described(os.getpid()))


@lru_cache(1)
def described(pid: int) -> dict[str, Any]:
    return {"pid": pid, "host": socket.gethostname(), "begun": begun(pid), **machine()}


@lru_cache(1)
def machine() -> dict[str, str]:
    """Which start of which machine this is, and which container there counts its processes; empty
    where the system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return {"boot": boot, "container": os.readlink("/proc/self/ns/pid")}
    except OSError:
        return {}


def begun(pid: int) -> str | None:
    """When a process began, in the system's own count; None where that is unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] == "Z" else fields[19]


def owner(process: Any) -> Owner:
    """What has become of the process that `this` described."""
    if not isinstance(process, dict) or not isinstance(process.get("pid"), int):
        return "gone"
    here = machine()
    if "boot" in process and "boot" in here:
        if process["boot"] != here["boot"]:
            # The same machine has been started again since, or it is another one.
            return "gone" if process.get("host") == socket.gethostname() else "elsewhere"
        if process.get("container") != here["container"]:
            return "hidden"
    elif process.get("host") != socket.gethostname():
        return "elsewhere"
    if process.get("begun") is not None:
        return "alive" if begun(process["pid"]) == process["begun"] else "gone"
    try:
        os.kill(process["pid"], 0)
    except (ProcessLookupError, OverflowError):
        return "gone"
    except OSError:
        return "alive"
    return "alive"


def is_alive(process: Any, directory: Path | None = None) -> bool:
    """Whether the process that `this` described works on its run; one of another machine counts as
    such.

    Args:
        directory: of the run, whose lock tells what has become of a process that cannot be seen.
    """
    found = owner(process)
    if found == "hidden" and directory is not None:
        return lock.is_held(directory)
    return found != "gone"

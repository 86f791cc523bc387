"""The compiled kernel: where it is, and which of its forms this processor runs."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from exp.util.errors import ConfigError, Fault, unknown

LEVELS = {"neon": 1, "avx2": 2, "avx512": 3}
FOLDER = Path(__file__).parent.parent / "engine" / "kernel"
SWITCH = "EXP_KERNEL"
"""Environment variable: one of `LEVELS` or `off`; without it the best form there is."""


@cache
def library() -> ctypes.CDLL | None:
    """The kernel as it was compiled when exp was installed; None: there was no compiler."""
    for suffix in EXTENSION_SUFFIXES:
        path = FOLDER / f"_kernel{suffix}"
        if path.exists():
            try:
                return ctypes.CDLL(str(path))
            except OSError:  # made for another machine
                return None
    return None


def form() -> str | None:
    """The form of the kernel that trains: `avx512`, `avx2` or `neon`; None: torch trains.

    All forms give the same bits.
    """
    return chosen(os.environ.get(SWITCH, ""))


@cache
def chosen(wanted: str) -> str | None:
    """
    Raises:
        ConfigError: there is no such form, or this processor cannot run it.
    """
    if wanted and wanted not in (*LEVELS, "off"):
        raise ConfigError([Fault(SWITCH, unknown("kernel", wanted, [*LEVELS, "off"]))])
    found = library()
    best = 0 if found is None or wanted == "off" else int(found.exp_level())
    if not best:
        return None
    x86 = [name for name in ("avx2", "avx512") if LEVELS[name] <= best]
    here = x86 or ["neon"]
    if wanted and wanted not in here:
        what = f"this processor cannot run {wanted}; it can run {', '.join(here)}"
        raise ConfigError([Fault(SWITCH, what)])
    return wanted or here[-1]

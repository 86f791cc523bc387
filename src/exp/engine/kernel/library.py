"""The compiled kernel: where it is, and which of its forms this processor runs."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

LEVELS = {"neon": 1, "avx2": 2, "avx512": 3}
SWITCH = "EXP_KERNEL"
"""Environment variable: one of `LEVELS` or `off`; without it the best form there is."""


@cache
def library() -> ctypes.CDLL | None:
    """The kernel as it was compiled when exp was installed; None: there was no compiler."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
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
        ValueError: there is no such form, or this processor cannot run it.
    """
    if wanted and wanted not in (*LEVELS, "off"):
        raise ValueError(f"{SWITCH} must be one of {', '.join(LEVELS)} or off, found {wanted!r}")
    found = library()
    best = 0 if found is None or wanted == "off" else int(found.exp_level())
    if not best:
        return None
    here = [name for name, level in LEVELS.items() if level <= best and (best == 1) == (level == 1)]
    if wanted and wanted not in here:
        raise ValueError(f"{SWITCH}={wanted}: this processor has {', '.join(here)}")
    return wanted or here[-1]

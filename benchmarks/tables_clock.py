"""`exp` with a budget of `exp fit` that counts CPU time: `python benchmarks/tables_clock.py fit`.

A second is one in which two cores have computed for this command and its worker processes, so that
other work on the machine does not decide a comparison. On Linux.
"""

from __future__ import annotations

import os

os.environ.setdefault("MKL_CBWR", "AUTO")  # as exp itself, which sets them before torch is there
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
import time
from pathlib import Path
from typing import Any

from exp.cli.main import main
from exp.fitting import fit_table, rounds, training

TICKS = os.sysconf("SC_CLK_TCK")
OFTEN = 0.02
"""Seconds that a reading of the clock is used for."""


class CpuTime:
    """In place of the module `time`.

    Args:
        cores: that compute during a second.
    """

    def __init__(self, cores: int) -> None:
        self.cores, self.first = cores, os.getpid()
        self.read, self.value = -1.0, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        if time.monotonic() - self.read > OFTEN:
            ticks = sum(used(self.first))
            place = Path(f"/proc/{self.first}/task/{self.first}/children")
            for child in place.read_text().split():
                ticks += sum(used(int(child))[:2])
            self.read, self.value = time.monotonic(), ticks / TICKS / self.cores
        return self.value


def used(process: int) -> list[int]:
    """Ticks of a process: as a user, in the kernel, and those of its children that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return [0, 0, 0, 0]
    return [int(field) for field in fields[11:15]]


def use(cores: int) -> None:
    """Lets the budget of every fit in this process count CPU time."""
    clock = CpuTime(cores)
    for module in (fit_table, rounds, training):
        module.time = clock  # type: ignore[assignment]


if __name__ == "__main__":
    use(2)
    sys.exit(main(sys.argv[1:]))

"""Folders for what a benchmark writes, and what a file costs there now.

Making a file after many were deleted takes ext4 ten times as long, for some minutes: it does not
give their inodes out again for so long, and looks at each of them every time (measured on Linux
6.18: 28 us for a file, 430 to 790 us after a few thousand were deleted). So nothing is deleted
before all is measured, and whoever starts right after something else has deleted much is told.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

DEAR = 100e-6
"""Seconds; a file that takes longer to make shows that many were deleted."""
FILES = 1000


@cache
def root() -> Path:
    found = Path(tempfile.mkdtemp(prefix="exp-benchmark-"))
    atexit.register(shutil.rmtree, found)
    if (price := file_price(found / "price")) > DEAR:
        print(
            f"Making a file takes {1e6 * price:.0f} us on this disk now. ext4 is so slow for five "
            "minutes after many files were deleted: wait, or set TMPDIR to another disk"
        )
    return found


def folder() -> Path:
    """A new folder, which is removed when this process ends."""
    return Path(tempfile.mkdtemp(dir=root()))


def file_price(place: Path) -> float:
    """Seconds that making a small file takes."""
    place.mkdir()
    begun = time.perf_counter()
    for number in range(FILES):
        with open(place / str(number), "xb") as file:
            file.write(b"x")
    return (time.perf_counter() - begun) / FILES

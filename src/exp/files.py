"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that no reader, and no crash, ever leaves a part of it there.

    Args:
        path: replaced if it exists; its folder must exist.
        data: the whole content.

    Raises:
        OSError: the file cannot be written; what stood at `path` before is untouched.
    """
    # In the same folder, as a rename is only whole within one file system; under a short name of
    # its own, as `path`'s may already be as long as a file name can be.
    draft = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with open(draft, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise

"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TEMPORARY = ".tmp"
"""How the names of files and folders end that are not whole yet."""


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that no reader, and no crash, ever leaves a part of it there.

    Args:
        path: replaced if it exists; its folder must exist.
        data: the whole content.

    Raises:
        OSError: the file cannot be written; what stood at `path` before is untouched.
    """
    write_all({path: data})


def write_all(contents: Mapping[Path, bytes]) -> None:
    """Write several files, each whole. None is replaced before all of them are on the disk.

    Flushed at the same time: a file system that is asked for several writes them in one go.

    Args:
        contents: path -> content, as for `write_whole`.

    Raises:
        OSError: a file cannot be written; what stood at the paths before is untouched, unless it is
            the renaming that failed.
    """
    drafts: dict[Path, Path] = {}
    with contextlib.ExitStack() as files_open:
        try:
            files = []
            for path, data in contents.items():
                draft = draft_of(path)
                file = files_open.enter_context(open(draft, "xb", buffering=0))
                drafts[path] = draft
                if file.write(data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                files.append(file.fileno())
            flush(files)
            files_open.close()
            for path, draft in drafts.items():
                os.replace(draft, path)
        except BaseException:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
            raise


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes a long text line by line, so that it never stands in memory; whole, as `write_whole`.

    Args:
        path: replaced if it exists; its folder must exist.
        lines: with their line ends.

    Raises:
        OSError: the file cannot be written; what stood at `path` before is untouched.
    """
    draft = draft_of(path)
    try:
        with open(draft, "x", encoding="utf-8", newline="") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def draft_of(path: Path) -> Path:
    """Where a file is written before it takes the place of `path`.

    In the same folder, as a rename is only whole within one file system; under a short name of its
    own, as that of `path` may already be as long as a name can be.
    """
    return path.parent / f".{secrets.token_hex(8)}{TEMPORARY}"


def flush(files: Sequence[int]) -> None:
    """Waits until the content of these open files is on the disk."""
    if len(files) == 1:
        os.fsync(files[0])
        return
    with ThreadPoolExecutor(min(len(files), 8)) as pool:
        list(pool.map(os.fsync, files))

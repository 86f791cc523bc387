"""`outputs/latest` and `multirun/latest`: a link to the newest run, or the newest sweep.

The link is replaced whole: whoever reads it while several runs start at once finds one of them. On
a file system without links it is a text file that names the directory.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from exp.util.files import temporary_path, write_whole
from exp.util.untrusted import stays_within

NAME = "latest"
LONGEST = 4096
"""Bytes of the text file: a path has no more."""


def point(directory: Path, root: str) -> None:
    """Makes `latest` lead to a directory below a folder called `root`; elsewhere nothing is done.

    What cannot be written is left out: no run may end because of it.

    Args:
        directory: at most two levels below the folder, as `outputs/DATE/RUN` is.
    """
    path = directory.absolute()
    folder = next((above for above in path.parents[:2] if above.name == root), None)
    if folder is None or path.name == NAME:
        return
    link, target = folder / NAME, path.relative_to(folder).as_posix()
    with contextlib.suppress(OSError):
        if os.path.lexists(link) and not link.is_symlink() and named(link) is None:
            return  # somebody else's
        temporary = temporary_path(link)
        try:
            os.symlink(target, temporary)
        except OSError:
            write_whole(link, f"{target}\n".encode())
            return
        try:
            os.replace(temporary, link)
        except OSError:
            os.unlink(temporary)


def followed(path: Path) -> Path:
    """The directory that `latest` leads to; any other path as it is.

    A run that works in it must not change its place when another one starts, so that the link is
    followed once.
    """
    if path.name != NAME:
        return path
    with contextlib.suppress(OSError):
        if path.is_symlink():
            return path.parent / os.readlink(path)
        if (target := named(path)) is not None:
            return path.parent / target
    return path


def named(file: Path) -> str | None:
    """The directory below a file's folder that its text names; None: it is no such file."""
    try:
        with open(file, "rb") as opened:
            text = opened.read(LONGEST).decode()
    except (OSError, UnicodeDecodeError):
        return None
    target = text.removesuffix("\n")
    return target if target and target.isprintable() and stays_within(target) else None

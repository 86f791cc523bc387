"""Where a finished run can be found by its signature: a small file for each, beside the cache.

It only points: what it says is checked against the run's own directory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from exp.data.cache import folder
from exp.runs.record import RunRecord
from exp.util.errors import ExpError
from exp.util.files import TEMPORARY
from exp.util.untrusted import read


def remember(signature: str, path: Path) -> None:
    """Records that the run of this signature is in this directory."""
    place = pointer(signature)
    if place is None:
        return
    content = os.fsencode(path.absolute())
    with contextlib.suppress(OSError, ValueError):  # nothing depends on it, nor on its being whole
        try:
            place.write_bytes(content)
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def find(signature: str, environment: dict[str, Any]) -> Path | None:
    """A directory with a finished run of this signature, whole and made under the same conditions.

    Args:
        environment: the `device` and `versions` that its run.json must say.
    """
    place = pointer(signature)
    try:
        path = Path(os.fsdecode(read(place))) if place else None
        run = RunRecord.at(path) if path else None
    except (OSError, ValueError, ExpError):
        return None
    if run is None or run.record.get("signature") != signature or run.status != "done":
        return None
    same = all(run.record.get(key) == value for key, value in environment.items())
    return path if same and not run.damaged else None


def copy(path: Path, to: Path) -> None:
    """Copies a run's directory whole: it is there at once, or not at all.

    Raises:
        OSError: it cannot be copied.
    """
    draft = draft_of(to)
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(path, draft)
        draft.replace(to)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def draft_of(path: Path) -> Path:
    """Where the copy of a run is until it is whole."""
    return path.with_name(f".{path.name[:200]}{TEMPORARY}")


def pointer(signature: str) -> Path | None:
    place = folder()
    return None if place is None else place / "finished" / signature[:2] / signature

"""The resolved configs of many runs, read fast: most of their blocks are those of other runs."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from exp.runs.config_values import Scalar, leaves
from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError
from exp.util.untrusted import yaml_of

BLOCK = 4096
"""Bytes of a block that is remembered; of 4,096 blocks."""

_MARGIN = re.compile(rb"^(?=\w)", re.M)


def config_of(path: Path) -> dict[str, Scalar]:
    """The resolved config of a run, flat; empty where there is none that can be read."""
    try:
        data = RunRecord(path).config_text()
        pieces = [piece for piece in _MARGIN.split(data) if piece]
        blocks = [block(piece) if len(piece) <= BLOCK else None for piece in pieces]
        found: dict[str, Scalar] = {}
        for each in blocks:
            if each is None:  # not written by exp: read as a whole
                whole = yaml_of(data)
                return leaves(whole) if isinstance(whole, dict) else {}
            found.update(each)
        return found
    except (RunDirectoryError, ValueError):
        return {}


@lru_cache(maxsize=4096)
def block(data: bytes) -> dict[str, Scalar] | None:
    """The leaves below one key at the margin of a YAML text; None where it is not just that."""
    try:
        found = yaml_of(data)
    except ValueError:
        return None
    return leaves(found) if isinstance(found, dict) and len(found) == 1 else None

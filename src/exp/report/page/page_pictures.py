"""What the page shows of each run's boundary, as far as there is room for it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from exp.report.page.page_maps import (
    COARSE,
    FEW_MAPS,
    FINE,
    FINE_RUNS,
    frames_of,
    packed_maps,
    reduced,
)
from exp.report.page.page_rows import packed_rows
from exp.report.page.thumbnails import Thumbnail, thumbnail
from exp.runs.collection import Row
from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError

MB = 1_000_000
SMALL, LARGE = 9 * MB, 23 * MB
"""Bytes of a page of up to `FEW` runs, and of a larger one."""
FEW = 1_000
NARROW = 4 / 3
"""What base64 makes of a byte."""
MAPS, STILLS = 2_000, 24
"""Most runs of which frames are read, and most whole figures."""
ROWS, FEWER_ROWS = 1_000, 200
"""Most rows on the map of a run, and on that of a page of more than `FEW_MAPS` runs."""
STILL_SIZE = 300_000
"""Bytes of a figure that is small enough for the page."""
PNG = b"\x89PNG\r\n\x1a\n"


class Budget:
    """Bytes of a page that are left.

    Args:
        runs: how many the page has.
        spent: bytes that are on it in any case.
    """

    def __init__(self, runs: int, spent: int) -> None:
        self.left = (SMALL if runs <= FEW else LARGE) - spent

    def take(self, size: int) -> bool:
        """Whether so many bytes of base64 still fit; then they are taken."""
        needed = round(size * NARROW)
        if needed > self.left:
            return False
        self.left -= needed
        return True


@dataclass
class Pictures:
    """Pictures by the place of their run.

    Attributes:
        thumbnails: of the runs that have frames.
        frames: as `packed_maps` has them, with `rows` and `wrong` as `packed_rows` has them; of
            runs on the same rows all but the first have its place instead of `rows`.
        stills: base64 of figures/boundary.png, of runs without frames.
        notes: what was left out, as sentences.
    """

    thumbnails: dict[int, Thumbnail] = field(default_factory=dict)
    frames: dict[int, dict[str, Any]] = field(default_factory=dict)
    stills: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def pictures(rows: Sequence[tuple[int, Row]], budget: Budget) -> Pictures:
    """The pictures of runs.

    Args:
        rows: each with its place, the best first: those are kept where there is no room for all.
    """
    found, without, unread, left_out = Pictures(), 0, 0, 0
    few = len(rows) <= FEW_MAPS
    levels, most = (FINE, ROWS) if few else (COARSE, FEWER_ROWS)
    first: dict[str, int] = {}  # packed rows -> the run that has them
    for rank, (place, row) in enumerate(rows):
        if rank >= MAPS:
            unread += 1
        elif (maps := frames_of(row.path)) is not None:
            if len(rows) > FINE_RUNS:
                maps = reduced(maps)
            small = thumbnail(maps)
            if budget.take(small.size):
                found.thumbnails[place] = small
            whole = packed_maps(maps, levels)
            points, wrong = packed_rows(maps, most)
            size = len(whole["maps"]) + 6 * len(wrong) + len(points) * (points not in first)
            if budget.take(size * 3 // 4 + 100):
                known = first.setdefault(points, place)
                whole |= {"rows": points if known == place else known, "wrong": wrong}
                found.frames[place] = whole
            else:
                left_out += 1
        else:
            without += 1
            still(found, place, row, budget)
    if left_out:
        have = f"the best {len(found.frames):,} runs have" if found.frames else "no run has"
        found.notes.append(
            f"To keep the page small, {have} decision maps over epochs; {left_out:,} do not."
        )
    if unread:
        found.notes.append(
            f"To keep the page small, only the best {MAPS:,} runs have thumbnails and decision "
            "maps."
        )
    if without:
        figures = f"; {len(found.stills):,} show their figure instead" if found.stills else ""
        found.notes.append(
            f"{without:,} {'run has' if without == 1 else 'runs have'} saved no decision maps "
            f"over epochs (frames.npz){figures}."
        )
    return found


def still(found: Pictures, place: int, row: Row, budget: Budget) -> None:
    """Takes the figure of a run that has no frames, if it is small."""
    if len(found.stills) >= STILLS:
        return
    try:
        data = RunRecord(row.path).figure("boundary.png", STILL_SIZE)
    except RunDirectoryError:
        return
    if data.startswith(PNG) and budget.take(len(data)):
        found.stills[place] = base64.b64encode(data).decode("ascii")

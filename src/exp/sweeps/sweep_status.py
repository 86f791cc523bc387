"""How far a sweep is: its runs by status, its shards, and the time left. Nothing is written.

It works while the sweep runs, also from another machine that shares the file system.
"""

from __future__ import annotations

import datetime
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exp.runs.manifest import Entry, manifest, shard_folder
from exp.runs.record import RunRecord
from exp.sweeps.sweep_lock import sign_of
from exp.util.text_tables import aligned

COLUMNS = ("done", "diverged", "failed", "running", "interrupted", "waiting")
"""Columns of the table. `interrupted`: began, and no process works on it; `waiting`: not begun."""
FINISHED = ("done", "diverged")
NAMES = {"pending": "waiting", "crashed": "interrupted"}
"""Statuses of run.json that are named otherwise here."""


@dataclass
class Part:
    """A shard of a sweep, or a sweep without shards.

    Attributes:
        name: such as `3/20`.
        state: not started, running, finished, unfinished (its process ended before all runs were
            done) or killed (its process is gone without having ended).
        host: the machine on which it runs, or ran last.
        counts: how many runs have which status.
        left: about how many seconds it still takes at the pace since its process began; None
            where that is unknown.
    """

    name: str
    state: str
    host: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    left: float | None = None

    @property
    def content(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        runs = {"runs": self.counts.total(), **{name: self.counts[name] for name in COLUMNS}}
        return {"state": self.state, "host": self.host, **runs, "seconds_left": self.left}


@dataclass(frozen=True)
class Status:
    """How far a sweep is.

    Attributes:
        path: its directory.
        parts: its shards, or the sweep itself.
    """

    path: Path
    parts: Sequence[Part]

    @property
    def total(self) -> Part:
        """All parts together."""
        counts = sum((part.counts for part in self.parts), Counter[str]())
        running = [part for part in self.parts if part.state == "running"]
        lefts = [part.left for part in running]
        left = max((left for left in lefts if left is not None), default=None)
        states = {part.state for part in self.parts}
        state = next((s for s in ("running", "killed", "unfinished") if s in states), "finished")
        if state == "finished" and "not started" in states:
            state = "unfinished"
        return Part("all", state, None, counts, None if None in lefts else left)

    @property
    def complete(self) -> bool:
        """Whether every run was trained to its end."""
        counts = self.total.counts
        return counts.total() == sum(counts[name] for name in FINISHED)

    def content(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        shards = {part.name: part.content for part in self.parts if part.name != "all"}
        return {
            "directory": os.fspath(self.path.absolute()),
            "complete": self.complete,
            **self.total.content,
            "shards": shards,
        }

    def text(self) -> str:
        """The table."""
        total = self.total
        parts = [*(part for part in self.parts if part.name != "all"), total]
        shown = [name for name in COLUMNS if name == "done" or total.counts[name]]
        rows = [
            [
                part.name,
                part.state,
                str(part.counts.total()),
                *(str(part.counts[name]) for name in shown),
                "-" if part.left is None else duration(part.left),
                part.host or "-",
            ]
            for part in parts
        ]
        header = ["shard", "state", "runs", *shown, "time left", "machine"]
        lines = aligned([header, *rows])
        idle = [part for part in self.parts if part.state in ("killed", "unfinished")]
        if idle:
            lines.append(f"No process works on {names(idle)}: the same command continues there")
        return "\n".join(lines)


def status_of(path: Path) -> Status:
    """How far the sweep in a directory is.

    Raises:
        DamagedError: its manifest is corrupted.
    """
    content = manifest(path)
    entries: dict[int, list[Entry]] = {}
    for place, run in enumerate(content["runs"]):
        entry = Entry(place, run["directory"], ())
        entries.setdefault(run.get("shard", 0), []).append(entry)
    if "shards" not in content:
        return Status(path, [part_of("all", path, path, entries.get(0, []))])
    of, sizes = content["shards"][0]["of"], content["shards"][0]["sizes"]
    started = {part["number"] for part in content["shards"]}
    parts = []
    for number in range(1, of + 1):
        name = f"{number}/{of}"
        if number in started:
            folder = shard_folder(path, number, of)
            parts.append(part_of(name, path, folder, entries.get(number, [])))
        else:
            counts = Counter(waiting=sizes[number - 1])
            state = "not started" if sizes[number - 1] else "finished"
            parts.append(Part(name, state, None, +counts))
    return Status(path, parts)


def part_of(name: str, path: Path, folder: Path, entries: Sequence[Entry]) -> Part:
    """How far a shard is that has started, or a sweep.

    Args:
        path: the directory that the runs lie in.
        folder: the folder with the lock of the process.
        entries: the runs.
    """
    sign = sign_of(folder)
    counts: Counter[str] = Counter()
    ended = 0
    for entry in entries:
        record = RunRecord.tolerant(path / entry.directory)
        status = NAMES.get(record.status, record.status)
        if status == "running" and sign.state != "running":
            status = "interrupted"
        counts[status] += 1
        ended += status in (*FINISHED, "failed") and since(record.record, sign.since)
    todo = sum(counts[each] for each in ("running", "waiting", "interrupted"))
    left = None
    if sign.state == "running" and sign.since is not None and ended:
        left = (time.time() - sign.since) / ended * todo
    state = sign.state
    if state == "gone":
        state = "killed"
    elif state == "ended":
        whole = counts.total() == sum(counts[each] for each in FINISHED)
        state = "finished" if whole else "unfinished"
    host = sign.holder.get("host")
    return Part(name, state, host if isinstance(host, str) else None, counts, left)


def since(record: dict[str, Any], moment: float | None) -> bool:
    """Whether a run began after a moment, in seconds since 1970."""
    try:
        started = datetime.datetime.fromisoformat(str(record.get("started"))).timestamp()
    except ValueError:
        return False
    return moment is not None and started >= moment - 1  # run.json has whole seconds


def duration(seconds: float) -> str:
    """About how long something takes: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def names(parts: Sequence[Part]) -> str:
    shown = ", ".join(part.name for part in parts[:5])
    more = f" and {len(parts) - 5} more" if len(parts) > 5 else ""
    return "it" if parts[0].name == "all" else f"shards {shown}{more}"

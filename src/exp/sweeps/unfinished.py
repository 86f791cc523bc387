"""Which runs of a sweep are still to be done: those that are neither done here nor elsewhere."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from exp.config.plan import plan
from exp.runs import provenance, reuse
from exp.runs.manifest import Entry
from exp.sweeps.planner import Planned, Runs
from exp.sweeps.sweep_directory import SweepDirectory


def unfinished(
    found: Runs, entries: Sequence[Entry], directory: SweepDirectory, *, copies: bool
) -> list[Planned]:
    """The runs that are still to be done; where one goes on from a checkpoint is noted in `found`.

    Args:
        copies: whether runs that were finished elsewhere are copied here.

    Raises:
        RunDirectoryError: another process works on one of them.
    """
    todo, copied = [], 0
    conditions: dict[str, Any] = {}
    for run, entry in zip(found.planned, entries, strict=True):
        if entry.directory in directory.done:
            continue
        if copies and copy_finished(run, directory, conditions):
            copied += 1
            continue
        epoch = directory.checkpoint_epoch(run.subdir, run.signature)
        if epoch is None:
            directory.remove_run(run.subdir)
        else:
            found.going_on[run.number] = epoch
        todo.append(run)
    if copied:
        print(
            f"{copied} of {len(entries)} runs were already finished elsewhere and are copied",
            flush=True,
        )
    if count := len(entries) - len(todo) - copied:
        print(f"{count} of {len(entries)} runs are already finished", flush=True)
    if found.going_on:
        print(f"{len(found.going_on)} continue from their checkpoints", flush=True)
    return todo


def copy_finished(run: Planned, directory: SweepDirectory, conditions: dict[str, Any]) -> bool:
    """Copies a finished run of the same signature; whether there was one.

    Args:
        conditions: by device: looking for a GPU takes too long to do it for every run.
    """
    place = directory.path / run.subdir
    if place.exists():
        return False
    key = json.dumps(run.config["device"])
    if key not in conditions:
        conditions[key] = provenance.conditions(plan(run.config)["device"].build())
    there = reuse.find(run.signature, conditions[key])
    if there is None:
        return False
    with contextlib.suppress(OSError):
        reuse.copy(there, place)
        return True
    return False

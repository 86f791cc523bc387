"""Runs whose worker process has died: which had ended, which are tried again, which have failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from exp.config.plan import plan
from exp.runs.directory import RunDirectory
from exp.runs.manifest import read_json
from exp.sweeps.train_stack import Order, Outcome, RunOrder
from exp.util.errors import RunDirectoryError
from exp.util.statuses import ENDED


def retries_of(order: Order, why: str) -> tuple[list[Outcome], list[Order]]:
    """What becomes of an order whose worker process has died.

    Its runs are tried again, in two stacks of half the size, which take half the memory. One that
    has died by itself before has failed.

    Returns:
        Outcomes of runs that have ended, and orders for the others.
    """
    ended = {run.number: outcome for run in order.runs if (outcome := ended_before(run))}
    left = [replace(run, goes_on=True) for run in order.runs if run.number not in ended]
    if len(left) == 1 and order.retry:
        outcomes = [*ended.values(), failed(left[0], why, order.origin)]
        return outcomes, []
    middle = -(-len(left) // 2)
    halves = [half for half in (left[:middle], left[middle:]) if half]
    return [*ended.values()], [replace(order, runs=tuple(h), retry=True) for h in halves]


def ended_before(run: RunOrder) -> Outcome | None:
    """The outcome of a run that had ended when its worker process died."""
    directory = RunDirectory(Path(run.directory))
    record = read_json(directory.record) or {}
    if record.get("status") not in ENDED:
        return None
    final = (read_json(directory.summary) or {}).get("final")
    value = final.get(plan(run.config).monitor) if isinstance(final, dict) else None
    return Outcome(run.number, run.directory, record["status"], None, value)


def failed(run: RunOrder, why: str, origin: dict[str, Any]) -> Outcome:
    """Records that a run has failed with its worker process."""
    directory = RunDirectory(Path(run.directory))
    try:
        directory.path.mkdir(parents=True, exist_ok=True)
        directory.hold()
        directory.clean()
        record = read_json(directory.record)
        if record is None:
            record = dict(origin)
            directory.write_all({directory.hydra / name: text for name, text in run.hydra.items()})
        record.pop("sha256", None)
        directory.write_record({**record, "status": "failed", "message": why})
    except (OSError, RunDirectoryError) as error:
        why = f"{why}; this could not be recorded: {error}"
    finally:
        directory.release()
    return Outcome(run.number, run.directory, "failed", why)

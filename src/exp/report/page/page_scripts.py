"""The plain PyTorch scripts of the best runs, or why a run has none."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from exp.runs.collection import Row
from exp.runs.record import RunRecord
from exp.runs.stored_plan import job_of, plan_of, plugins_of
from exp.util.errors import ExpError, ImpossibleError
from exp.util.text_tables import cell

MOST = 50
"""Runs whose script is on the page: each takes about 10 ms."""


def scripts(rows: Iterable[tuple[int, Row, str]]) -> dict[int, dict[str, Any]]:
    """The script of each run as `text`, or a sentence as `why`.

    Nothing is imported that a run names: a stranger may have made it.

    Args:
        rows: place, run and the directory as the page names it, the best first.
    """
    found: dict[int, dict[str, Any]] = {}
    for rank, (place, row, path) in enumerate(rows):
        command = shlex.join(["exp", "code", path])
        if rank < MOST:
            found[place] = script_or_reason(row, command)
        else:
            why = f"This page has the scripts of the best {MOST} runs. To print this one: {command}"
            found[place] = {"why": why}
    return found


def script_or_reason(row: Row, command: str) -> dict[str, Any]:
    """The script of one run.

    Args:
        command: prints it.
    """
    # Imports torch, which nothing else of a report needs.
    from exp.runs.code import of_job

    try:
        run = RunRecord.at(row.path)
        config = run.config()
        if "${" in str(config):
            return {
                "why": "Parts of this run's config were read from the environment, and exp report "
                f"shows no values from there. To print the script: {command}"
            }
        if names := plugins_of(config):
            listing = ", ".join(map(cell, names))
            return {
                "why": f"This run uses modules of its author ({listing}), and exp report runs no "
                f"code of a run. If you trust them: {command} --trust"
            }
        if "fit" in run.record:
            return {"why": "exp fit has trained an ensemble; a script is of a single network."}
        job = job_of(run, plan_of(run, trust=False), trust=False)
        # A script names the classes. Those of another file are not for whoever made this config.
        if job.data.fingerprint != row.data[0]:
            return {"why": "This run has no script: its data have changed since it was trained."}
        return {"text": of_job(job, row.overrides)}
    except ImpossibleError as error:  # a part that has no plain script
        return {"why": f"This run has no script: {error}"}
    except ExpError:  # its message can quote a file that a stranger's config names
        why = "This run has no script, or its data cannot be read as they were. To see why"
        return {"why": f"{why}: {command}"}

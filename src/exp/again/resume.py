"""`exp resume DIR`: goes on with a run or a sweep that was broken off."""

from __future__ import annotations

import os
from pathlib import Path

from exp.again.saved import ENDED, Parser, SavedRun, is_sweep, place
from exp.errors import DamagedError, RunDirectoryError


def main(words: list[str]) -> int:
    """Goes on where it was broken off, so that the end is as if nothing had happened.

    Raises:
        RunDirectoryError: there is nothing to go on with, or a file is not what was written.
    """
    parser = Parser(prog="exp resume", description="Go on with a run or a sweep, to the same bits.")
    parser.add_argument("directory", help="of the run or of the sweep")
    path = place(parser.parse_args(words).directory)
    return resume_sweep(path) if is_sweep(path) else resume_run(path)


def resume_run(path: Path) -> int:
    saved = SavedRun.at(path)
    status = saved.status
    saved.check()
    if status in ENDED:
        count = len(saved.record["digests"]) + 1
        print(f"{path} is {status} already; its {count} files are as they were written")
        return 3 if status == "diverged" else 0
    if status == "running":
        process = saved.record["process"]
        raise RunDirectoryError(
            f"{path} is still being worked on by process {process['pid']} of {process['host']}"
        )
    from exp.again import lone
    from exp.engine import Job
    from exp.runs import checkpoint

    plan = saved.plan()
    job = Job.of(plan)
    signature = plan.identity(job.data.fingerprint + job.data.split_digest)
    if signature != saved.record.get("signature"):
        raise RunDirectoryError(
            f"{path} cannot go on to the same bits: its data, its config or the version of exp "
            f"have changed since. exp rerun {path} does it again from the start"
        )
    start = None
    last = saved.directory.checkpoints / "last.safetensors"
    try:
        start = checkpoint.load(last)
        print(f"going on after epoch {start[1]['epoch']}", flush=True)
    except FileNotFoundError:
        print("no checkpoint was saved: beginning again", flush=True)
    except DamagedError as error:
        raise DamagedError(f"{error}. Without that file the run begins again") from error
    clear(saved)
    earlier = [*saved.record.get("resumed", []), saved.record["started"]]
    result = lone.train(plan, job, saved.directory, start=start, more={"resumed": earlier})
    return 3 if result.status == "diverged" else 0


def clear(saved: SavedRun) -> None:
    """Removes the drafts of files that a crash has left."""
    from exp.runs.directory import is_draft

    for path in saved.directory.path.rglob("*.tmp"):
        if is_draft(path) and path.is_file():
            path.unlink(missing_ok=True)


def resume_sweep(path: Path) -> int:
    """The same command again, in the same directory: it does what is missing."""
    from exp.app import main as app
    from exp.sweeps.directory import read_json

    known = read_json(path / "sweep.json") or {}
    command, folder = known.get("command"), known.get("folder")
    if not isinstance(command, list) or not isinstance(folder, str) or command[:3] != PYTHON:
        raise DamagedError(f"{path / 'sweep.json'} is not what was written")
    if os.path.isdir(folder):
        os.chdir(folder)
    words = [word for word in command[3:] if not str(word).startswith("sweep.dir=")]
    return app([*words, f"sweep.dir={quoted(str(path))}"])


PYTHON = ["python", "-m", "exp"]


def quoted(text: str) -> str:
    """A text as a value of Hydra's override grammar."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

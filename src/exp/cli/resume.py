"""`exp resume DIR`: continues a run or a sweep that was interrupted."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from exp.cli.options import DIRECTORY, trust_option
from exp.runs import process
from exp.runs.directory import refuse_links
from exp.runs.loggers.log_runs import loggers_disabled
from exp.runs.manifest import is_sweep, manifest, shard_folder
from exp.runs.record import RunRecord
from exp.runs.stored_plan import job_of, matches, origin_elsewhere, plan_of, unused_loggers
from exp.sweeps import run_or_sweep
from exp.sweeps.sweep_lock import sign_of
from exp.util import command_line
from exp.util.errors import DamagedError, ExpError, RunDirectoryError, lines, shown
from exp.util.folders import existing
from exp.util.statuses import ENDED
from exp.util.terminal import indented, one_line


@click.command("resume")
@click.argument("directory", type=DIRECTORY)
@trust_option
@click.option(
    "--force",
    is_flag=True,
    help="Continue although another machine or container may still work on it.",
)
def command(directory: str, trust: bool, force: bool) -> int:
    """Continue a run or a sweep that was interrupted.

    The results have the same bits as without the interruption.
    """
    path = existing(directory)
    # Processes started from the folder of a run must not import modules from it.
    os.environ["PYTHONSAFEPATH"] = "1"
    if is_sweep(path):
        return resume_sweep(path, trust=trust)  # its lock knows what processes are gone
    refuse_links(path)
    before = RunRecord.at(path)
    try:
        before.directory.hold()
    except RunDirectoryError:
        raise RunDirectoryError(in_use(before)) from None
    try:
        # What its process has written last, which nobody changes from here on.
        saved = RunRecord.at(path)
        saved.directory = before.directory
        return resume_run(saved, trust=trust, force=force)
    finally:
        before.directory.release()


def resume_run(saved: RunRecord, *, trust: bool, force: bool) -> int:
    """Continues one run, whose directory is locked.

    Args:
        trust: the modules that its config names may be imported.
        force: a process of another machine does not work on it any more.
    """
    path, status = saved.directory.path, str(saved.record.get("status"))
    saved.check()
    if status in ENDED:
        count = len(saved.record["digests"]) + 1
        print(f"{one_line(str(path))} is {status} already; its {count} files are unchanged")
        return 3 if status == "diverged" else 0
    if not saved.began:
        first, *rest = indented(saved.record["message"]).splitlines()
        raise RunDirectoryError(lines(f"{path} failed before training started: {first}", *rest))
    if status == "running" and (where := owner_of(saved)):
        if where == "alive":
            raise RunDirectoryError(in_use(saved))
        if not force:
            raise RunDirectoryError(
                f"{in_use(saved)}; this machine cannot check that process. If it has "
                "ended, add --force"
            )
    if "fit" in saved.record:
        raise RunDirectoryError(
            f"{path} is a fit, which cannot be continued. Start it again with its command: "
            f"{one_line(shlex.join(map(str, saved.record['command'])))}"
        )
    from exp.runs.resume_state import resume_point  # torch
    from exp.sweeps import train_run

    plan = plan_of(saved, trust=trust)
    train_run.can_log(plan)
    if (line := unused_loggers(saved, trust=trust)) is not None:
        print(line, flush=True)
        plan = replace(plan, config={**plan.config, "logger": saved.config()["logger"]})
    job = job_of(saved, plan, trust=trust)
    if not matches(saved, job):
        raise RunDirectoryError(
            f"{path} cannot be continued with the same results: the data, the config, a custom "
            f"component or the version of exp have changed. exp rerun {path} trains it again from "
            "the start"
        )
    start = None
    try:
        start = resume_point(saved.directory, job)
        print(f"resuming after epoch {start[1]['epoch']}", flush=True)
    except FileNotFoundError:
        print("no checkpoint was saved: training from the start", flush=True)
    except OSError as error:
        raise RunDirectoryError(
            f"cannot read the checkpoint of {path}: {error.strerror or error}"
        ) from error
    saved.directory.clean()
    earlier = [*saved.record.get("resumed", []), saved.record["started"]]
    extra = {"resumed": earlier, **origin_elsewhere(saved, trust=trust)}
    result = train_run.train(plan, job, saved.directory, start=start, extra=extra)
    return 3 if result.end_reason == "diverged" else 0


def in_use(saved: RunRecord) -> str:
    described = saved.record.get("process")
    who = described if isinstance(described, dict) else {}
    named = (
        f"process {who['pid']} of {one_line(str(who.get('host')))}"
        if "pid" in who
        else "another process"
    )
    return f"{saved.directory.path} is in use by {named}"


def owner_of(saved: RunRecord) -> str | None:
    """What is known of the process of a running run with a locked directory: `alive`, `unknown`;
    None where it is gone."""
    described = saved.record.get("process")
    owner = process.owner(described)
    if owner == "gone":
        return None
    if owner == "elsewhere":
        return "unknown"
    # A process of this machine that worked on it would hold the lock.
    if saved.directory.locked and isinstance(described, dict) and "boot" in described:
        return None
    return "alive" if owner == "alive" else "unknown"


def resume_sweep(path: Path, *, trust: bool) -> int:
    """Runs the same command in the same directory, which trains what is missing; of a sweep in
    shards, for each shard that no process is working on."""
    known = manifest(path)
    if "shards" not in known:
        return same_command(path, known, trust=trust)
    codes, of = set(), known["shards"][0]["of"]
    for number in range(1, of + 1):
        if sign_of(shard_folder(path, number, of)).state == "running":
            print(f"shard {number} of {of} is running: it is left alone", flush=True)
        else:
            codes.add(same_command(path, known, f"sweep.shard={number}/{of}", trust=trust))
    return 1 if 1 in codes else max(codes, default=0)


def same_command(path: Path, known: Mapping[str, Any], *more: str, trust: bool) -> int:
    """Runs the command of a sweep in its directory.

    Args:
        known: its manifest.
        more: other overrides.
    """
    command, folder = known.get("command"), known.get("folder")
    if (
        not isinstance(command, list)
        or not isinstance(folder, str)
        or command[:3] != PYTHON
        or not all(isinstance(word, str) for word in command)
    ):
        raise DamagedError(f"{path / 'sweep.json'} is corrupted")
    words = [word for word in command[3:] if key_of(word) not in SET_HERE]
    if not trust:
        untrusted(path, words)
    refuse_links(path)
    if not FLAGS & {*words}:  # a preset of hydra.mode has made a sweep of it
        words.insert(0, "-m")
    words += [f"sweep.dir={quoted(str(path))}", *more]
    command_line.words = words  # for sweep.json, so that it can be resumed once more
    there = os.path.isdir(folder)
    if trust:
        if there:
            os.chdir(folder)
        return run_or_sweep.main(words)
    if there and not os.path.samefile(folder, os.curdir):
        print(
            f"this sweep was started in {one_line(folder)}: its relative paths and the configs "
            "there are used only if you run this there, or add --trust",
            flush=True,
        )
    with loggers_disabled("this sweep"):
        return run_or_sweep.main(
            [word for word in words if key_of(word).partition(".")[0] != "logger"]
        )


def untrusted(path: Path, words: list[str]) -> None:
    """Looks at a command line that somebody else may have written into a sweep's directory.

    What its words set is looked at like any config when it is composed.

    Raises:
        ExpError: it has modules imported, or configs from other places.
    """
    flags = [word for word in words if word.startswith("-")]
    unsafe = [word for word in flags if word not in FLAGS]
    # Also where the word is a flag's value, or swept: any that could have a module imported, or
    # something written elsewhere.
    unsafe += [
        word
        for word in words
        if key_of(word).startswith("plugins")
        or "@hydra" in word
        or (key_of(word).startswith("hydra") and not HARMLESS.fullmatch(word))
    ]
    if unsafe:
        what = ", ".join(shown(word) for word in unsafe)
        raise ExpError(
            f"the command line in {path / 'sweep.json'} contains {what}. If you trust whoever made "
            "this sweep, add --trust"
        )


PYTHON = ["python", "-m", "exp"]
SET_HERE = ("sweep.dir", "hydra.sweep.dir", "sweep.shard", "hydra.mode")
"""Keys that are known of a sweep that goes on: where it is, its shards, and that it is one."""
FLAGS = {"-m", "--multirun"}
HARMLESS = re.compile(
    r"(?!.*\$\{oc\.)"  # a variable would become part of a directory's name
    r"(?:hydra/(sweeper=(grid|optuna)|launcher=stacked)"
    r"|\+{0,2}hydra\.(sweep\.subdir|sweeper\.(?!_)\w[\w.]*)=.*)",
    re.DOTALL,
)
"""Overrides of hydra.* with which exp's sweepers and launcher write into the sweep only."""


def key_of(word: str) -> str:
    """The key path or group of an override."""
    return re.split(r"[=@]", word.strip().lstrip("+~"))[0].strip()


def quoted(text: str) -> str:
    """A text as a value of Hydra's override grammar."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

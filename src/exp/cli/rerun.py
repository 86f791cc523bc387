"""`exp rerun RUN [key=value ...]`: trains a run or a sweep again and compares the results."""

from __future__ import annotations

import datetime
import os
import secrets
from collections import Counter
from pathlib import Path

import click

from exp.cli.options import DIRECTORY, refuse_swapped, trust_option
from exp.config.compose import slug
from exp.report.differences import AGREED, results, surroundings, unlike, verdict
from exp.runs.changed_plan import changed
from exp.runs.directory import RunDirectory
from exp.runs.manifest import is_sweep, manifest
from exp.runs.record import RunRecord
from exp.runs.stored_plan import job_of, origin_elsewhere, plan_of, unused_loggers
from exp.sweeps.recompose import composed
from exp.util.errors import ConfigError, DamagedError, Fault, RunDirectoryError
from exp.util.folders import existing
from exp.util.statuses import ENDED
from exp.util.terminal import one_line

EXIT = dict(zip(AGREED, (0, 0, 1), strict=True))


@click.command("rerun")
@click.argument("directory", type=DIRECTORY)
@click.argument("overrides", metavar="[KEY=VALUE...]", nargs=-1)
@trust_option
@click.option(
    "--into", metavar="DIR", type=DIRECTORY, help="New directory. Default: one below outputs/."
)
def command(directory: str, overrides: tuple[str, ...], trust: bool, into: str | None) -> int:
    """Train a run or a sweep again, in a new directory, and compare the results.

    exp uses the saved config and the values that you change. The last line is the verdict:
    bit-identical, equal within tolerance, or different (exit code 1).
    """
    for word in overrides:
        refuse_swapped(directory, word, "exp rerun")
    path = existing(directory)
    # Processes started from the folder of a run must not import modules from it.
    os.environ["PYTHONSAFEPATH"] = "1"
    new = free(Path(into).absolute()) if into else None
    if is_sweep(path):
        return rerun_sweep(path, list(overrides), new, trust=trust)
    return EXIT[rerun(RunRecord.at(path), list(overrides), new, trust=trust)]


def rerun(
    parent: RunRecord, overrides: list[str], into: Path | None = None, *, trust: bool = False
) -> str:
    """Trains one run again; prints lines that end with the verdict, and returns it."""
    from exp.sweeps import train_run  # torch

    if parent.status not in ENDED:
        path = parent.directory.path
        raise RunDirectoryError(f"{path} is {parent.status}: exp resume {path} continues it")
    damaged = parent.damaged
    if any(text.startswith(f"{parent.directory.config.name} ") for text in damaged):
        raise DamagedError(f"{parent.directory.config} is corrupted (checksum mismatch)")
    # What it is compared with is read before hours of training, not after.
    results(parent)
    if parent.directory.metrics.exists():
        parent.history_texts()
    if "fit" in parent.record:
        return rerun_fit(parent, overrides, into)
    base = Path.cwd()
    found = changed(plan_of(parent, trust=trust), overrides)
    train_run.can_log(found)
    if (line := unused_loggers(parent, trust=trust)) is not None:
        print(line)
    for line in todays_defaults(parent):
        print(line)
    job = job_of(parent, found, trust=trust)
    directory = RunDirectory(into or base / new_place(str(found.stored["name"] or found.name)))
    directory.claim()
    origin = {"directory": str(parent.directory.path), "signature": parent.record.get("signature")}
    extra = {"parent": origin, "overrides": overrides, **origin_elsewhere(parent, trust=trust)}
    train_run.train(found, job, directory, extra=extra)
    return compared(parent, directory.path)


def rerun_fit(parent: RunRecord, overrides: list[str], into: Path | None) -> str:
    """Does a fit again: the same trainings and the same selection."""
    from exp.fitting.repeat import repeat  # torch

    if overrides:
        raise ConfigError(
            [Fault(word.partition("=")[0], "a fit is repeated as it was. Use exp fit")
             for word in overrides]
        )  # fmt: skip
    origin = {"directory": str(parent.directory.path), "signature": parent.record.get("signature")}
    place = into or Path.cwd() / new_place("fit")
    repeat(parent, place, {"parent": origin, "overrides": overrides})
    return compared(parent, place)


def compared(parent: RunRecord, place: Path) -> str:
    """Prints what is different in a run that was done again, and the verdict; returns the
    verdict."""
    made = RunRecord.at(place)
    result, lines = verdict(parent, made)
    for name in parent.damaged:
        lines.append(f"the earlier run has changed since it was written: {name}")
    # Also where it came out the same: that these made no difference is worth knowing.
    lines += changed_environment(parent, made)
    print("\n".join([*lines, result]), flush=True)
    return result


def free(path: Path) -> Path:
    """A directory for a new run.

    Raises:
        RunDirectoryError: something is there.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunDirectoryError(f"--into: {path} is not empty. Choose another directory")
    return path


def new_place(name: str) -> Path:
    """Where a new run goes, as hydra.run.dir has it."""
    now = datetime.datetime.now()
    return Path(f"outputs/{now:%Y-%m-%d}/{now:%H-%M-%S}-{secrets.token_hex(3)}-{slug(name)}")


def todays_defaults(parent: RunRecord) -> list[str]:
    """What the same command line would make of today's config files, where that is not the same."""
    try:
        words = parent.overrides()
    except RunDirectoryError:
        return []
    now = composed(words)
    if now is None:
        return ["the command line of this run is not valid today; the saved config is used"]
    found = unlike(parent.config(), now)
    if not found:
        return []
    lines = ["today's defaults differ; the saved config is used:"]
    return [*lines, *(f"  {one_line(key)}: {old!r} -> {new!r}" for key, old, new in found)]


def changed_environment(one: RunRecord, other: RunRecord) -> list[str]:
    found = unlike(surroundings(one.record), surroundings(other.record))
    return [f"environment: {one_line(key)}: {old!r} -> {new!r}" for key, old, new in found]


def rerun_sweep(path: Path, overrides: list[str], into: Path | None, *, trust: bool) -> int:
    """Trains every finished run of a sweep again: a line for each, and a total."""
    runs = manifest(path)["runs"]
    into = into or Path.cwd() / new_place(f"rerun-{path.name}")
    counts: Counter[str] = Counter()
    for run in runs:
        try:
            parent = RunRecord.at(path / run["directory"])
            result = rerun(parent, overrides, into / run["directory"], trust=trust)
        except RunDirectoryError as error:
            print(error)
            result = "not done"
        counts[result] += 1
        print(f"{one_line(run['directory'])}: {result}", flush=True)
    print(f"{len(runs)} runs: " + ", ".join(f"{n} {result}" for result, n in counts.most_common()))
    worst = next((result for result in (*AGREED[::-1], "not done") if counts[result]), AGREED[0])
    print(worst)
    return 1 if counts["not done"] or counts[AGREED[2]] else 0

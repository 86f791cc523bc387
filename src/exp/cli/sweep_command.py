"""`exp sweep status DIR`: how far a sweep is."""

from __future__ import annotations

from pathlib import Path

import click

from exp.cli.options import DIRECTORY, OUTPUT
from exp.runs.manifest import is_sweep
from exp.sweeps.sweep_status import status_of
from exp.util.errors import RunDirectoryError
from exp.util.files import write_output
from exp.util.folders import existing
from exp.util.serialize import json_text
from exp.util.terminal import write_data


@click.group("sweep", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int:
    """Look at a sweep. A sweep is started by exp -m."""
    if context.invoked_subcommand is None:
        print(context.get_help())
    return 0


@command.command("status")
@click.argument("directory", type=DIRECTORY)
@click.option("--json", metavar="FILE", type=OUTPUT, help="Write it as JSON; - prints it.")
def status(directory: str, json: str | None) -> int:
    """Show how many runs of a sweep are done, how many are left, and for how long.

    It works while the sweep runs, also on another machine that shares the file system. The exit
    code is 0 if every run is done or has diverged, and 1 otherwise.
    """
    path = existing(directory)
    if not is_sweep(path):
        raise RunDirectoryError(f"{path} is not a sweep: it has no sweep.json and no shards")
    found = status_of(path)
    if json == "-":
        write_data(json_text(found.content()))
    else:
        if json:
            write_output(Path(json), json_text(found.content()).encode())
        print(found.text())
    return 0 if found.complete else 1

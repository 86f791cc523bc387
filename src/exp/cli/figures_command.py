"""`exp figures DIR`: draws figures of a run, or of each run of a sweep, that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import click

from exp.cli.options import DIRECTORY, Choice, trust_option
from exp.plotting.names import EVERY, Name
from exp.plotting.picture import FORMATS, THEMES
from exp.runs.manifest import is_sweep
from exp.runs.record import RunRecord
from exp.util.errors import ExpError, RunDirectoryError, unknown
from exp.util.folders import existing
from exp.util.terminal import one_line


@click.command("figures")
@click.argument("directory", type=DIRECTORY)
@click.option("--all", "every", is_flag=True, help="Draw every figure, and the animation.")
@click.option(
    "--draw", "names", metavar="NAMES", help=f"Figures, several with commas: {', '.join(EVERY)}."
)
@click.option(
    "--format",
    "formats",
    metavar="FORMATS",
    help=f"File formats, several with commas: {', '.join(FORMATS)}.",
)
@click.option("--theme", type=Choice(THEMES), help="Theme. Default: that of the run.")
@trust_option
def command(
    directory: str,
    every: bool,
    names: str | None,
    formats: str | None,
    theme: str | None,
    trust: bool,
) -> int:
    """Draw figures of a finished run, or of each run of a sweep.

    The command uses the files of the run. docs/figures.md explains the figures. The exit code is
    2 if the figures of a run could not be drawn.
    """
    if every and names:
        raise ExpError("give either --all or --draw, not both")
    wanted = chosen("--draw", "figure", names, EVERY) if names else None
    look: dict[str, Any] = {"animation": every}
    if formats:
        look["format"] = chosen("--format", "format", formats, FORMATS)
    if theme:
        look["theme"] = theme
    path = existing(directory)
    runs = runs_of(path)
    from exp.runs import saved_figures  # torch, matplotlib

    failed = 0
    for run in runs:
        where = one_line(str(run.relative_to(path.parent)))
        try:
            files, reason = saved_figures.draw(
                RunRecord.at(run),
                cast("list[Name] | None", EVERY if every else wanted),
                look=look,
                trust=trust,
            )
        except ExpError as error:
            if run == path:
                raise
            failed += 1
            print(f"{where}: {error}")
            continue
        print(f"{where}/figures/: {', '.join(files)}")
        if reason is not None:
            print(f"{where}: figures that need the model are left out. {reason}")
    return 2 if failed else 0


def chosen(option: str, what: str, text: str, known: Sequence[str]) -> list[str]:
    """The names that an option lists, separated by commas, each once.

    Raises:
        ExpError: one of them does not exist.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in known:
            raise ExpError(f"{option}: " + unknown(what, name, known))
    if not names:
        raise ExpError(f"{option}: expected some of {', '.join(known)}")
    return names


def runs_of(path: Path) -> list[Path]:
    """The run directories that a path stands for.

    Raises:
        RunDirectoryError: it is a sweep without runs.
    """
    if not is_sweep(path):
        return [path]
    found = sorted(record.parent for record in path.glob("*/run.json"))
    if not found:
        raise RunDirectoryError(f"{path} is a sweep without runs")
    return found

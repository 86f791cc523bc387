"""`exp show [RUN]` and `exp show dataset=NAME [KEY=VALUE...]`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from exp.cli.options import OUTPUT, Choice
from exp.cli.show.finished import show_run
from exp.runs.directory import OUTPUTS
from exp.util.errors import ExpError, shown
from exp.util.folders import existing
from exp.util.latest import NAME


@click.command("show", context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[RUN] | KEY=VALUE...", nargs=-1)
@click.option("--open", "open_it", is_flag=True, help="Open the report or the figure of the run.")
@click.option(
    "--output",
    metavar="FILE.png",
    type=OUTPUT,
    help="Figure of the rows. Default: NAME.png of the data set, in this folder.",
)
@click.option("--theme", type=Choice(("light", "dark")), help="Colors of this figure.")
def command(words: tuple[str, ...], open_it: bool, output: str | None, theme: str | None) -> int:
    """Show a run, or the rows of a data set before any training.

    Without arguments, show the newest run, outputs/latest: its scores, what its config changes,
    its decision boundary, and where it is. With overrides, such as dataset=moons, show the first
    rows, the classes and a scatter plot of the data, and write this plot as a PNG file.
    """
    if flags := [word for word in words if word.startswith("-")]:
        raise ExpError(f"exp show: no such option {shown(flags[0])}. See exp show --help")
    directories = [word for word in words if os.path.isdir(word) or not is_override(word)]
    if directories and len(words) > 1:
        raise ExpError(f"exp show: expected one run or overrides, found {shown(' '.join(words))}")
    if words and not directories:
        if open_it:
            raise ExpError("exp show: --open is for a run; the data are written as a PNG file")
        from exp.cli.show.dataset import show_rows  # pandas, matplotlib

        show_rows(list(words), output, theme or "light")
        return 0
    if output is not None or theme is not None:
        option = "--output" if output is not None else "--theme"
        raise ExpError(f"exp show: {option} is for data, such as exp show dataset=moons")
    show_run(existing(directories[0]) if directories else newest(), open_it=open_it)
    return 0


def is_override(word: str) -> bool:
    return "=" in word or word.startswith("~")


def newest() -> Path:
    """The directory that `outputs/latest` leads to.

    Raises:
        ExpError: there is none.
    """
    place = os.path.join(OUTPUTS, NAME)
    if not os.path.lexists(place):
        raise ExpError(
            f"there is no {place}: no run was started here. exp trains one; exp show RUN shows "
            "another directory"
        )
    return existing(place)

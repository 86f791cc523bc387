"""`exp reproduce [NAME ...]`: published tables done again, with a verdict for each number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from exp.cli.options import DIRECTORY, OUTPUT
from exp.cli.reproduce import text
from exp.cli.reproduce.published import Table, load, names
from exp.util.errors import ConfigError, ExpError, Fault, unknown
from exp.util.files import write_output
from exp.util.text_tables import aligned

PROG = "exp reproduce"


def completed(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in names() if name.startswith(incomplete)]


@click.command("reproduce")
@click.argument("wanted", metavar="[NAME...]", nargs=-1, shell_complete=completed)
@click.option("--all", "every", is_flag=True, help="Repeat every table.")
@click.option(
    "--dir",
    "directory",
    metavar="DIR",
    type=DIRECTORY,
    help="Folder of the runs; default: a new one in multirun/. Finished runs in it are kept.",
)
@click.option("--jobs", type=int, metavar="N", help="Worker processes. Default: one for each core.")
@click.option("--html", metavar="FILE", type=OUTPUT, help="Write a page with the curves.")
@click.option("--markdown", metavar="FILE", type=OUTPUT, help="Write a page in Markdown.")
def command(
    wanted: tuple[str, ...],
    every: bool,
    directory: str | None,
    jobs: int | None,
    html: str | None,
    markdown: str | None,
) -> int:
    """Repeat published results.

    Train the runs of a published table and compare each published number with the measured one.
    Without a name, list the tables. The exit code is 1 if a number differs.
    """
    if every and wanted:
        raise ExpError(f"{PROG}: give names or --all, not both. See {PROG} --help")
    if not every and not wanted:
        if html or markdown or directory or jobs:
            raise ExpError(f"{PROG}: which tables? Name some, or give --all. See {PROG} --help")
        print(listing())
        return 0
    chosen = tables(wanted or names())
    return reproduce(chosen, directory, jobs=jobs, html=html, markdown=markdown)


def listing() -> str:
    return "\n".join(aligned([(name, load(name).title) for name in names()]))


def tables(wanted: Sequence[str]) -> list[Table]:
    """The tables of these names, each once.

    Raises:
        ConfigError: with every name that there is not.
    """
    known = names()
    strange = [name for name in wanted if name not in known]
    if strange:
        raise ConfigError([Fault(PROG, unknown("table", name, known)) for name in strange])
    return [load(name) for name in dict.fromkeys(wanted)]


def reproduce(
    chosen: Sequence[Table],
    directory: str | None,
    *,
    jobs: int | None,
    html: str | None,
    markdown: str | None,
) -> int:
    from exp.cli.reproduce import measure, page  # torch

    runs = measure.reproduced(chosen, directory, jobs=jobs)
    every = [table.measured(runs.value) for table in chosen]
    for each in every:
        print(f"\n{text.terminal(each)}")
    if len(every) > 1:
        print(f"\n{text.overview(every)}")
    if markdown is not None:
        write(Path(markdown), text.markdown(every))
    if html is not None:
        write(Path(html), page.page(every, runs))
    return 0 if all(each.verdict == "reproduced" for each in every) else 1


def write(path: Path, content: str) -> None:
    write_output(path, content.encode())
    print(path)

"""`exp report DIR`: one HTML page of a sweep or a run."""

from __future__ import annotations

from pathlib import Path

import click

from exp.cli.options import DIRECTORY, OUTPUT
from exp.report.page.content import content
from exp.report.page.document import document
from exp.report.page.libraries import libraries
from exp.report.page.ranking import Ranking
from exp.report.page.summary import summary
from exp.report.results import with_data_sets
from exp.runs.collection import gather
from exp.util.files import no_link, write_output
from exp.util.folders import existing
from exp.util.latest import followed
from exp.util.terminal import one_line

NAME = "report.html"


@click.command("report")
@click.argument("directory", type=DIRECTORY)
@click.option(
    "--output",
    metavar="FILE",
    type=OUTPUT,
    help=f"Page to write. Default: {NAME} in the directory.",
)
@click.option("--metric", help="Score that ranks the runs, such as test/loss.")
def command(directory: str, output: str | None, metric: str | None) -> int:
    """Write an HTML page of a sweep, of a run, or of a folder of runs.

    The page works without a network. It shows a table of the runs, charts, decision boundaries,
    configs and failures.
    """
    typed = followed(Path(directory))
    existing(directory)
    scripts = libraries()
    runs = with_data_sets(gather([typed]))
    ranking = Ranking.of(runs, metric)
    title = (
        runs.rows[0].name
        if len(runs.rows) == 1
        else f"{typed.resolve().name}: {len(runs.rows):,} runs"
    )
    made = content(runs, ranking, scripts, typed)
    facts = summary(runs, ranking, made.notes)
    text = document(title, facts, made.blocks, len(runs.rows), made.figures)
    path = Path(output) if output is not None else no_link(typed / NAME, "--output")
    data = text.encode()
    write_output(path, data)
    for note in made.notes:
        print(note)
    print(f"{one_line(str(path))} ({len(data) / 1e6:.1f} MB)")
    return 0

"""`exp report DIR`: one HTML page of a sweep or a run."""

from __future__ import annotations

from pathlib import Path

from exp.report.page.content import content
from exp.report.page.document import document
from exp.report.page.libraries import libraries
from exp.report.page.ranking import Ranking
from exp.report.page.summary import summary
from exp.runs.collection import gather
from exp.util.files import no_link, write_output
from exp.util.terminal import one_line
from exp.util.verb_parser import Parser, place

NAME = "report.html"


def main(words: list[str]) -> int:
    """Writes the page and says where.

    Raises:
        RunDirectoryError: there is no run, or the file cannot be written.
        ExpError: no run has the metric, or the libraries are not installed.
    """
    parser = Parser(
        prog="exp report",
        description="One self-contained HTML page of a sweep, or of a single run, that opens "
        "offline: table, charts, boundaries, configs, failures.",
    )
    parser.add_argument("directory", help="of a sweep or a run, or a folder that holds some")
    parser.add_argument("--output", metavar="FILE", help=f"by default {NAME} in that directory")
    parser.add_argument("--metric", help="by which runs are ranked, such as test/loss")
    args = parser.parse_args(words)
    place(args.directory)
    typed = Path(args.directory)
    scripts = libraries()
    runs = gather([typed])
    ranking = Ranking.of(runs, args.metric)
    title = (
        runs.rows[0].name
        if len(runs.rows) == 1
        else f"{typed.resolve().name}: {len(runs.rows):,} runs"
    )
    made = content(runs, ranking, scripts, typed)
    text = document(title, summary(runs, ranking, made.notes), made.blocks, len(runs.rows))
    output = Path(args.output) if args.output is not None else no_link(typed / NAME, "--output")
    data = text.encode()
    write_output(output, data)
    for note in made.notes:
        print(note)
    print(f"{one_line(str(output))} ({len(data) / 1e6:.1f} MB)")
    return 0

"""`exp reproduce [NAME...]`: published tables, trained again and compared number by number."""

from __future__ import annotations

from pathlib import Path

from exp.arguments import Parser
from exp.errors import ExpError, RunDirectoryError
from exp.files import write_whole
from exp.published.tables import names, table
from exp.report.layout import aligned


def main(words: list[str]) -> int:
    """Lists the tables, or reproduces some.

    Returns:
        0 if every number came out, 1 if one did not.

    Raises:
        ExpError: an unknown table, or a sweep that cannot begin.
    """
    parser = Parser(
        prog="exp reproduce",
        description="Trains the presets of published tables and prints published against measured; "
        "without a name it lists them.",
    )
    parser.add_argument("name", nargs="*", help="of a table, which is that of its preset")
    parser.add_argument("--all", action="store_true", help="all of them")
    parser.add_argument(
        "--dir", metavar="DIR", help="of the runs; what is done there is not redone"
    )
    parser.add_argument("--html", metavar="FILE", help="writes one HTML page")
    parser.add_argument("--markdown", metavar="FILE", help="writes one page of Markdown")
    args = parser.parse_args(words)
    if args.all and args.name:
        raise ExpError("exp reproduce: give names or --all, not both")
    chosen = [table(name) for name in (names() if args.all else dict.fromkeys(args.name))]
    if not chosen:
        if args.dir or args.html or args.markdown:
            raise ExpError("exp reproduce: which table? Give names, or --all")
        print("\n".join(aligned([[name, table(name).title] for name in names()])))
        return 0
    for place in (args.html, args.markdown):
        if place is not None and not Path(place).absolute().parent.is_dir():
            raise RunDirectoryError(f"cannot write {place}: there is no such directory")
    from exp.published.measure import measured
    from exp.published.page import page
    from exp.published.text import LEGEND, markdown, summary, text
    from exp.published.verdict import Verdict

    runs = list(dict.fromkeys(run for each in chosen for run in each.runs))
    settings = ["figures.draw=[boundary]", "sweep.figures=false"]
    settings += [f"sweep.dir={args.dir}"] if args.dir else []
    path, found = measured(runs, settings)
    verdicts = [Verdict(each, {run: found[run] for run in each.runs}) for each in chosen]
    print(f"\n{LEGEND}\n")
    print("\n\n".join(map(text, verdicts)))
    if len(verdicts) > 1:
        print(f"\n{summary(verdicts)}")
    met = sum(verdict.reproduced for verdict in verdicts)
    print(f"\n{met} of {len(verdicts)} tables reproduced; runs in {path}")
    command = "exp reproduce " + ("--all" if args.all else " ".join(args.name))
    for place, made in ((args.html, page(verdicts)), (args.markdown, markdown(verdicts, command))):
        if place is not None:
            write(Path(place), made)
    return 0 if met == len(verdicts) else 1


def write(place: Path, text: str) -> None:
    """
    Raises:
        RunDirectoryError: it cannot be written.
    """
    try:
        write_whole(place, text.encode())
    except OSError as error:
        raise RunDirectoryError(f"cannot write {place}: {error.strerror or error}") from error

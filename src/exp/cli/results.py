"""`exp results DIR...`: groups over seeds, ranked, each tested against the best."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from exp.report.results import ORDERS, Results, results
from exp.util.errors import ExpError, unknown
from exp.util.files import no_link, reason_of, write_output
from exp.util.terminal import one_line, write_data
from exp.util.verb_parser import Parser, place


def main(words: list[str]) -> int:
    """Prints the table, or writes it to files.

    Raises:
        ExpError: with all faults of the options.
        RunDirectoryError: there are no runs.
    """
    args = parser().parse_args(words)
    found = results(
        [place(path) for path in args.directories],
        by=listed(args.by) if args.by else None,
        metric=args.metric,
        where=args.where,
        sort=args.sort,
        top=args.top,
        test=args.test,
    )
    from exp.report import table_export
    from exp.report.results_text import text

    if args.figures is not None:
        first = Path(args.directories[0])
        if not args.figures and (first / "run.json").exists():
            raise ExpError(
                f"--figures: {first} is a run, which has its own figures: name another folder"
            )
        folder = args.figures or no_link(first / "figures", "--figures")
        draw(found, Path(folder), args.theme)
    if args.parquet:
        write_output(Path(args.parquet), table_export.parquet(found))
    for target, content in ((args.csv, table_export.csv_text), (args.json, table_export.json)):
        if target == "-":
            write_data(content(found))
        elif target:
            write_output(Path(target), content(found).encode())
    if "-" not in (args.csv, args.json):
        print(text(found))
    return 0


def draw(found: Results, folder: Path, theme: str) -> None:
    """Draws these runs as a whole and prints where.

    Raises:
        ExpError: the theme is unknown, or a file cannot be written.
    """
    from exp.plotting.picture import THEMES
    from exp.report import sweep_figures

    if theme not in THEMES:
        raise ExpError("--theme: " + unknown("theme", theme, THEMES))
    try:
        paths = sweep_figures.draw(found.runs, folder, metric=found.metric, theme=theme)
    except OSError as error:
        raise ExpError(f"cannot draw into {folder}: {reason_of(error)}") from error
    names = ", ".join(path.stem for path in paths) or "nothing to draw"
    print(f"{one_line(str(folder))}/: {names}", file=sys.stderr)


def parser() -> Parser:
    made = Parser(
        prog="exp results",
        description="Results of runs: groups over seeds, the best first, each tested against the "
        "best. docs/results.md explains the table.",
    )
    made.add_argument("directories", nargs="+", metavar="DIR", help="of sweeps, runs, or both")
    made.add_argument(
        "--by", action="append", metavar="KEYS",
        help="keys that make a group: a,b; by default all that varies but the seeds",
    )  # fmt: skip
    made.add_argument(
        "--metric", help="such as f1, test/loss, best/accuracy, seconds; default: accuracy, or rmse"
    )
    made.add_argument(
        "--where", action="append", default=[], metavar="CONDITION",
        help="key=value, also != < > <= >=: only runs that satisfy it; may be repeated",
    )  # fmt: skip
    made.add_argument("--sort", metavar="KEY", help=f"a key, or {', '.join(ORDERS)}; --sort=-KEY")
    made.add_argument("--top", metavar="N", help="show only the first N groups")
    made.add_argument("--test", default="t", help="t (paired, the default) or wilcoxon")
    made.add_argument("--csv", metavar="FILE", help="write the groups as csv; - prints it instead")
    made.add_argument("--json", metavar="FILE", help="write everything as JSON; - prints it")
    made.add_argument("--parquet", metavar="FILE", help="write the groups as Parquet")
    made.add_argument(
        "--figures", nargs="?", const="", metavar="FOLDER",
        help="draw the runs as a whole; default: into figures in the first DIR",
    )  # fmt: skip
    made.add_argument("--theme", default="light", help="theme of the figures: light or dark")
    return made


def listed(texts: Iterable[str]) -> list[str]:
    return [key.strip() for text in texts for key in text.split(",") if key.strip()]

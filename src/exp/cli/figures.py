"""`exp figures DIR`: draws figures of a run, or of each run of a sweep, that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from exp.plotting.names import EVERY, Name
from exp.plotting.picture import FORMATS, THEMES
from exp.runs.manifest import is_sweep
from exp.runs.record import RunRecord
from exp.runs.stored_plan import TRUST
from exp.util.errors import ExpError, RunDirectoryError, unknown
from exp.util.terminal import one_line
from exp.util.verb_parser import Parser, place


def main(words: list[str]) -> int:
    """Draws, and prints what was drawn where.

    Returns:
        0, or 2 if figures of some run could not be drawn.

    Raises:
        ExpError: a name that does not exist, or nothing can be drawn.
        RunDirectoryError: there is no run.
    """
    parser = Parser(
        prog="exp figures",
        description="Draw figures of a run that has ended, or of each run of a sweep, from "
        "what was recorded. docs/figures.md shows them.",
    )
    parser.add_argument("directory", metavar="DIR", help="of a run or a sweep")
    parser.add_argument("--all", action="store_true", help="every figure, and the animation")
    parser.add_argument("--draw", metavar="NAMES", help=f"some of {', '.join(EVERY)}")
    parser.add_argument("--format", metavar="FORMATS", help=f"some of {', '.join(FORMATS)}")
    parser.add_argument("--theme", choices=THEMES, help="default: as the run's own figures")
    parser.add_argument("--trust", action="store_true", help=TRUST)
    args = parser.parse_args(words)
    if args.all and args.draw:
        raise ExpError("--all and --draw: give one of them")
    names = chosen("--draw", "figure", args.draw, EVERY) if args.draw else None
    look: dict[str, Any] = {"animation": args.all}
    if args.format:
        look["format"] = chosen("--format", "format", args.format, FORMATS)
    if args.theme:
        look["theme"] = args.theme
    path = place(args.directory)
    runs = runs_of(path)
    from exp.runs import saved_figures

    failed = 0
    for run in runs:
        where = one_line(str(run.relative_to(path.parent)))
        try:
            files, reason = saved_figures.draw(
                RunRecord.at(run),
                cast("list[Name] | None", EVERY if args.all else names),
                look=look,
                trust=args.trust,
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

"""`exp reproduce [NAME ...]`: published tables done again, with a verdict for each number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exp.cli.reproduce.table import Table, load, names
from exp.util.errors import ConfigError, ExpError, Fault, RunDirectoryError, unknown
from exp.util.files import write_output
from exp.util.verb_parser import Parser

PROG = "exp reproduce"


def main(words: list[str]) -> int:
    """Lists the tables, or trains what makes them and prints published against measured.

    Returns:
        0 where everything was reproduced, 1 where something differs.

    Raises:
        ConfigError: there is no such table.
        RunDirectoryError: a file cannot be written.
    """
    parser = Parser(
        prog=PROG,
        description="Do published tables again: train what makes them, print published against "
        "measured number by number, and say whether they were reproduced. Without a name it lists "
        "the tables.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a preset with a table")
    parser.add_argument("--all", action="store_true", help="every table")
    parser.add_argument(
        "--dir", metavar="DIR",
        help="of the runs; by default a new one in multirun/. In one that is there, finished runs "
        "are not done again",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes; one for each core")
    parser.add_argument("--html", metavar="FILE", help="write a page with the curves")
    parser.add_argument("--markdown", metavar="FILE", help="write a page in Markdown")
    args = parser.parse_args(words)
    if args.all and args.names:
        raise ExpError(f"{PROG}: either names or --all. See {PROG} --help")
    if not args.all and not args.names:
        if args.html or args.markdown or args.dir or args.jobs:
            raise ExpError(f"{PROG}: which tables? Name some, or give --all. See {PROG} --help")
        print(listing())
        return 0
    chosen = tables(args.names or names())
    for path in (args.html, args.markdown):
        if path is not None:
            writable(Path(path))
    return reproduce(chosen, args.dir, jobs=args.jobs, html=args.html, markdown=args.markdown)


def listing() -> str:
    from exp.util.text_tables import aligned

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


def writable(path: Path) -> None:
    """
    Raises:
        RunDirectoryError: a file cannot be written there: told before anything is trained.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        why = "it is a directory" if path.is_dir() else "there is no such directory"
        raise RunDirectoryError(f"cannot write {path}: {why}")


def reproduce(
    chosen: Sequence[Table],
    directory: str | None,
    *,
    jobs: int | None,
    html: str | None,
    markdown: str | None,
) -> int:
    from exp.cli.reproduce import text
    from exp.cli.reproduce.measure import reproduced
    from exp.cli.reproduce.verdict import judged

    runs = reproduced(chosen, directory, jobs=jobs)
    every = [judged(table, runs.value) for table in chosen]
    for each in every:
        print(f"\n{text.terminal(each)}")
    if len(every) > 1:
        print(f"\n{text.overview(every)}")
    if markdown is not None:
        write(Path(markdown), text.markdown(every))
    if html is not None:
        from exp.cli.reproduce.page import page

        write(Path(html), page(every, runs))
    return 0 if all(each.verdict == "reproduced" for each in every) else 1


def write(path: Path, content: str) -> None:
    write_output(path, content.encode())
    print(path)

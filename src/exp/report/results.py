"""`exp results DIR...`: groups over seeds, ranked, each tested against the best."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exp.arguments import Parser, place
from exp.errors import ExpError, RunDirectoryError, lines, shown, unknown
from exp.files import no_link, reason_of, write_output
from exp.measures import headline
from exp.report.conditions import OF_A_RUN, Condition, is_number
from exp.report.groups import SPLITS, Groups, Standing, grouped, over_seeds, ranked
from exp.report.layout import cell
from exp.report.runs import Row, Runs, gather, with_keys
from exp.report.statistics import TESTS
from exp.terminal import one_line, write_data

ORDERS: dict[str, Callable[[Standing], Any]] = {
    "rank": lambda each: each.rank,
    "mean": lambda each: each.spread and each.spread.mean,
    "sd": lambda each: each.spread and each.spread.sd,
    "seeds": lambda each: each.spread and each.spread.n,
    "runs": lambda each: each.group.runs,
    "p": lambda each: each.p,
}
"""What groups can be sorted by, besides their keys."""


@dataclass(frozen=True)
class Results:
    """What `exp results` has to say.

    Attributes:
        runs: those that were looked at.
        left_out: how many `--where` left out.
        groups: of those runs.
        standings: the groups in the order in which they are shown, those beyond `--top` left out.
        best: the first in the ranking.
        tested: how many groups were tested against it.
        test: of `statistics.TESTS`.
    """

    runs: Runs
    left_out: int
    groups: Groups
    standings: tuple[Standing, ...]
    best: Standing | None
    tested: int
    test: str

    @property
    def metric(self) -> str:
        return self.groups.metric


def main(words: list[str]) -> int:
    """Prints the table, or writes it to a file.

    Raises:
        ExpError: an option that cannot be; with all of them.
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
    from exp.report import export
    from exp.report.text import text

    if args.figures is not None:
        first = Path(args.directories[0])
        if not args.figures and (first / "run.json").exists():
            raise ExpError(f"--figures: {first} is a run, whose figures are its own: name a folder")
        folder = args.figures or no_link(first / "figures", "--figures")
        drawn(found, Path(folder), args.theme)
    if args.parquet:
        write_output(Path(args.parquet), export.parquet(found))
    for target, content in ((args.csv, export.csv), (args.json, export.json)):
        if target == "-":
            write_data(content(found))
        elif target:
            write_output(Path(target), content(found).encode())
    if "-" not in (args.csv, args.json):
        print(text(found))
    return 0


def drawn(found: Results, folder: Path, theme: str) -> None:
    """Draws the runs that were looked at, and says so.

    Raises:
        ExpError: there is no such theme, or a file cannot be written.
    """
    from exp.figures.picture import THEMES
    from exp.report import pictures

    if theme not in THEMES:
        raise ExpError("--theme: " + unknown("theme", theme, THEMES))
    try:
        paths = pictures.draw(found.runs, folder, metric=found.metric, theme=theme)
    except OSError as error:
        raise ExpError(f"cannot draw into {folder}: {reason_of(error)}") from error
    names = ", ".join(path.stem for path in paths) or "nothing to draw"
    print(f"{one_line(str(folder))}/: {names}", file=sys.stderr)


def parser() -> Parser:
    made = Parser(
        prog="exp results",
        description="What came out of runs: groups over seeds, best first, each tested against "
        "the best. docs/results.md says how to read it.",
    )
    made.add_argument("directories", nargs="+", metavar="DIR", help="of sweeps, runs, or both")
    made.add_argument(
        "--by", action="append", metavar="KEYS",
        help="what makes a group: a,b; by default all that varies but the seeds",
    )  # fmt: skip
    made.add_argument(
        "--metric", help="such as f1, test/loss, best/accuracy, seconds; default: accuracy, or rmse"
    )
    made.add_argument(
        "--where", action="append", default=[], metavar="CONDITION",
        help="key=value, also != < > <= >=: only runs that meet it; may be given several times",
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
    made.add_argument("--theme", default="light", help="of the figures: light or dark")
    return made


def listed(texts: Iterable[str]) -> list[str]:
    return [key.strip() for text in texts for key in text.split(",") if key.strip()]


def results(
    paths: Sequence[Path],
    *,
    by: Sequence[str] | None = None,
    metric: str | None = None,
    where: Sequence[str] = (),
    sort: str | None = None,
    top: str | int | None = None,
    test: str = "t",
) -> Results:
    """Groups of the runs of some places, ranked and tested.

    Args:
        paths: sweep directories, run directories, or folders that hold some.
        by: keys that make a group; None: all that varies but the seeds.
        metric: with a split (`test/loss`) or without, and then of validation rows where there are
            any, else of test rows; None: accuracy, or RMSE where there is none.
        where: conditions, `key=value`.
        sort: a key of `by` or of `ORDERS`, with a minus in front for the other direction.
        top: how many groups to show.
        test: of `statistics.TESTS`.

    Raises:
        ExpError: with everything that cannot be.
        RunDirectoryError: there are no runs.
    """
    runs = gather(paths)
    faults: list[str] = []
    conditions = []
    for text in where:
        try:
            conditions.append(Condition.of(text))
        except ValueError as error:
            faults.append(f"--where: {error}, found {shown(text)}")
    metrics = metrics_of(runs.rows)
    # `loss` is a component as well: loss=bce asks for that, loss<0.1 for the metric.
    conditions = [
        replace(each, key=metric_named(each.key, metrics))
        if is_number(each.wanted) and each.key not in runs.keys
        else each
        for each in conditions
    ]
    runs, said = completed(runs, by or (), conditions, metrics)
    faults += said
    wanted = metric or headline(metrics)
    scored = metric_named(wanted, metrics)
    if metrics and scored not in metrics:
        faults.append("--metric: " + unknown("metric", wanted, [cell(m) for m in sorted(metrics)]))
    keys = tuple(by) if by is not None else over_seeds(runs.keys)
    if test not in TESTS:
        faults.append("--test: " + unknown("test", test, list(TESTS)))
    if sort is not None and sort.removeprefix("-") not in (*ORDERS, *keys):
        word = sort.removeprefix("-")
        told = unknown("key", word, (*map(cell, keys), *ORDERS))
        ends = [cell(key) for key in keys if key.rpartition(".")[2] == word]
        if ends:  # `lr` is nearer to optimizer.lr than any measure of letters says
            told = f"unknown key {shown(word)}. Did you mean {' or '.join(map(repr, ends))}?"
        faults.append(f"--sort: {told}")
    count = counted(top, faults)
    if faults:
        raise ExpError(lines(faults[0], *(f"     {fault}" for fault in faults[1:])))
    rows = tuple(row for row in runs.rows if all(each.holds(row) for each in conditions))
    if not rows and not where:
        raise RunDirectoryError("there is no run in what was named")
    if not rows:
        raise ExpError(f"no run meets {' and '.join(where)}; there are {len(runs.rows)} runs")
    groups = grouped(rows, keys, scored)
    standings = ranked(groups, test)
    best = standings[0] if standings[0].rank is not None else None
    tested = sum(each.p is not None for each in standings)
    shown_ones = tuple(ordered(standings, sort, keys)[:count])
    left_out = len(runs.rows) - len(rows)
    skipped = tuple(row for row in runs.skipped if all(each.holds(row) for each in conditions))
    runs = replace(runs, rows=rows, skipped=skipped)
    return Results(runs, left_out, groups, shown_ones, best, tested, test)


def completed(
    runs: Runs, by: Sequence[str], conditions: Sequence[Condition], metrics: set[str]
) -> tuple[Runs, list[str]]:
    """The runs with every value that was asked for, and what is unknown."""
    known = {*runs.keys, *metrics, *OF_A_RUN}
    grouping = [key for key in by if key not in runs.keys]
    selecting = [each.key for each in conditions if each.key not in known]
    if not grouping and not selecting:
        return runs, []
    runs, there = with_keys(runs, [*grouping, *selecting])
    # A component's name is told by its group.
    told = [k for k in dict.fromkeys([*runs.keys, *there]) if not k.endswith(".name")]
    told = [cell(key) for key in told]
    faults = ["--by: " + unknown("key", key, told) for key in grouping if key not in there]
    names = list(dict.fromkeys([*told, *OF_A_RUN, *map(cell, sorted(metrics))]))
    faults += ["--where: " + unknown("key", k, names) for k in selecting if k not in there]
    return runs, faults


def metrics_of(rows: Sequence[Row]) -> set[str]:
    """Every score that some run has; none where no run came that far."""
    found = {name for row in rows for name in row.metrics}
    return found | {"seconds"} if found else found


def metric_named(name: str, metrics: Iterable[str]) -> str:
    """A metric by its whole name, where a split was left out: `f1`, `best/accuracy`."""
    known = set(metrics)
    first, _, score = name.rpartition("/")
    if name in known or first not in ("", "best"):
        return name
    front = f"{first}/" if first else ""
    return next((whole for s in SPLITS if (whole := f"{front}{s}/{score}") in known), name)


def counted(top: str | int | None, faults: list[str]) -> int | None:
    if top is None:
        return None
    text = str(top)
    if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0:
        return int(text)
    faults.append(f"--top: expected a number greater than 0, found {shown(top)}")
    return None


def ordered(standings: list[Standing], sort: str | None, keys: tuple[str, ...]) -> list[Standing]:
    """The groups by a key; those that have no value of it last."""
    if sort is None:
        return standings
    name = sort.removeprefix("-")

    def value(each: Standing) -> Any:
        return each.group.values[keys.index(name)] if name in keys else ORDERS[name](each)

    have = [each for each in standings if value(each) is not None]
    numeric = all(isinstance(value(each), (int, float)) for each in have)
    have.sort(key=lambda each: value(each) if numeric else str(value(each)), reverse=sort != name)
    return [*have, *(each for each in standings if value(each) is None)]

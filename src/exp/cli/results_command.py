"""`exp results DIR...`: groups over seeds, ranked, each tested against the best."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from exp.cli.options import DIRECTORY, OUTPUT, Choice
from exp.report.across_results import Report, report
from exp.report.results import ORDERS, results
from exp.util.errors import ExpError
from exp.util.files import no_link, reason_of, write_output
from exp.util.folders import existing
from exp.util.terminal import one_line, write_data


@click.command("results")
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=DIRECTORY)
@click.option(
    "--by",
    multiple=True,
    metavar="KEYS",
    help="Keys that define a group, such as a,b. Default: all that vary, except the seeds.",
)
@click.option(
    "--metric", help="Score, such as f1, test/loss, best/accuracy. Default: accuracy, or rmse."
)
@click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Only runs that satisfy key=value, also != < > <= >=. May be repeated.",
)
@click.option(
    "--sort", metavar="KEY", help=f"Sort by a key, or {', '.join(ORDERS)}; --sort=-KEY reverses."
)
@click.option("--top", metavar="N", help="Show only the first N groups.")
@click.option(
    "--test",
    help="Paired test: t (the default) or wilcoxon; with --across, wilcoxon (default) or nemenyi.",
)
@click.option(
    "--across",
    multiple=True,
    metavar="KEYS",
    help="Compare methods over the values of KEYS by ranks, such as --across dataset.",
)
@click.option(
    "--target",
    metavar="CONDITION",
    help="Epochs and seconds until a score satisfies it, such as 'test/accuracy>=0.95'.",
)
@click.option(
    "--margin", metavar="M", help="Differences of the score up to M do not matter: equivalent."
)
@click.option("--csv", metavar="FILE", type=OUTPUT, help="Write the groups as CSV; - prints it.")
@click.option("--json", metavar="FILE", type=OUTPUT, help="Write everything as JSON; - prints it.")
@click.option("--parquet", metavar="FILE", type=OUTPUT, help="Write the groups as Parquet.")
@click.option(
    "--figures",
    is_flag=False,
    flag_value="",
    metavar="[FOLDER]",
    type=DIRECTORY,
    help="Draw figures of all the runs. Default folder: figures in the first DIR.",
)
@click.option("--theme", type=Choice(("light", "dark")), default="light", help="Figure colors.")
def command(
    directories: tuple[str, ...],
    by: tuple[str, ...],
    metric: str | None,
    where: tuple[str, ...],
    sort: str | None,
    top: str | None,
    test: str | None,
    across: tuple[str, ...],
    target: str | None,
    margin: str | None,
    csv: str | None,
    json: str | None,
    parquet: str | None,
    figures: str | None,
    theme: str,
) -> int:
    """Rank the results of sweeps and runs.

    Runs that differ only in their seeds form a group; each group is compared with the best one of
    its data set.
    docs/results.md explains the table.
    """
    keys, groups = listed(across), listed(by) if by else None
    if across and not keys:
        raise ExpError("--across: expected keys, such as dataset")
    found = results(
        [existing(path) for path in directories],
        by=groups,
        metric=metric,
        where=where,
        sort=sort,
        top=top,
        test="t" if keys or test is None else test,
        margin=margin,
    )
    whole = report(found, keys=keys, by=groups, test=test, target=target, ordered=bool(sort or top))
    if figures is not None:
        first = Path(directories[0])
        if not figures and (first / "run.json").exists():
            raise ExpError(
                f"--figures: {first} is a run, which has figures already: give another folder"
            )
        folder = figures or no_link(first / "figures", "--figures")
        draw(whole, Path(folder), theme)
    if parquet:
        write_output(Path(parquet), whole.parquet())
    for output, content in ((csv, whole.csv), (json, whole.json)):
        if output == "-":
            write_data(content())
        elif output:
            write_output(Path(output), content().encode())
    if "-" not in (csv, json):
        print(whole.text())
    return 0


def draw(whole: Report, folder: Path, theme: str) -> None:
    """Draws these runs as a whole and prints where.

    Raises:
        ExpError: a file cannot be written.
    """
    from exp.report import sweep_figures  # matplotlib

    found = whole.results
    try:
        paths = sweep_figures.draw(found.runs, folder, metric=found.metric, theme=theme)
        paths += whole.draw(folder, theme)
    except OSError as error:
        raise ExpError(f"cannot draw into {folder}: {reason_of(error)}") from error
    names = ", ".join(path.stem for path in paths) or "nothing to draw"
    print(f"{one_line(str(folder))}/: {names}", file=sys.stderr)


def listed(texts: Iterable[str]) -> list[str]:
    return [key.strip() for text in texts for key in text.split(",") if key.strip()]

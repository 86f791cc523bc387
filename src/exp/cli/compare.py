"""`exp compare A B`: what differs in the configs of two runs, and in what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exp.cli.options import DIRECTORY, OUTPUT, Choice, trust_option
from exp.report.compare_answers import answers
from exp.report.differences import AGREED, changed_files, metrics_differ, surroundings, unlike
from exp.runs.collection import part
from exp.runs.record import RunRecord
from exp.util.errors import ExpError, shown
from exp.util.folders import existing
from exp.util.terminal import one_line
from exp.util.text_tables import aligned


@click.command("compare")
@click.argument("one_run", metavar="RUN", type=DIRECTORY)
@click.argument("other_run", metavar="OTHER_RUN", type=DIRECTORY)
@click.option(
    "--figure",
    "drawing",
    metavar="FILE.png",
    type=OUTPUT,
    help="Draw both decision boundaries, and where the models disagree.",
)
@click.option(
    "--theme", type=Choice(("light", "dark")), default="light", help="Colors of the figure."
)
@trust_option
def command(one_run: str, other_run: str, drawing: str | None, theme: str, trust: bool) -> int:
    """Show the differences between two runs: config, environment, data, results.

    The exit code is 0 if the result files are identical, else 1.
    """
    figure = None if drawing is None else Path(drawing).absolute()
    if figure is not None and figure.suffix != ".png":
        raise ExpError(f"--figure: expected a file.png, found {figure}")
    one, other = (RunRecord.at(existing(path)) for path in (one_run, other_run))
    for run in (one, other):
        run.check()
    if figure is not None:
        comparable(one, other)
    print(f"A  {one_line(str(one.directory.path))}  ({one.status})")
    print(f"B  {one_line(str(other.directory.path))}  ({other.status})")
    section("config", unlike(one.config(), other.config()))
    section("environment", unlike(surroundings(one.record), surroundings(other.record)))
    section("data", unlike(one.record.get("data"), other.record.get("data")))
    section("results", unlike(final(one), final(other)), differences=True)
    print(f"\n{answers(one, other)}")
    if drawing is not None and figure is not None:
        from exp.report import compared_boundaries  # torch, matplotlib

        compared_boundaries.draw(one, other, figure, theme=theme, trust=trust)
        print(f"drawn: {one_line(drawing)}")
    files = changed_files(one, other)
    first, _ = metrics_differ(one, other)
    if first:
        print(f"\n{first}")
    print(f"\n{AGREED[0] if not files else 'not the same bytes: ' + one_line(', '.join(files))}")
    return 1 if files else 0


def comparable(one: RunRecord, other: RunRecord) -> None:
    """
    Raises:
        ExpError: two runs that have not the same features and classes, or no classes.
    """
    for name in ("features", "classes"):
        a, b = (part(run.record, "data").get(name) for run in (one, other))
        if a != b:
            raise ExpError(f"--figure: A and B have different {name}: {shown(a)} and {shown(b)}")
    if not part(one.record, "data").get("classes"):
        raise ExpError("--figure draws decision boundaries, and the target of A and B is a number")


def section(title: str, rows: list[tuple[str, Any, Any]], *, differences: bool = False) -> None:
    """A table of key, A, B, and of B - A where that is asked for."""
    if not rows:
        print(f"\n{title}: the same")
        return
    lines = [[title, "A", "B"], *([key, text(a), text(b)] for key, a, b in rows)]
    if differences:
        further = ["B - A", *(difference(a, b) for _, a, b in rows)]
        lines = [[*line, more] for line, more in zip(lines, further, strict=True)]
    print("\n" + "\n".join(aligned(lines)))


def difference(a: Any, b: Any) -> str:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return f"{b - a:+.6g}"
    return "-"


def text(value: Any) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def final(run: RunRecord) -> dict[str, Any]:
    """The final scores of a run, without the confusion matrices; {} of one that has none."""
    scores = run.summary()["final"] if run.directory.summary.exists() else {}
    return {key: value for key, value in scores.items() if not key.endswith("/confusion")}

"""What a person sees of a sweep: a bar on a terminal, lines elsewhere, and the best at the end."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from exp.config import environment
from exp.report.results import Table
from exp.report.results_text import named, relative, table, tests
from exp.report.test_rows import chosen_by_test_rows
from exp.runs.config_values import plain_key
from exp.sweeps.grid import Words
from exp.sweeps.planner import Planned, Runs
from exp.sweeps.runs_table import BEST, Results, loss_of
from exp.sweeps.train_stack import Outcome
from exp.util import command_line, notebook
from exp.util.terminal import one_line, raw, streams
from exp.util.text_tables import aligned, cell, number

TABLES = 5
"""Data sets whose best groups are shown at the end."""


ONLY = TaskID(0)
"""The one task of a bar."""


def terminal_bar(opened: ExitStack, total: int, done: int = 0) -> Bar | None:
    """A bar on stderr, with a `text` beside it; None where that is no terminal, or where a program
    in Python wants none.

    Args:
        opened: closes it.
    """
    if not (sys.stderr.isatty() and command_line.progress):
        return None
    columns = (
        BarColumn(bar_width=40), MofNCompleteColumn(), TextColumn("{task.fields[text]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    bar = Bar(*columns, console=Console(file=raw(sys.stderr)), transient=True, redirect_stdout=True)
    opened.enter_context(bar)
    opened.enter_context(streams())
    bar.add_task("runs", total=total, completed=done, text="")
    return bar


class Progress:
    """The runs of a sweep as they end.

    Args:
        total: runs to do.
        before: those that are done before.
    """

    def __init__(self, total: int, before: int = 0) -> None:
        self.total, self.before, self.done = total, before, before
        self.counts: Counter[str] = Counter()
        self.begun = time.monotonic()
        self.bar: Bar | None = None
        self.cell: notebook.Bar | None = None
        self.open = ExitStack()

    def __enter__(self) -> Progress:
        if command_line.progress and (output := notebook.output()) is not None:
            self.cell = notebook.Bar(output, self.total, "runs")
            self.cell.update(self.before)
        else:
            self.bar = terminal_bar(self.open, self.total, self.before)
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def add(self, runs: Sequence[Planned], outcomes: Sequence[Outcome], seconds: float) -> None:
        """Takes note of runs that trained together."""
        if all(outcome.status == "interrupted" for outcome in outcomes):
            return  # how far they have come is printed at the end
        for run, outcome in zip(runs, outcomes, strict=True):
            self.done += 1
            self.counts[outcome.status] += 1
            if outcome.status not in ("done", "interrupted"):
                self.say(trouble(run.number, run.words, outcome))
        if self.cell is not None:
            bad = f"{self.bad()}, " if self.bad() else ""
            self.cell.update(self.done, f"{bad}{self.left().lstrip(', ')}".removesuffix(", "))
        if self.bar is not None:
            self.bar.update(ONLY, completed=self.done, text=self.bad())
        else:
            name = str(environment.stored(runs[0].config)["name"])  # not the value of a variable
            kind = f"a stack of {len(runs)}" if len(runs) > 1 else "one run"
            bad = f", {self.bad()}" if self.bad() else ""
            self.say(
                f"[{self.done}/{self.total}] {kind}, {name}, {seconds:.1f} s{bad}{self.left()}"
            )

    def bad(self) -> str:
        return ", ".join(
            f"{self.counts[status]} {status}"
            for status in ("failed", "diverged")
            if self.counts[status]
        )

    def left(self) -> str:
        """About how much time is left."""
        if self.done in (self.before, self.total):
            return ""
        each = (time.monotonic() - self.begun) / (self.done - self.before)
        return f", about {each * (self.total - self.done):.0f} s left"

    def say(self, text: str) -> None:
        print(text, flush=True)


def print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, flush=True)


def print_skipped(found: Runs, total: int) -> None:
    """Says which runs are left out, each reason once."""
    reasons: dict[str, list[Words]] = {}
    for _, words, reason in found.skipped:
        reasons.setdefault(reason, []).append(words)
    for reason, runs in reasons.items():
        print(f"skipped {len(runs)} of {total} runs, such as {' '.join(runs[0])}: {reason}")
    if found.repeated:
        print(f"{len(found.repeated)} of {total} runs are the same as an earlier one: left out")


def trouble(number: int, words: Words, outcome: Outcome) -> str:
    """A run that did not end well."""
    line = f"run {number} {outcome.status}: {' '.join(words) or 'no overrides'}"
    message = f"\n  {outcome.message}" if outcome.message else ""
    return f"{line}{message}\n  see {one_line(str(outcome.directory))}/exp.log"


def interrupted(statuses: Mapping[str, int], place: Path, again: str | None = None) -> str:
    """The end of a sweep that a signal has ended: what became of its runs, and how to go on.

    Args:
        statuses: how many runs have which status.
        place: the directory of the sweep.
        again: how to go on, if it is not `exp resume`.
    """
    words = {"interrupted": "saved before they were complete", "pending": "not started"}
    parts = ", ".join(f"{count} {words.get(status, status)}" for status, count in statuses.items())
    again = again or f"python -m exp resume {one_line(shlex.quote(str(place)))}"
    return f"interrupted: of {sum(statuses.values())} runs {parts}\nTo continue: {again}"


def closing(
    results: Results,
    place: Path,
    seconds: float,
    *,
    ranking: bool = True,
    metric: str | None = None,
    table: Sequence[str] | None = None,
    file: Path | None = None,
) -> str:
    """The table at the end: what became of all and, if wanted, the best groups or runs.

    Args:
        metric: the score to rank by; None: the usual one.
        table: lines in place of the best groups or runs.
        file: the table of every run, if it is not runs.csv in `place`.
    """
    statuses, metric = results.statuses, metric or results.metric
    counts = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    lines = [f"{statuses.total()} runs in {seconds:.1f} s: {counts}"]
    if table:
        lines += ["", *table]
    elif metric is not None and ranking:
        tables = results.tables(metric)
        lines += ["", *best(results, tables, metric, place)]
        compared = max(sum(each.rank is not None for each in t.ranking.every) for t in tables)
        lines += chosen_by_test_rows(results.rows, metric, compared)
    return "\n".join([*lines, "", f"Every run: {file or place / 'runs.csv'}"])


def best(results: Results, tables: Sequence[Table], metric: str, place: Path) -> list[str]:
    """`exp results` in short: the best groups over seeds, or runs where none has several seeds; of
    each data set by itself."""
    scores = [len(group.scores) for found in tables for group in found.groups.all]
    title = f"Best by {metric}"
    if max(scores) <= 1 and len(tables) == 1 and tables[0].best is not None:
        title += f", {BEST} of {sum(scores)}" if sum(scores) > BEST else ""
        return [title, *best_runs(results, metric, place)]
    title += " over seeds" if max(scores) > 1 else ""
    lines: list[str] = []
    for found in tables[:TABLES]:
        count = len(found.ranking.every)
        of = title + (f", {named(found)}" if found.data else "")
        lines += [""] * bool(lines) + [f"{of}, {BEST} of {count} groups" if count > BEST else of]
        lines += tests(found, "t", None)
        lines += table(found.ranking.every[:BEST], found.groups.by, metric, place)
    if (more := len(tables) - TABLES) > 0:
        lines += ["", f"and {more} more data sets"]
    return lines


def best_runs(results: Results, metric: str, place: Path) -> list[str]:
    """The best runs by a score, as aligned text."""
    scores = dict.fromkeys((metric, loss_of(metric)))
    names = [plain_key(key) for key in results.keys]
    lines = [
        [
            str(row.number),
            *(cell(row.parameters[name]) for name in names),
            *(number(row.metrics.get(score)) for score in scores),
            relative(row.path, place),
        ]
        for row in results.best(metric)
    ]
    return aligned([["run", *results.keys, *scores, "directory"], *lines])
